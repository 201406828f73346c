"""The last seconds of one person, by time and not by frame count. Knows nothing of cameras or networks."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton, Window
from mar_edge.edge.families.base import WarmUp

# A bound on memory, not a setting: two seconds at 2000 frames a second.
MAX_FRAMES = 4096


class SkeletonWindow:
    """Collects one person's skeletons and gives the newest ``window_s`` seconds of them.

    A pause longer than the family's ``max_gap_s``, or time running backwards, empties it. ``resets`` counts how often
    that happened.

    Args:
        window_s: seconds a full window spans.
        warm_up: what a window needs, at least.
        person: id the windows carry.
    """

    def __init__(self, window_s: float, warm_up: WarmUp, person: int = 0) -> None:
        self.window_s = window_s
        self.warm_up = warm_up
        self.person = person
        self.resets = 0
        self._times: deque[float] = deque(maxlen=MAX_FRAMES)
        self._joints: deque[NDArray[np.float32]] = deque(maxlen=MAX_FRAMES)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def newest_s(self) -> float | None:
        """Time of the last skeleton; None while empty."""
        return self._times[-1] if self._times else None

    def push(self, t_s: float, skeleton: Skeleton | None) -> bool:
        """Take one frame's skeleton, or None where the person was not seen.

        Args:
            t_s: capture clock in seconds.
            skeleton: its joints may hold NaN; with no joint at all it counts as not seen.

        Returns:
            True where a gap emptied the window first.
        """
        seen = skeleton is not None and bool(np.isfinite(skeleton.joints).any())
        newest = self.newest_s
        reset = newest is not None and (t_s <= newest if seen else t_s < newest)
        reset = reset or (newest is not None and t_s - newest > self.warm_up.max_gap_s)
        if reset:
            self.resets += 1
            self._times.clear()
            self._joints.clear()
        if seen and skeleton is not None:
            self._times.append(t_s)
            self._joints.append(skeleton.joints)
            self._forget(t_s - self.window_s)
        return reset

    def window(self) -> Window | None:
        """Return the newest ``window_s`` seconds, or what there is of them; None while it warms up.

        Its first frame is the one nearest to the newest minus ``window_s``, so that every frame rate gives the same
        span to half a frame.
        """
        min_span_s = min(self.warm_up.min_span_s, self.window_s)
        if len(self._times) < self.warm_up.min_frames or self._times[-1] - self._times[0] < min_span_s - 1e-3:
            return None
        return Window(np.stack(self._joints), np.array(self._times, np.float64), self.person)

    def _forget(self, start_s: float) -> None:
        """Drop what comes before the frame nearest to ``start_s``."""
        while len(self._times) > 1 and abs(self._times[1] - start_s) <= abs(self._times[0] - start_s):
            self._times.popleft()
            self._joints.popleft()
