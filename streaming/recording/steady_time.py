"""The steady clock of a recording: times of its messages on the media clock, whatever the wall clock did meanwhile.

Messages carry wall-clock times, and skeletons media time as well. Each skeleton says how far the two clocks are apart
at its frame. A message is converted by the distance at the frame that it speaks of, as its sender had it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

# Two clocks that are read one after the other differ by up to this much without a step.
_JITTER_NS = 100_000


@dataclass
class SteadyTime:
    """Converts wall-clock times of one run of a stream. Takes its skeletons (``see``) in any order of its files.

    ``first_ns`` and ``last_ns``: media time of the first and last skeleton; None where none carries it.
    """

    first_ns: int | None = None
    last_ns: int | None = None
    _stretches: list[tuple[int, int, int]] = field(default_factory=list)
    """(frame, media time, wall clock less media time) where the distance of the clocks changed."""
    _newest: tuple[int, int] = (-1, 0)
    _is_sorted: bool = True

    def see(self, frame: int, t_capture_ns: int, t_media_ns: int | None) -> None:
        """Take note of a skeleton's times."""
        if t_media_ns is None:
            return
        apart_ns = t_capture_ns - t_media_ns
        self.first_ns = t_media_ns if self.first_ns is None else min(self.first_ns, t_media_ns)
        self.last_ns = t_media_ns if self.last_ns is None else max(self.last_ns, t_media_ns)
        changed = not self._stretches or abs(apart_ns - self._stretches[-1][2]) > _JITTER_NS
        if changed or frame < self._newest[0]:
            self._stretches.append((frame, t_media_ns, apart_ns))
            self._is_sorted = False
        self._newest = frame, apart_ns

    def apart_ns(self, frame: int) -> int | None:
        """Return the exact distance of the clocks at ``frame`` if it was the last one seen, else None."""
        return self._newest[1] if frame == self._newest[0] else None

    def wall_zero_ns(self) -> int:
        """Return the wall clock of media time 0, as the first skeleton has it."""
        return min(self._stretches)[2]

    def is_even(self, zero_ns: int) -> bool:
        """Return whether the clocks always were ``zero_ns`` apart, so that there is nothing to convert."""
        return all(abs(apart_ns - zero_ns) <= _JITTER_NS for _, _, apart_ns in self._stretches)

    def media_ns(self, t_ns: int, frame: int, apart_ns: int | None = None) -> int | None:
        """Convert a wall-clock time in a message about ``frame``.

        Args:
            apart_ns: the exact distance of the clocks there, where it is known.

        Returns:
            Media time; None where no skeleton carries it.
        """
        if self.first_ns is None or self.last_ns is None:
            return None
        if not self._is_sorted:
            self._stretches.sort()
            self._is_sorted = True
        index = max(bisect_right(self._stretches, (frame, self.last_ns, 0)) - 1, 0)
        own_ns = t_ns - (self._stretches[index][2] if apart_ns is None else apart_ns)
        if self.first_ns <= own_ns <= self.last_ns:
            return own_ns
        # Outside of the recording: perhaps the time was taken on the other side of a step.
        ends_ns = [*(begin_ns for _, begin_ns, _ in self._stretches[1:]), self.last_ns]
        for (_, begin_ns, other_ns), end_ns in zip(reversed(self._stretches), reversed(ends_ns), strict=True):
            if begin_ns <= t_ns - other_ns <= end_ns:
                return t_ns - other_ns
        return own_ns
