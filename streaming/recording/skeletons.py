"""Skeletons of a recording, by person, as arrays. Times are media time, which no step of the wall clock touches.

A ``hello`` among the messages makes times count from media time 0; without one, they count from the first skeleton.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import LAYOUT_NAMES, Layout, layout_with, load_layout
from mar_edge.streaming.recording.reader import Recorded, of_one_run, read_messages
from mar_edge.streaming.wire.messages import NO_PERSON, HelloMessage, SkeletonMessage

_LARGEST_PIXEL = 1e6
_NS = 1e9
_FINGERPRINT = 16  # hexadecimal digits


@dataclass(frozen=True)
class SkeletonTrack:
    """One person over time.

    joints: (T, V, 2) float32, pixels of the image, x right, y down; NaN where a joint was not seen.
    times_s: (T,) float64 seconds, strictly increasing. scores: (T, V) float32 in [0, 1], of the joints.
    """

    joints: NDArray[np.float32]
    times_s: NDArray[np.float64]
    scores: NDArray[np.float32]
    person: int = 0


@dataclass(frozen=True)
class SkeletonRecording:
    """One stream, whole. ``tracks``: everything seen of each person; times in seconds from media time 0."""

    name: str
    layout: Layout
    tracks: tuple[Window, ...]

    def cut(self, start_s: float, end_s: float, person: int | None = None) -> Window | None:
        """Return the frames of one person from ``start_s`` to ``end_s``, both included; None if there are none.

        Args:
            person: id of the person; None for the person who is seen in most of those frames.
        """
        cuts = []
        for track in self.tracks:
            first, after = np.searchsorted(track.times_s, [start_s, np.nextafter(end_s, np.inf)])
            if after > first and person in (None, track.person):
                cuts.append(Window(track.clip[first:after], track.times_s[first:after], track.person))
        return max(cuts, key=lambda cut: len(cut.times_s), default=None)

    @property
    def end_s(self) -> float:
        """When the last skeleton was seen."""
        return max(float(track.times_s[-1]) for track in self.tracks)

    @property
    def fingerprint(self) -> str:
        """A short hash of everybody's joints and their times.

        Labels and events are no part of it: a video that another model analyzes again keeps its fingerprint. It tells
        nothing about the person, not even the file's name.
        """
        hashed = hashlib.sha256(self.layout.name.encode())
        for track in self.tracks:
            hashed.update(track.times_s.tobytes())
            hashed.update(track.clip.tobytes())
        return hashed.hexdigest()[:_FINGERPRINT]


def read_skeletons(path: Path) -> SkeletonRecording:
    """Return the skeletons of a recording, by person.

    Their layout is the one that ``hello`` names, else the one with as many joints.

    Raises:
        MarEdgeError: the file cannot be read, a line is not a message, or there is no skeleton. Also where a line has
            another layout, run or clock than the lines before it, or is no later. The error names the line.
    """
    reader = SkeletonReader()
    for recorded in of_one_run(read_messages([path])):
        reader.take(recorded)
    if reader.layout is None or not reader.people:
        raise MarEdgeError(f"{path} holds no skeleton; record with 'mar-edge serve --record FOLDER'")
    tracks = (Window(track.joints, track.times_s, track.person) for track in reader.tracks())
    return SkeletonRecording(path.stem, reader.layout, tuple(tracks))


def skeleton_of(message: SkeletonMessage) -> Skeleton:
    """Return the skeleton in a message. A joint more than a million pixels away counts as not seen."""
    joints = np.array([(np.nan, np.nan) if joint is None else joint for joint in message.joints], np.float64)
    joints[~(np.abs(joints) <= _LARGEST_PIXEL).all(axis=1)] = np.nan
    scores = np.array(message.scores, np.float32)
    if scores.shape != (len(joints),):
        scores = np.all(np.isfinite(joints), axis=1).astype(np.float32)
    return Skeleton(joints.astype(np.float32), scores, message.person)


def check_joints(recorded: Recorded, skeleton: SkeletonMessage, layout: Layout | None) -> Layout:
    """Return the layout of a skeleton: the given one, or if that is None, the one with as many joints.

    Raises:
        MarEdgeError: the skeleton has another number of joints. The error names the line.
    """
    fits = layout or layout_with(len(skeleton.joints))
    if fits is None or len(skeleton.joints) != fits.num_joints:
        expected = f"{fits.num_joints} ({fits.name})" if fits else "that of a known layout"
        raise recorded.error(f"a skeleton of {len(skeleton.joints)} joints; expected {expected}")
    return fits


def layout_of(recorded: Recorded, hello: HelloMessage, before: Layout | None) -> Layout:
    """Return the layout that a ``hello`` names.

    Raises:
        MarEdgeError: it is unknown, or not the one that came ``before``. The error names the line.
    """
    if hello.layout not in LAYOUT_NAMES:
        raise recorded.error(f"skeletons of an unknown layout, {hello.layout}; there are {', '.join(LAYOUT_NAMES)}")
    if before is not None and hello.layout != before.name:
        raise recorded.error(f"skeletons of another layout, {hello.layout}, not {before.name}")
    return load_layout(hello.layout)


class SkeletonReader:
    """Takes the messages of one run in order and collects its skeletons. ``people``: ids of the people seen."""

    def __init__(self) -> None:
        self.layout: Layout | None = None
        self.people: dict[int, list[int]] = {}
        """Person -> capture time of each skeleton, ns."""
        self._skeletons: dict[int, list[Skeleton]] = {}
        self._zero_ns: int | None = None
        self._on_media_clock: bool | None = None

    def take(self, recorded: Recorded) -> None:
        """Take the next message.

        Raises:
            MarEdgeError: it does not fit the messages before it. The error names the line.
        """
        message = recorded.message
        if isinstance(message, HelloMessage):
            self.layout = layout_of(recorded, message, self.layout)
            self._zero_ns = message.t_zero_ns
        elif isinstance(message, SkeletonMessage) and message.person != NO_PERSON:
            self._take_skeleton(recorded, message)

    def _take_skeleton(self, recorded: Recorded, message: SkeletonMessage) -> None:
        self.layout = check_joints(recorded, message, self.layout)
        # Recordings of old versions have the wall clock only.
        has_media = message.t_media_ns is not None
        if self._on_media_clock not in (None, has_media):
            raise recorded.error("skeletons with and without media time; a recording holds those of one version")
        self._on_media_clock = has_media
        t_ns = message.t_capture_ns if message.t_media_ns is None else message.t_media_ns
        times_ns = self.people.setdefault(message.person, [])
        if times_ns and t_ns <= times_ns[-1]:
            raise recorded.error(f"captured no later than the line before it of person {message.person}")
        times_ns.append(t_ns)
        self._skeletons.setdefault(message.person, []).append(skeleton_of(message))

    def origin_ns(self, media_zero_ns: int) -> int:
        """Return where the tracks' seconds count from, on the steady clock, in ns since 1970.

        Args:
            media_zero_ns: media time 0 on that clock.
        """
        if not self.people:
            return media_zero_ns
        return self._first_ns() + (media_zero_ns if self._on_media_clock else 0)

    def _first_ns(self) -> int:
        """Return where seconds count from, on the clock of the skeletons."""
        if self._zero_ns is None:
            return min(times_ns[0] for times_ns in self.people.values())
        return 0 if self._on_media_clock else self._zero_ns

    def tracks(self) -> tuple[SkeletonTrack, ...]:
        """Return a track for each person, in the order in which they were first seen."""
        zero_ns = self._first_ns() if self.people else 0
        return tuple(
            SkeletonTrack(
                joints=np.stack([skeleton.joints for skeleton in self._skeletons[person]]),
                # Subtracted as integers: a float has no room for a wall clock's nanoseconds.
                times_s=np.array([t_ns - zero_ns for t_ns in times_ns], np.float64) / _NS,
                scores=np.stack([skeleton.scores for skeleton in self._skeletons[person]]),
                person=person,
            )
            for person, times_ns in self.people.items()
        )
