"""What the options about pose mean: from names and files to a pose stage. Draws the downloads."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.edge.errors import MarEdgeError

if TYPE_CHECKING:
    from mar_edge.edge.choices import RuntimeName
    from mar_edge.edge.layout import Layout
    from mar_edge.edge.pose.base import PoseEstimator
    from mar_edge.edge.pose.detection import Family
    from mar_edge.edge.zoo.catalog import KnownModel
    from mar_edge.edge.zoo.download import OnBytes

HOLISTIC = "holistic"
MIRROR_VARIABLE = "MAR_EDGE_MIRROR"
_DETECTOR = "rtmdet-nano"
_LINE_EVERY_S = 10.0

MinScore = Annotated[
    float | None,
    typer.Option(
        help="Joints with a lower score count as not seen.  [default: the pose stage's own]", show_default=False
    ),
]
Pose = Annotated[str, typer.Option(help="holistic, a model by name ('mar-edge models --list'), or an ONNX file.")]
Detector = Annotated[
    str | None,
    typer.Option(
        help="Of a pose model that needs one: by name, or rtmdet:FILE or yolox:FILE.  [default: what goes with it]",
        show_default=False,
    ),
]
People = Annotated[
    int | None, typer.Option(help="Most people to follow.  [default: 1; 4 with a pose model]", show_default=False)
]
FocusOn = Annotated[str, typer.Option(help="Whom: all, largest, or who is in x0,y0,x1,y1, in parts of the picture.")]


class Smoothing(str, Enum):
    """The choices of ``--smooth`` (``edge.pose.smoothing``)."""

    off = "off"
    one_euro = "one-euro"
    as_mediapipe = "as-mediapipe"


Smooth = Annotated[
    Smoothing | None,
    typer.Option(
        help="Filter over the joints.  [default: as-mediapipe of holistic, off of a pose model]", show_default=False
    ),
]
Mirror = Annotated[
    str | None,
    typer.Option(
        help="Folder or address to fetch models by name from.  [default: $MAR_EDGE_MIRROR, else their own]",
        show_default=False,
    ),
]

OpenPose = Callable[["Layout"], "PoseEstimator"]


@dataclass(frozen=True)
class PoseOptions:
    """As the command line has them.

    pose: ``holistic``, a known name, or an ONNX file. detector: a known name, an ONNX file, or either with its
    family before it (``yolox:FILE``); None for what goes with the pose model. people: how many at most, None for
    the pose stage's own number. focus: as ``edge.pose.focus`` reads it. min_score: of joints; None for the pose stage's
    own. smooth: filter of the joints; None for the pose stage's own. mirror: where known models are fetched from; None
    for ``MAR_EDGE_MIRROR``, else their own addresses. runtime: what runs the networks. threads: of one inference on a
    CPU; 0 takes every core.
    """

    pose: str = HOLISTIC
    detector: str | None = None
    people: int | None = None
    focus: str = "all"
    min_score: float | None = None
    smooth: Smoothing | None = None
    mirror: str | None = None
    runtime: RuntimeName = "auto"
    threads: int = 0


def pose_stage(options: PoseOptions) -> OpenPose:
    """What opens the pose stage. Downloads first what is known by name and not there yet.

    Raises:
        MarEdgeError: options that do not go together, an unknown name, or a file that cannot be had.
    """
    if options.min_score is not None and not 0.0 <= options.min_score <= 1.0:
        raise MarEdgeError(f"--min-score is 0 to 1, not {options.min_score}")
    if options.pose == HOLISTIC:
        return _holistic(options)
    if options.smooth is Smoothing.as_mediapipe:
        raise MarEdgeError("--smooth as-mediapipe goes with --pose holistic; a pose model takes one-euro or off")
    from mar_edge.edge.pose.focus import DEFAULT_PEOPLE, Focus
    from mar_edge.edge.pose.topdown import MIN_SCORE, TopDownPose

    focus = Focus.parse(options.focus, DEFAULT_PEOPLE if options.people is None else options.people)
    files = model_files(options)

    def open_top_down(layout: Layout) -> PoseEstimator:
        return TopDownPose.open(
            files.pose,
            files.detector,
            files.family,
            layout,
            detector_size=files.detector_size,
            runtime=options.runtime,
            threads=options.threads,
            name=files.name,
            focus=focus,
            min_score=MIN_SCORE if options.min_score is None else options.min_score,
            smooth=options.smooth is Smoothing.one_euro,
            full_score=files.full_score,
        )

    return open_top_down


@dataclass(frozen=True)
class ModelFiles:
    """A pose model and its detector on this machine, and what their graphs do not say of themselves."""

    name: str
    pose: Path
    full_score: float
    detector: Path
    family: Family
    detector_size: int | None


def model_files(options: PoseOptions) -> ModelFiles:
    """The files of a pose model and its detector, downloaded where they are known by name and not there yet.

    Raises:
        MarEdgeError: an unknown name, or a file that cannot be had.
    """
    from mar_edge.edge.pose.detection import FAMILIES

    pose, known = _file(options.pose, "pose", options.mirror)
    wanted = options.detector or (known.detector if known else _DETECTOR)
    prefix, _, rest = wanted.partition(":")
    detector, known_detector = _file(rest if prefix in FAMILIES else wanted, "detector", options.mirror)
    names = known.name if known else pose.name, known_detector.name if known_detector else detector.name
    return ModelFiles(
        name=" after ".join(names),
        pose=pose,
        full_score=known.full_score if known else 10.0 if "rtmw" in pose.name.lower() else 1.0,
        detector=detector,
        family=_family(prefix, known_detector, detector),
        detector_size=known_detector.size[0] if known_detector else None,
    )


def fetch_known(model: KnownModel, mirror: str | None) -> Path:
    """The known model's file; a download is shown, with the model's licence."""
    from mar_edge.edge.zoo.fetch import address, cached, fetch

    mirror = mirror or os.environ.get(MIRROR_VARIABLE) or None
    if cached(model) is not None:
        return fetch(model)
    print(f"{model.name} ({model.licence}) from {address(model, mirror)}", file=sys.stderr, flush=True)
    with _progress(model.name) as progress:
        return fetch(model, mirror=mirror, progress=progress)


def _holistic(options: PoseOptions) -> OpenPose:
    if options.detector is not None:
        raise MarEdgeError("--pose holistic has a detector of its own; --detector goes with a pose model")
    from mar_edge.edge.pose.focus import Focus

    focus = Focus.parse(options.focus, 1 if options.people is None else options.people)

    def open_holistic(layout: Layout) -> PoseEstimator:
        from mar_edge.edge.pose.holistic.stage import MIN_SCORE, HolisticPose

        return HolisticPose(
            layout,
            focus=focus,
            min_score=MIN_SCORE if options.min_score is None else options.min_score,
            smooth="as-mediapipe" if options.smooth is None else options.smooth.value,
            runtime=options.runtime,
            threads=options.threads,
        )

    return open_holistic


def _file(name: str, kind: str, mirror: str | None) -> tuple[Path, KnownModel | None]:
    from mar_edge.edge.zoo.catalog import known_model

    path = Path(name)
    if path.suffix == ".onnx" or path.is_file():
        if not path.is_file():
            raise MarEdgeError(f"no {kind} model at {path}; a known one by name: 'mar-edge models --list'")
        return path, None
    model = known_model(name, "pose" if kind == "pose" else "detector")
    return fetch_known(model, mirror), model


def _family(prefix: str, known: KnownModel | None, detector: Path) -> Family:
    from mar_edge.edge.pose.detection import FAMILIES

    for family in FAMILIES:
        if family in (prefix, known.family if known else ""):
            return family
    for family in FAMILIES:
        if family in detector.name.lower():
            return family
    raise MarEdgeError(
        f"which kind of detector is {detector.name}? Say --detector rtmdet:{detector} or --detector yolox:{detector}"
    )


@contextmanager
def _progress(name: str) -> Iterator[OnBytes]:
    """A bar on a terminal; elsewhere a line now and then. On standard error."""
    if not sys.stderr.isatty():
        yield _lines(name)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(name, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _lines(name: str) -> OnBytes:
    told_s = time.monotonic()

    def show(done: int, total: int | None) -> None:
        nonlocal told_s
        if time.monotonic() - told_s >= _LINE_EVERY_S or done == total:
            told_s = time.monotonic()
            of = f" of {total / 1e6:.1f}" if total else ""
            print(f"{name}: {done / 1e6:.1f}{of} MB", file=sys.stderr, flush=True)

    return show
