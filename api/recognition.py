"""``recognize``: any source -> events, in order, through the same pipeline as ``mar-edge serve`` and ``replay``."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from mar_edge.api.model import Model
from mar_edge.api.recognizer import PriorOption, Recognizer, ThresholdsOption
from mar_edge.api.results import Event
from mar_edge.api.tracks import Joints, frames_of, tracks_of
from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.pose.base import PoseEstimator
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.capture.pose_worker import PoseWorker
from mar_edge.streaming.recording.recorder import SUFFIX
from mar_edge.streaming.recording.replay import Replay
from mar_edge.streaming.recording.skeletons import SkeletonTrack

Images = Iterable[tuple[NDArray[np.uint8], float]]
Skeletons = Joints | Mapping[int, Joints] | SkeletonTrack | Sequence[SkeletonTrack]
Source = int | str | PathLike[str] | Images | Skeletons
_READ_TIMEOUT_S = 0.1


def recognize(
    source: Source,
    *,
    times_s: Sequence[float] | NDArray[np.floating[Any]] | None = None,
    fps: float | None = None,
    model: str | PathLike[str] | Model | None = None,
    pose: str | PoseEstimator = "holistic",
    people: int | None = None,
    prior: PriorOption | None = None,
    thresholds: ThresholdsOption | None = None,
    labels: str = "",
    stride_s: float = 0.2,
    motion_gate: bool = True,
    runtime: RuntimeName = "auto",
    threads: int = 0,
) -> Generator[Event, None, None]:
    """Yield the events of a source when they end.

    Closing or exhausting the generator closes the camera, the pose stage and the model (but not a ``Model`` that was
    given).

    Args:
        source: a video file, or a recording of ``mar-edge serve --record`` (a ``.jsonl`` file or a folder).
            Or a camera as ``--camera`` takes it: an index, a URL, a GStreamer pipeline or "demo:".
            Or an iterable of (image, seconds), images (H, W, 3) uint8 BGR.
            Or skeletons: an array (T, V, 2) or (T, V, 3) of one person, person -> such an array, or tracks.
        times_s, fps: times of skeleton arrays: (T,) seconds, or frames per second.
        model, pose, people, prior, thresholds, labels, stride_s, motion_gate, runtime, threads: see ``Recognizer``.

    Raises:
        MarEdgeError: the source, the model or the pose stage cannot be used, or an option is out of range. Raised
            by this call where the source shows it, else with the first event.
    """
    opened = _opened(source, times_s, fps)
    open_recognizer = partial(
        Recognizer,
        model,
        pose=pose,
        people=people,
        prior=prior,
        thresholds=thresholds,
        labels=labels,
        stride_s=stride_s,
        motion_gate=motion_gate,
        runtime=runtime,
        threads=threads,
    )

    def events() -> Generator[Event, None, None]:
        with open_recognizer() as recognizer:
            if isinstance(opened, Camera | Replay):
                yield from _from_frames(opened, recognizer)
            elif isinstance(opened, list):
                for t_s, seen in frames_of(opened, recognizer.layout):
                    yield from recognizer.push_skeletons(seen, t_s).ended
                yield from recognizer.finish().ended
            else:
                for image, t_s in opened:
                    yield from recognizer.push(image, t_s).ended
                yield from recognizer.finish().ended

    return events()


def _opened(
    source: Source, times_s: Sequence[float] | NDArray[np.floating[Any]] | None, fps: float | None
) -> Camera | Replay | list[SkeletonTrack] | Iterator[tuple[NDArray[np.uint8], float]]:
    """Return what a source means. Opens no camera yet."""
    if _is_skeletons(source):
        return tracks_of(source, times_s, fps)
    if times_s is not None or fps is not None:
        raise MarEdgeError("times_s and fps are for arrays of skeletons; other sources have their own times")
    if isinstance(source, int):
        return Camera(str(source))
    if isinstance(source, str | PathLike):
        path = Path(source)
        return Replay([path]) if path.suffix == SUFFIX or path.is_dir() else Camera(str(source))
    if not isinstance(source, Iterable):
        raise MarEdgeError(f"not a source: {type(source).__name__}; recognize() lists those that it takes")
    return iter(cast("Images", source))


def _is_skeletons(source: Source) -> TypeGuard[Skeletons]:
    if isinstance(source, np.ndarray | Mapping | SkeletonTrack):
        return True
    return isinstance(source, list | tuple) and all(isinstance(one, SkeletonTrack) for one in source)


def _from_frames(source: Camera | Replay, recognizer: Recognizer) -> Generator[Event, None, None]:
    """Yield the events of frames, with pose on a thread of its own, as in a stream of ``mar-edge serve``."""
    with source:
        pose = None if isinstance(source, Replay) else recognizer.pose
        if isinstance(source, Replay) and source.layout.name != recognizer.layout.name:
            raise MarEdgeError(
                f"{source.source.description} has {source.layout.name} skeletons; the model "
                f"'{recognizer.model.name}' takes {recognizer.layout.name}"
            )
        source.start()
        with PoseWorker(source, pose) as worker:
            segment = worker.segment
            while not worker.ended:
                posed = worker.read(_READ_TIMEOUT_S)
                if worker.segment != segment:
                    segment = worker.segment
                    yield from recognizer.interrupt().ended
                if posed is not None:
                    yield from recognizer.push_skeletons(posed.people, posed.frame.media_s).ended
            yield from recognizer.finish(infer=source.ran_out).ended
