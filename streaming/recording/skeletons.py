"""Skeleton recordings: what ``mar-edge record`` writes, or ``subscribe --kind skeleton --json`` prints, read again.

Each line is a message of the wire (``streaming.wire.messages``); this reads the few fields that a recording needs. A
``hello`` among the lines (``--kind hello --kind skeleton``) makes times count from media time 0; without one, they
count from the first skeleton. Times are media time, which no step of the wall clock touches.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import LAYOUT_NAMES, Layout, layout_with, load_layout
from mar_edge.streaming.recording.lines import recorded_lines

_SCHEMA = 1
_Pixels = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
_Joint = tuple[_Pixels, _Pixels] | None


class _Head(msgspec.Struct):
    schema: int
    kind: str
    run: str


class _Hello(msgspec.Struct):
    layout: str
    t_zero_ns: int


class _Skeleton(msgspec.Struct):
    t_capture_ns: int
    person: int
    joints: tuple[_Joint, ...]
    t_media_ns: int | None = None


_NO_PERSON = -1


@dataclass(frozen=True)
class Recording:
    """One stream, whole. ``tracks``: everything seen of each person; times in seconds from media time 0."""

    name: str
    layout: Layout
    tracks: tuple[Window, ...]

    def cut(self, start_s: float, end_s: float, person: int | None = None) -> Window | None:
        """The frames of one person from ``start_s`` to ``end_s``, both included; None if there are none.

        Of ``person``, or of who is seen in most of those frames.
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


def read_recording(path: Path) -> Recording:
    """The skeletons of a recording, by person; of the layout that ``hello`` names, else that their joints fit.

    A last line that breaks off is left out, and so are NULs at the end: how a recording ends whose subscriber was
    stopped, or whose machine lost its power.

    Raises:
        MarEdgeError: the file cannot be read, a line is no message, or of another layout, run or time than the lines
            before it (the message names the line), or there is no skeleton.
    """
    reader = _Reader()
    for line in recorded_lines(path):
        try:
            reader.take(line.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # noqa: PERF203 - names the line
            if line.whole:
                raise MarEdgeError(f"{path}, line {line.number}: not a message of mar-edge ({error})") from None
        except _Unfitting as error:
            raise MarEdgeError(f"{path}, line {line.number}: {error}") from None
    if reader.layout is None or not reader.times_ns:
        raise MarEdgeError(f"{path} holds no skeleton; record with 'mar-edge serve --record FOLDER'")
    return Recording(path.stem, reader.layout, reader.tracks())


class _Unfitting(Exception):
    """A message that does not go with those before it."""


class _Reader:
    """Takes the lines of a recording in order."""

    def __init__(self) -> None:
        self.layout: Layout | None = None
        self.times_ns: dict[int, list[int]] = {}
        self._joints: dict[int, list[tuple[_Joint, ...]]] = {}
        self._run: str | None = None
        self._zero_ns: int | None = None
        self._on_media_clock: bool | None = None

    def take(self, line: bytes) -> None:
        head = msgspec.json.decode(line, type=_Head)
        if head.schema != _SCHEMA:
            raise _Unfitting(f"a message of schema {head.schema}, this version reads {_SCHEMA}")
        if self._run not in (None, head.run):
            raise _Unfitting("another run of the sender begins; a recording holds one")
        self._run = head.run
        if head.kind == "hello":
            self._take_hello(msgspec.json.decode(line, type=_Hello))
        elif head.kind == "skeleton":
            self._take_skeleton(msgspec.json.decode(line, type=_Skeleton))

    def _take_hello(self, hello: _Hello) -> None:
        if hello.layout not in LAYOUT_NAMES or self.layout not in (None, load_layout(hello.layout)):
            raise _Unfitting(f"skeletons of another layout, {hello.layout}; there are {', '.join(LAYOUT_NAMES)}")
        self.layout = load_layout(hello.layout)
        self._zero_ns = hello.t_zero_ns

    def _take_skeleton(self, skeleton: _Skeleton) -> None:
        if skeleton.person == _NO_PERSON and not skeleton.joints:
            return  # a frame in which nobody was seen
        self.layout = self.layout or layout_with(len(skeleton.joints))
        if self.layout is None or len(skeleton.joints) != self.layout.num_joints:
            raise _Unfitting(
                f"a skeleton of {len(skeleton.joints)} joints; expected "
                + (f"{self.layout.num_joints} ({self.layout.name})" if self.layout else "that of a known layout")
            )
        # Recordings of old versions have the wall clock only.
        has_media = skeleton.t_media_ns is not None
        if self._on_media_clock not in (None, has_media):
            raise _Unfitting("skeletons with and without media time; a recording holds those of one version")
        self._on_media_clock = has_media
        t_ns = skeleton.t_capture_ns if skeleton.t_media_ns is None else skeleton.t_media_ns
        times_ns = self.times_ns.setdefault(skeleton.person, [])
        if times_ns and t_ns <= times_ns[-1]:
            raise _Unfitting(f"captured no later than the line before it of person {skeleton.person}")
        times_ns.append(t_ns)
        self._joints.setdefault(skeleton.person, []).append(skeleton.joints)

    def tracks(self) -> tuple[Window, ...]:
        if self._zero_ns is None:
            zero_ns = min(track[0] for track in self.times_ns.values())
        else:
            zero_ns = 0 if self._on_media_clock else self._zero_ns
        tracks = []
        for person, track_ns in self.times_ns.items():
            seen = [[(np.nan, np.nan) if joint is None else joint for joint in frame] for frame in self._joints[person]]
            # Subtracted as integers: a float has no room for a wall clock's nanoseconds.
            times_s = np.array([time_ns - zero_ns for time_ns in track_ns], np.float64) / 1e9
            tracks.append(Window(np.array(seen, np.float32), times_s, person))
        return tuple(tracks)
