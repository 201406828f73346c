"""Arrays of skeletons from outside -> checked tracks and frames of people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import Layout
from mar_edge.streaming.recording.skeletons import SkeletonTrack

Joints = NDArray[np.floating[Any]]
_SHAPES = "joints are (T, V, 2), x and y in pixels, or (T, V, 3) with scores"


def skeleton_track(
    joints: Joints,
    times_s: Sequence[float] | NDArray[np.floating[Any]] | None = None,
    fps: float | None = None,
    person: int = 0,
) -> SkeletonTrack:
    """Return one person's skeletons over time, checked.

    Args:
        joints: (T, V, 2) pixels, x right, y down; or (T, V, 3) with scores in [0, 1]. NaN where not seen.
        times_s: (T,) seconds, strictly increasing.
        fps: frames per second, instead of ``times_s``.
        person: id that the events carry.

    Raises:
        MarEdgeError: another shape, times that do not increase, or neither or both of ``times_s`` and ``fps``.
    """
    array = np.asarray(joints)
    if array.ndim != 3 or array.shape[2] not in (2, 3) or not np.issubdtype(array.dtype, np.number):
        raise MarEdgeError(f"{_SHAPES}; given was {array.shape} {array.dtype}")
    T, _, C = array.shape
    times = _times(T, times_s, fps)
    if times.shape != (T,) or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise MarEdgeError(f"times_s are {T} seconds, strictly increasing; given was an array {times.shape}")
    places = array[..., :2].astype(np.float32)  # (T, V, 2)
    seen: NDArray[np.bool_] = np.all(np.isfinite(places), axis=2)  # (T, V)
    places[~seen] = np.nan
    scores = np.nan_to_num(array[..., 2].astype(np.float32)) if C == 3 else seen.astype(np.float32)
    return SkeletonTrack(places, times, scores, person)


def _times(
    T: int, times_s: Sequence[float] | NDArray[np.floating[Any]] | None, fps: float | None
) -> NDArray[np.float64]:
    if times_s is not None and fps is None:
        return np.asarray(times_s, np.float64)
    if fps is None or times_s is not None:
        raise MarEdgeError("skeletons need their times: give either times_s, one for each frame, or fps")
    if not 0 < fps < np.inf:
        raise MarEdgeError(f"fps is more than 0, not {fps}")
    return np.arange(T) / fps


def tracks_of(
    source: Joints | Mapping[int, Joints] | SkeletonTrack | Sequence[SkeletonTrack],
    times_s: Sequence[float] | NDArray[np.floating[Any]] | None,
    fps: float | None,
) -> list[SkeletonTrack]:
    """Return the tracks in a source of skeletons.

    Raises:
        MarEdgeError: as ``skeleton_track``; or times are given for tracks, which have their own.
    """
    if isinstance(source, np.ndarray):
        return [skeleton_track(source, times_s, fps)]
    if isinstance(source, Mapping):
        return [skeleton_track(joints, times_s, fps, person) for person, joints in source.items()]
    if times_s is not None or fps is not None:
        raise MarEdgeError("tracks have their own times; times_s and fps are for arrays of joints")
    return [source] if isinstance(source, SkeletonTrack) else list(source)


def frames_of(tracks: Sequence[SkeletonTrack], layout: Layout) -> Iterator[tuple[float, list[Skeleton]]]:
    """Yield (time in seconds, the people seen then), in order.

    Raises:
        MarEdgeError: a track has another number of joints than the model's layout.
    """
    for one in tracks:
        check_layout(one, layout)
    rows = sorted((float(t_s), number, row) for number, one in enumerate(tracks) for row, t_s in enumerate(one.times_s))
    place = 0
    while place < len(rows):
        t_s, people = rows[place][0], []
        while place < len(rows) and rows[place][0] == t_s:
            _, number, row = rows[place]
            people.append(Skeleton(tracks[number].joints[row], tracks[number].scores[row], tracks[number].person))
            place += 1
        yield t_s, people


def window_of(one: SkeletonTrack, layout: Layout) -> Window:
    """Return a track as one window.

    Raises:
        MarEdgeError: it has another number of joints than the model's layout, or no frame.
    """
    check_layout(one, layout)
    if not len(one.times_s):
        raise MarEdgeError("a window has one frame or more, this one has none")
    return Window(one.joints, one.times_s, one.person)


def check_layout(one: SkeletonTrack, layout: Layout) -> None:
    """Raise MarEdgeError unless the track's joints are as many as the layout's."""
    if one.joints.shape[1:] != (layout.num_joints, 2):
        raise MarEdgeError(
            f"skeletons of {one.joints.shape[1]} joints; the model takes the layout {layout.name}, "
            f"{layout.num_joints} joints (Model.joints names them in order)"
        )
