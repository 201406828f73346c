"""Which pose stage: ``holistic``, or a pose model with its detector, by name or as files. Mistakes name the option."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mar_edge.edge.choices import RuntimeName, Smoothing
from mar_edge.edge.errors import MarEdgeError

if TYPE_CHECKING:
    from mar_edge.edge.layout import Layout
    from mar_edge.edge.pose.base import PoseEstimator
    from mar_edge.edge.pose.detection import Family
    from mar_edge.edge.zoo.catalog import KnownModel

HOLISTIC = "holistic"
_MIRROR_VARIABLE = "MAR_EDGE_MIRROR"
_DETECTOR = "rtmdet-nano"

OpenPose = Callable[["Layout"], "PoseEstimator"]
Fetch = Callable[["KnownModel", str | None], Path]
"""Takes a known model and a mirror, and returns the model's file."""


@dataclass(frozen=True)
class PoseConfig:
    """The pose stage, the people that it follows, and the filter of their joints.

    pose: ``holistic``, a folder of its networks, a known name, or an ONNX file.

    detector: a known name, an ONNX file, or either with its family before it (``yolox:FILE``); None for the pose
    model's own.

    people, min_score, smooth: None for the pose stage's own. focus: as ``edge.pose.focus`` reads it. mirror: None for
    ``MAR_EDGE_MIRROR``, else the publishers' addresses.

    runtime: of the networks. threads: of one inference on a CPU; 0 takes every core.
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


def is_holistic(pose: str) -> bool:
    """Return whether it names the holistic stage: by its name, or by a folder of its networks."""
    return pose == HOLISTIC or Path(pose).is_dir()


def networks_folder(pose: str) -> Path | None:
    """Return the folder of the networks of the holistic stage; None takes the package's."""
    return None if pose == HOLISTIC else Path(pose)


def fetch_model(model: KnownModel, mirror: str | None) -> Path:
    """Return the file of a known model, downloaded where it is missing."""
    from mar_edge.edge.zoo.fetch import fetch

    return fetch(model, mirror=chosen_mirror(mirror))


def chosen_mirror(mirror: str | None) -> str | None:
    """Return the mirror that is named, else that of ``MAR_EDGE_MIRROR``, if there is one."""
    return mirror or os.environ.get(_MIRROR_VARIABLE) or None


def pose_stage(options: PoseConfig, fetch: Fetch = fetch_model) -> OpenPose:
    """Return what opens the pose stage. Known models that are missing are downloaded first, by ``fetch``.

    Raises:
        MarEdgeError: options that do not go together, an unknown name, or a file that is not available.
    """
    if options.min_score is not None and not 0.0 <= options.min_score <= 1.0:
        raise MarEdgeError(f"--min-score is 0 to 1, not {options.min_score}")
    if is_holistic(options.pose):
        return _holistic(options)
    if options.smooth == "as-mediapipe":
        raise MarEdgeError("--smooth as-mediapipe goes with --pose holistic; a pose model takes one-euro or off")
    from mar_edge.edge.pose.focus import DEFAULT_PEOPLE, Focus
    from mar_edge.edge.pose.topdown import MIN_SCORE, TopDownPose

    focus = Focus.parse(options.focus, DEFAULT_PEOPLE if options.people is None else options.people)
    files = model_files(options, fetch)

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


def model_files(options: PoseConfig, fetch: Fetch = fetch_model) -> ModelFiles:
    """Return the files of a pose model and its detector. Known models that are missing are downloaded first.

    Raises:
        MarEdgeError: an unknown name, or a file that is not available.
    """
    from mar_edge.edge.pose.detection import FAMILIES

    pose, known = _file(options.pose, "pose", options.mirror, fetch)
    wanted = options.detector or (known.detector if known else _DETECTOR)
    prefix, _, rest = wanted.partition(":")
    detector, known_detector = _file(rest if prefix in FAMILIES else wanted, "detector", options.mirror, fetch)
    names = known.name if known else pose.name, known_detector.name if known_detector else detector.name
    return ModelFiles(
        name=" after ".join(names),
        pose=pose,
        full_score=known.full_score if known else 10.0 if "rtmw" in pose.name.lower() else 1.0,
        detector=detector,
        family=_family(prefix, known_detector, detector),
        detector_size=known_detector.size[0] if known_detector else None,
    )


def _holistic(options: PoseConfig) -> OpenPose:
    if options.detector is not None:
        raise MarEdgeError("--pose holistic has its own detector; --detector goes with a pose model")
    from mar_edge.edge.pose.focus import Focus

    focus = Focus.parse(options.focus, 1 if options.people is None else options.people)

    def open_holistic(layout: Layout) -> PoseEstimator:
        from mar_edge.edge.pose.holistic.networks import Networks
        from mar_edge.edge.pose.holistic.stage import MIN_SCORE, HolisticPose

        return HolisticPose(
            layout,
            focus=focus,
            min_score=MIN_SCORE if options.min_score is None else options.min_score,
            smooth="as-mediapipe" if options.smooth is None else options.smooth,
            networks=Networks(options.runtime, options.threads, folder=networks_folder(options.pose)),
        )

    return open_holistic


def _file(name: str, kind: str, mirror: str | None, fetch: Fetch) -> tuple[Path, KnownModel | None]:
    from mar_edge.edge.zoo.catalog import known_model

    path = Path(name)
    if path.suffix == ".onnx" or path.is_file():
        if not path.is_file():
            raise MarEdgeError(f"no {kind} model at {path}; a known one by name: 'mar-edge models --list'")
        return path, None
    model = known_model(name, "pose" if kind == "pose" else "detector")
    return fetch(model, mirror), model


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
