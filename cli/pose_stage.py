"""Open the pose stage that options ask for. Downloads what is known by name and shows how far the download is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mar_edge.cli.options.pose import HOLISTIC, PoseModel, PoseOptions
from mar_edge.cli.progress import showing_progress
from mar_edge.edge.errors import MarEdgeError

if TYPE_CHECKING:
    from mar_edge.edge.choices import RuntimeName
    from mar_edge.edge.layout import Layout
    from mar_edge.edge.pose.base import PoseEstimator
    from mar_edge.edge.pose.detection import Family
    from mar_edge.edge.zoo.catalog import KnownModel

MIRROR_VARIABLE = "MAR_EDGE_MIRROR"
_DETECTOR = "rtmdet-nano"

OpenPose = Callable[["Layout"], "PoseEstimator"]


def pose_stage(model: PoseModel, runtime: RuntimeName = "auto", threads: int = 0) -> OpenPose:
    """Return what opens the pose stage. Downloads known models that are missing first.

    Args:
        runtime: of the networks of the pose stage.
        threads: of one inference on a CPU; 0 takes every core.

    Raises:
        MarEdgeError: options that do not go together, an unknown name, or a file that is not available.
    """
    options = model if isinstance(model, PoseOptions) else PoseOptions(**vars(model))
    if options.min_score is not None and not 0.0 <= options.min_score <= 1.0:
        raise MarEdgeError(f"--min-score is 0 to 1, not {options.min_score}")
    if options.pose == HOLISTIC:
        return _holistic(options, runtime, threads)
    if options.smooth == "as-mediapipe":
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
            runtime=runtime,
            threads=threads,
            name=files.name,
            focus=focus,
            min_score=MIN_SCORE if options.min_score is None else options.min_score,
            smooth=options.smooth == "one-euro",
            full_score=files.full_score,
        )

    return open_top_down


@dataclass(frozen=True)
class ModelFiles:
    """A pose model and its detector on this machine, with what their graphs do not say."""

    name: str
    pose: Path
    full_score: float
    detector: Path
    family: Family
    detector_size: int | None


def model_files(options: PoseModel) -> ModelFiles:
    """Return the files of a pose model and its detector. Known models that are missing are downloaded first.

    Raises:
        MarEdgeError: an unknown name, or a file that is not available.
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
    """Return the file of a known model; a download is shown, with the license of the model."""
    from mar_edge.edge.zoo.fetch import address, cached, fetch

    mirror = mirror or os.environ.get(MIRROR_VARIABLE) or None
    if cached(model) is not None:
        return fetch(model)
    print(f"{model.name} ({model.licence}) from {address(model, mirror)}", file=sys.stderr, flush=True)
    with showing_progress(in_bytes=True) as progress:
        return fetch(model, mirror=mirror, progress=lambda done, total: progress(model.name, done, total))


def _holistic(options: PoseOptions, runtime: RuntimeName, threads: int) -> OpenPose:
    if options.detector is not None:
        raise MarEdgeError("--pose holistic has its own detector; --detector goes with a pose model")
    from mar_edge.edge.pose.focus import Focus

    focus = Focus.parse(options.focus, 1 if options.people is None else options.people)

    def open_holistic(layout: Layout) -> PoseEstimator:
        from mar_edge.edge.pose.holistic.stage import MIN_SCORE, HolisticPose

        return HolisticPose(
            layout,
            focus=focus,
            min_score=MIN_SCORE if options.min_score is None else options.min_score,
            smooth="as-mediapipe" if options.smooth is None else options.smooth,
            runtime=runtime,
            threads=threads,
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
