"""Ablations: several models side by side, on real and on synthetic people, in Markdown.

    python benchmarks/ablations.py shipped=edge/models/mmn_synthetic.onnx "without drag=runs/drag/best.pt" \\
        --real FOLDER --clips 1024 --minutes 10 --idle 10 --concurrent 10

Every model sees the same recordings and clips. Only requested figures have a column. Models are evaluated one after
the other. --out keeps the figures of each model as JSON, and a restarted run continues from there.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mar_edge.cli.progress import showing_progress
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.prior import parse_prior
from mar_edge.edge.progress import Progress
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.training.datasets.opening import open_dataset
from mar_edge.training.evaluation.clip_predictions import predict_clips
from mar_edge.training.evaluation.clip_results import ClipResults, score_clips
from mar_edge.training.evaluation.models import ModelSource
from mar_edge.training.evaluation.real_results import RealResults, check_fits, score_real
from mar_edge.training.evaluation.served import serve_recordings
from mar_edge.training.evaluation.stream_results import StreamResults, score_recordings
from mar_edge.training.evaluation.streaming import evaluate_takes, plan_takes
from mar_edge.training.evaluation.summary import figure
from mar_edge.training.evaluation.truth import open_real

LAYOUT = "ma52"
UNKNOWN = "–"


@dataclass(frozen=True)
class Wanted:
    """Evaluation data, as the options of ``mar-edge evaluate``. Without folder, clips or minutes: no such figures."""

    real: Path | None
    clips: int
    minutes: float
    idle: float
    concurrent: float
    seed: int
    prior: str | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one model. wanted: the evaluation data, to tell them from figures on other data."""

    name: str
    model: str
    wanted: str
    real: RealResults | None
    clips: ClipResults | None
    stream: StreamResults | None
    concurrent: StreamResults | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="NAME=FILE", help="checkpoints or model files")
    parser.add_argument("--real", type=Path, help="folder with truth.csv and skeletons/")
    parser.add_argument("--clips", type=int, default=0, help="synthetic clips of one action each")
    parser.add_argument("--minutes", type=float, default=0.0, help="recordings with one action at a time")
    parser.add_argument("--idle", type=float, default=0.0, help="minutes without named actions")
    parser.add_argument("--concurrent", type=float, default=0.0, help="minutes with several actions at once")
    parser.add_argument("--seed", type=int, default=1, help="seed of the recordings")
    parser.add_argument("--prior", help="prior, as of mar-edge evaluate")
    parser.add_argument("--out", type=Path, help="folder for the figures of each model")
    arguments = parser.parse_args()
    wanted = Wanted(
        arguments.real,
        arguments.clips,
        arguments.minutes,
        arguments.idle,
        arguments.concurrent,
        arguments.seed,
        arguments.prior,
    )
    try:
        with showing_progress() as progress:
            rows = [measure_once(*named(model), wanted, arguments.out, progress) for model in arguments.models]
    except MarEdgeError as error:
        parser.error(str(error))
    print(table(rows))


def named(argument: str) -> tuple[str, Path]:
    """Split NAME=FILE; a FILE alone is named after its stem."""
    name, found, path = argument.partition("=")
    return (name, Path(path)) if found else (Path(argument).stem, Path(argument))


def measure_once(name: str, path: Path, wanted: Wanted, out: Path | None, progress: Progress) -> Row:
    """Return the figures of one model, read from ``out`` if present."""
    if out is None:
        return measure(name, path, wanted, progress)
    kept = out / f"{name.replace('/', '-')}.json"
    if kept.exists():
        row = msgspec.json.decode(kept.read_bytes(), type=Row)
        if (row.model, row.wanted) != (str(path), str(wanted)):
            raise MarEdgeError(f"{kept} has figures of another model or other data; delete it or choose another --out")
        return row
    row = measure(name, path, wanted, progress)
    out.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(msgspec.json.encode(row))
    return row


def measure(name: str, path: Path, wanted: Wanted, progress: Progress) -> Row:
    """Return the figures of one model."""
    source, rules = (
        ModelSource((path,), threads=1),
        PipelineRules(prior=None if wanted.prior is None else parse_prior(wanted.prior)),
    )
    real = clips = None
    with source.open(load_layout(LAYOUT)) as recognizer:
        metadata = recognizer.metadata
        takes = plan_takes(metadata, wanted.minutes, wanted.idle, wanted.seed, wanted.concurrent)
        if wanted.real is not None:
            filmed = open_real(wanted.real)
            check_fits(filmed, metadata, known_only=False)
            real = score_real(filmed, serve_recordings(filmed, recognizer, rules, progress), metadata)
        if wanted.clips:
            dataset = open_dataset("synth")
            clips = score_clips(predict_clips(recognizer, dataset, progress, clips=wanted.clips), dataset.name)
    evaluated = evaluate_takes(source, rules, takes, progress) if takes else []
    alone, together = (
        score_recordings(part, takes[0].labels, wanted.seed, metadata) if part else None
        for part in ([one for one in evaluated if one.concurrent == several] for several in (False, True))
    )
    return Row(
        name=name, model=str(path), wanted=str(wanted), real=real, clips=clips, stream=alone, concurrent=together
    )


Column = tuple[str, Callable[[Row], str | None]]


def table(rows: Sequence[Row]) -> str:
    """Return a Markdown table: a row per model, a column per figure that any of them has."""
    shown = [column for column in _COLUMNS if any(column[1](row) is not None for row in rows)]
    lines = [["model", *(title for title, _ in shown)], ["---"] * (1 + len(shown))]
    lines += [[row.name.replace("|", "\\|"), *(of(row) or UNKNOWN for _, of in shown)] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _real(of: Callable[[RealResults], str]) -> Callable[[Row], str | None]:
    return lambda row: None if row.real is None else of(row.real)


def _clips(of: Callable[[ClipResults], str]) -> Callable[[Row], str | None]:
    return lambda row: None if row.clips is None else of(row.clips)


def _live(of: Callable[[StreamResults], str]) -> Callable[[Row], str | None]:
    return lambda row: None if row.stream is None else of(row.stream)


def _together(of: Callable[[StreamResults], str]) -> Callable[[Row], str | None]:
    return lambda row: None if row.concurrent is None else of(row.concurrent)


def _share(count: int, total: int) -> str:
    return f"{count}/{total}"


def _f1(results: StreamResults) -> str:
    return figure(results.levels[0].events.f1)


def _map(results: StreamResults) -> str:
    return figure(None if results.detection is None else results.detection.overall.detection_map, 3)


_COLUMNS: tuple[Column, ...] = (
    ("real: top-1", _real(lambda real: _share(real.overall.top1, real.overall.actions))),
    ("real: body group", _real(lambda real: _share(real.overall.body1, real.overall.actions))),
    ("real: event F1, tIoU 0.3", _real(lambda real: figure(real.level("name", 0.3).f1))),
    ("real: body group F1", _real(lambda real: figure(real.level("body group", 0.3).f1))),
    ("real: false events per minute", _real(lambda real: figure(real.false_per_minute, 1))),
    ("clips: top-1 of actions", _clips(lambda clips: figure(clips.actions and clips.actions.top1, 3))),
    ("one at a time: event F1, tIoU 0.5", _live(_f1)),
    ("one at a time: detection mAP", _live(_map)),
    ("idle: false events per minute", _live(lambda live: figure(live.idle_per_minute))),
    ("several at once: event F1, tIoU 0.5", _together(_f1)),
    ("several at once: detection mAP", _together(_map)),
)


if __name__ == "__main__":
    main()
