"""An evaluation as a folder: a report to read (Markdown, and one HTML file that needs no other), the confusion matrix
as a picture and as a table, and every figure as JSON. Knows nothing of how the figures came about.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from pathlib import Path

import jinja2
import msgspec
import numpy as np

from mar_edge.edge.files.outputs import write_whole
from mar_edge.training.evaluation import words
from mar_edge.training.evaluation.clip_results import ClipResults
from mar_edge.training.evaluation.picture import draw_confusion
from mar_edge.training.evaluation.real_results import RealResults
from mar_edge.training.evaluation.stream_results import StreamResults

SCHEMA = 1


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was evaluated. files: names. sha256: of the files, or of what they were made from."""

    name: str
    files: tuple[str, ...]
    sha256: tuple[str, ...]
    runtime: str
    layout: str
    streams: tuple[str, ...]
    precision: str
    classes: int
    window_s: float
    training_data: str


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """``scores.json``. real: None without real recordings; clips: None where no clip has a label; stream, concurrent:
    None where no footage with one action at a time or with several at once was asked for. prior: name of the
    frequencies of actions that live use assumed; None where only clips were judged.
    """

    schema: int = SCHEMA
    mar_edge_version: str
    model: ModelFacts
    prior: str | None = None
    real: RealResults | None = None
    clips: ClipResults | None
    stream: StreamResults | None
    concurrent: StreamResults | None = None


def report_files(folder: Path) -> list[Path]:
    """The files that a report may consist of."""
    return [folder / name for name in ("scores.json", "report.md", "report.html", "confusion.png", "confusion.csv")]


def write_report(folder: Path, evaluation: Evaluation) -> None:
    """Write, or write anew, the files of a report.

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
        files |= {"confusion.png": png, "confusion.csv": _table(evaluation.clips).encode()}
    for name, content in files.items():
        write_whole(folder / name, content)


def _picture(clips: ClipResults) -> bytes:
    names, bodies = zip(*((row.name, row.body) for row in clips.classes), strict=True)
    return draw_confusion(np.array(clips.confusion), names, bodies)


def _table(clips: ClipResults) -> str:
    """CSV: a row for each true class, a column for each class said."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["true \\ said", *(row.name for row in clips.classes)])
    rows.writerows([row.name, *counts] for row, counts in zip(clips.classes, clips.confusion, strict=True))
    return text.getvalue()


def render_card(evaluations: Sequence[Evaluation]) -> str:
    """The figures of a model card, in Markdown: real people first, then synthetic ones by framing and body group.

    Args:
        evaluations: of one model; of each kind of figures the last that there are.
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
        "percent": words.percent,
        "figure": words.figure,
        "lateness": words.lateness,
        "of": words.of,
        # A bar ends a cell of a Markdown table.
        "cell": lambda text: text.replace("|", "\\|"),
    }
    return environment


def _render(template: str, evaluation: Evaluation, png: bytes) -> str:
    clips, stream, real, concurrent = evaluation.clips, evaluation.stream, evaluation.real, evaluation.concurrent
    best, worst = words.best_and_worst(clips.classes) if clips else ([], [])
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
                *(words.real_sentences(real) if real else []),
                *(words.clip_sentences(clips) if clips else []),
                *(words.stream_sentences(stream) if stream else []),
                *(words.stream_sentences(concurrent) if concurrent else []),
            ],
            best=best,
            worst=worst,
            png=base64.b64encode(png).decode(),
        )
    )
