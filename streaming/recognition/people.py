"""Everybody's windows: skeletons of each frame in, the windows that are due out. Knows no networks and no events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mar_edge.edge.data import Skeleton, Window
from mar_edge.edge.families.base import WarmUp
from mar_edge.streaming.recognition.window import SkeletonWindow


@dataclass(frozen=True)
class PastEnd:
    """A person's past that nothing continues: they left, or a gap came. last_s: when they were last seen."""

    person: int
    last_s: float


@dataclass
class _Person:
    window: SkeletonWindow
    asked_s: float = -1.0


class PeopleWindows:
    """One window for each person in a stream. ``resets`` counts the windows that a gap emptied.

    Args:
        window_s: seconds a full window spans.
        warm_up: what a window needs, at least.
    """

    def __init__(self, window_s: float, warm_up: WarmUp) -> None:
        self.resets = 0
        self._window_s, self._warm_up = window_s, warm_up
        self._people: dict[int, _Person] = {}

    def __len__(self) -> int:
        """Return how many people have one."""
        return len(self._people)

    def push(self, t_s: float, skeletons: Sequence[Skeleton]) -> list[PastEnd]:
        """Take the people of one frame, and return whose past has ended."""
        ended = []
        seen = {skeleton.person: skeleton for skeleton in skeletons}
        for person in seen.keys() - self._people.keys():
            self._people[person] = _Person(SkeletonWindow(self._window_s, self._warm_up, person))
        for person, state in list(self._people.items()):
            last_s = state.window.newest_s
            if state.window.push(t_s, seen.get(person)):
                self.resets += 1
                ended.append(PastEnd(person, t_s if last_s is None else last_s))
            if not len(state.window):
                del self._people[person]
        return ended

    def due(self, t_s: float | None) -> list[Window]:
        """Return each window that holds something new, and reaches up to ``t_s`` if that is given."""
        windows = []
        for state in self._people.values():
            window = state.window.window()
            if window is None:
                continue
            newest_s = float(window.times_s[-1])
            if newest_s > state.asked_s and t_s in (None, newest_s):
                state.asked_s = newest_s
                windows.append(window)
        return windows

    def ends(self) -> list[PastEnd]:
        """Return everybody's past, as if it ended now."""
        newest = ((person, state.window.newest_s) for person, state in self._people.items())
        return [PastEnd(person, newest_s) for person, newest_s in newest if newest_s is not None]

    def clear(self) -> None:
        """Forget everybody; their windows count as resets."""
        self.resets += len(self._people)
        self._people.clear()
