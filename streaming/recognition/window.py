"""The last seconds of one person, by time and not by frame count. Knows nothing of cameras or networks."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton, Window

# The network is trained on windows of this length and longer.
MIN_SPAN_S = 0.7
MIN_FRAMES = 5
MAX_GAP_S = 0.5
# A bound on memory, not a setting: two seconds at 2000 frames a second.
MAX_FRAMES = 4096


class SkeletonWindow:
    """Collects one person's skeletons and gives the newest ``window_s`` seconds of them.

    A pause longer than ``max_gap_s``, or time running backwards, empties it: what lies on two sides of a gap is not
    one movement. ``resets`` counts how often that happened.

    Args:
        window_s: seconds a full window spans.
        min_span_s, min_frames: what it takes at least before there is a window.
        max_gap_s: the longest pause that is bridged.
        person: id the windows carry.
    """

    def __init__(
        self,
        window_s: float,
        min_span_s: float = MIN_SPAN_S,
        min_frames: int = MIN_FRAMES,
        max_gap_s: float = MAX_GAP_S,
        person: int = 0,
    ) -> None:
        self.window_s = window_s
        self.min_span_s = min(min_span_s, window_s)
        self.min_frames = min_frames
        self.max_gap_s = max_gap_s
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
        reset = reset or (newest is not None and t_s - newest > self.max_gap_s)
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
        """The newest ``window_s`` seconds; what there is of them while it fills; None before ``min_span_s``.

        Its first frame is the one nearest to the newest minus ``window_s``, so that every frame rate gives the same
        span to half a frame.
        """
        if len(self._times) < self.min_frames or self._times[-1] - self._times[0] < self.min_span_s - 1e-3:
            return None
        return Window(np.stack(self._joints), np.array(self._times, np.float64), self.person)

    def _forget(self, start_s: float) -> None:
        """Drop what lies before the frame nearest to ``start_s``."""
        while len(self._times) > 1 and abs(self._times[1] - start_s) <= abs(self._times[0] - start_s):
            self._times.popleft()
            self._joints.popleft()
