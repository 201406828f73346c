"""For how long people are in view: the frames of a video and who is in them -> durations on the media clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from mar_edge.streaming.capture.frames import NS, Frame


@dataclass
class Presence:
    """Sums up frames. A frame lasts until the next one; the last of an unbroken stretch lasts as long as that before.

    duration_ns: of all frames. seen_ns: of those with at least one person. people_ns: of those with each person.
    """

    duration_ns: int = 0
    seen_ns: int = 0
    people_ns: Counter[int] = field(default_factory=Counter)
    _newest: Frame | None = None
    _people: Collection[int] = ()
    _step_ns: int = 0

    def take(self, frame: Frame, people: Collection[int]) -> None:
        """Take a frame and the ids of the people in it."""
        newest = self._newest
        if newest is not None:
            if newest.segment == frame.segment:
                self._step_ns = frame.media_ns - newest.media_ns
            self._add()
        self._newest, self._people = frame, people

    def finish(self, fps: float | None) -> None:
        """Count the last frame. ``fps``: how long it lasts where it is the only one."""
        if self._newest is not None:
            self._step_ns = self._step_ns or (round(NS / fps) if fps else 0)
            self._add()
            self._newest = None

    def _add(self) -> None:
        self.duration_ns += self._step_ns
        if self._people:
            self.seen_ns += self._step_ns
        for person in self._people:
            self.people_ns[person] += self._step_ns
