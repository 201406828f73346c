"""An evaluation as a folder of files. Knows nothing of how the figures are computed.

- ``report.md`` and ``report.html``: the report; the HTML file needs no other file
- ``confusion.png`` and ``confusion.csv``: the confusion matrix
- ``scores.json``: every figure
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import jinja2
import msgspec
import numpy as np

from mar_edge.edge.choices import Family
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.files.tables import table_of
from mar_edge.training.evaluation import summary
from mar_edge.training.evaluation.clip_results import ClipResults
from mar_edge.training.evaluation.picture import draw_confusion
from mar_edge.training.evaluation.real_results import RealResults
from mar_edge.training.evaluation.stream_results import StreamResults
from mar_edge.training.evaluation.trained_on import TrainedOn

SCHEMA = 1


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The evaluated model. files: names. sha256: of the files, or of the checkpoints they were made from."""

    name: str
    files: tuple[str, ...]
    sha256: tuple[str, ...]
    runtime: str
    family: Family = "mmn"
    layout: str
    streams: tuple[str, ...]
    precision: str
    classes: int
    window_s: float
    training_data: str


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Content of ``scores.json``.

    real: None without real recordings. clips: None if no clip has a label.

    stream, concurrent: on footage with one action at a time, and with several at once; None if not requested.

    prior: name of the frequencies of actions that live use assumed; None if only clips were evaluated.

    trained_on: None for data without recordings.
    """

    schema: int = SCHEMA
    mar_edge_version: str
    model: ModelFacts
    prior: str | None = None
    trained_on: TrainedOn | None = None
    real: RealResults | None = None
    clips: ClipResults | None
    stream: StreamResults | None
    concurrent: StreamResults | None = None


def report_files(folder: Path) -> list[Path]:
    """Return the files of a report; some may not be written."""
    return [folder / name for name in ("scores.json", "report.md", "report.html", "confusion.png", "confusion.csv")]


def write_report(folder: Path, evaluation: Evaluation) -> None:
    """Write or replace the files of a report.

    Raises:
        MarEdgeError: the folder cannot be written.
    """
    png = _picture(evaluation.clips) if evaluation.clips else b""
    files = {
        "scores.json": msgspec.json.format(msgspec.json.encode(evaluation)),
        "report.md": _render("report.md.jinja", evaluation, png).encode(),
        "report.html": _render("report.html.jinja", evaluation, png).encode(),
    }
    if evaluation.clips:
        files |= {"confusion.png": png, "confusion.csv": _table(evaluation.clips)}
    for name, content in files.items():
        write_whole(folder / name, content)


def _picture(clips: ClipResults) -> bytes:
    names, bodies = zip(*((row.name, row.body) for row in clips.classes), strict=True)
    return draw_confusion(np.array(clips.confusion), names, bodies)


def _table(clips: ClipResults) -> bytes:
    """Return CSV with a row for each true class and a column for each predicted class."""
    counted = zip(clips.classes, clips.confusion, strict=True)
    return table_of(
        ["true/predicted", *(row.name for row in clips.classes)], ([row.name, *counts] for row, counts in counted)
    )


def render_card(evaluations: Sequence[Evaluation]) -> str:
    """Render the figures of a model card, in Markdown: real people, then synthetic ones by framing and body group.

    Args:
        evaluations: of one model; of each kind of figures, the last one is used.
    """
    parts = {
        name: next((part for one in reversed(evaluations) if (part := getattr(one, name)) is not None), None)
        for name in ("real", "clips", "stream", "concurrent")
    }
    return _environment().get_template("card.md.jinja").render(parts)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mar_edge.training.evaluation"),
        autoescape=jinja2.select_autoescape(["html.jinja"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "percent": summary.percent,
        "figure": summary.figure,
        "lateness": summary.lateness,
        "of": summary.of,
        # A bar would end a cell of a Markdown table.
        "cell": lambda text: text.replace("|", "\\|"),
    }
    return environment


def _render(template: str, evaluation: Evaluation, png: bytes) -> str:
    clips, stream, real, concurrent = evaluation.clips, evaluation.stream, evaluation.real, evaluation.concurrent
    best, worst = summary.best_and_worst(clips.classes) if clips else ([], [])
    return (
        _environment()
        .get_template(template)
        .render(
            evaluation=evaluation,
            model=evaluation.model,
            clips=clips,
            stream=stream,
            concurrent=concurrent,
            real=real,
            sentences=[
                *(summary.trained_on_sentences(evaluation.trained_on) if evaluation.trained_on else []),
                *(summary.real_sentences(real) if real else []),
                *(summary.clip_sentences(clips) if clips else []),
                *(summary.stream_sentences(stream) if stream else []),
                *(summary.stream_sentences(concurrent) if concurrent else []),
            ],
            best=best,
            worst=worst,
            png=base64.b64encode(png).decode(),
        )
    )
