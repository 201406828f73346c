"""When a movement begins and ends: that of the body region that its label is about, followed window by window.

A network that looks at two seconds says that something happened, not when. Its label is also seen for most of a window
after the movement. Knows nothing of probabilities.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.movements import Way
from mar_edge.streaming.recognition.motion import Motion, Motions, goes_on


class Extent:
    """When one movement began and, as far as the windows so far show, ended. Capture clock in seconds.

    It begins where speed last rose; if that was a way back, where the way out before it began. It lasts while the
    region moves or stays away from its start. One without a way back ended when the region last moved; so did one of
    one way.

    Args:
        motions: of the first window in which its label has a high score.
        joints: the region (``motion.region_joints``).
        fallback_s: its beginning if no movement is found.
        way: unless it is "both", a stay longer than ``join_s`` ends it, and the way back is another movement.
    """

    def __init__(self, motions: Motions, joints: tuple[int, ...], fallback_s: float, way: Way = "both") -> None:
        self._joints = joints
        self._way = way
        self._rules = motions.rules
        self._has_arrived = False
        self._rest: NDArray[np.float64] | None = None  # (V of the region, 2) px, where it was before
        self._farthest = 0.0
        self._away, self._moves = 0.0, False  # in the newest frame
        # Least px/s of motion; 0 until a movement is found. It never falls: a window full of motion has no rest to
        # compare with.
        self._fast = 0.0
        self._is_over = False
        window, motion = motions.window, motions.of(joints)
        self._first = motion
        start = None if motion is None else motion.newest_start()
        self._has_moved = start is not None or goes_on(window, joints, motions.rules)
        self.start_s = fallback_s if start is None else float(window.times_s[start])
        self._active_until_s = self._moved_until_s = self.start_s
        if motion is not None:
            before = max(int(np.searchsorted(window.times_s, self.start_s)) - 1, 0)
            self._rest = motion.places[before]
            self._follow(motion)

    def continues(self, before: Extent) -> bool:
        """Return whether it is more of the movement ``before``, of the same label: nothing lies between them.

        It never is where each way has the name: the way back is then an event of its own.
        """
        return self._way != "each" and self.start_s <= before.end_s

    @property
    def has_moved(self) -> bool:
        """Whether there is a movement at all: one that begins in the window, or goes on throughout."""
        return self._has_moved

    @property
    def end_s(self) -> float:
        """The last frame that belongs to it, of those seen so far."""
        return self._active_until_s if self._is_over else self._moved_until_s

    @property
    def is_over(self) -> bool:
        """Whether it has come to rest where it began: nothing later belongs to it."""
        return self._is_over

    @property
    def stays(self) -> bool:
        """Whether it goes on even if its label is lost: the region stays where it went, until it comes back."""
        is_away = self._away >= self._rules.stay_share * self._farthest or self._moves
        return self._way == "both" and not self._is_over and is_away

    @property
    def goes_again(self) -> bool:
        """Whether what moves now is another movement of the label: it is over, or a way back of that name began."""
        return self._is_over or (self._way == "each" and self._has_arrived)

    def begin_after(self, t_s: float) -> None:
        """Count only what moves after ``t_s``, where the movement before ended. For a new extent; if anything moves."""
        motion = self._first
        if motion is None or t_s <= self.start_s:
            return
        rest = motion.places[max(int(np.searchsorted(motion.times_s, t_s)) - 1, 0)]
        reaches = motion.distance(rest)[motion.times_s > t_s].max(initial=0.0)
        if reaches < self._rules.stay_share * self._farthest:
            return
        self.start_s = self._active_until_s = self._moved_until_s = t_s
        self._rest = rest
        self._farthest, self._is_over, self._has_arrived = 0.0, False, False
        self._follow(motion)

    def follow(self, motions: Motions) -> None:
        """Look at what a later window adds."""
        self._first = None
        motion = None if self._is_over or self._has_arrived else motions.of(self._joints)
        if motion is not None:
            self._follow(motion)

    def _follow(self, motion: Motion) -> None:
        away = motion.distance(self._rest)
        self._farthest = max(self._farthest, away[motion.times_s >= self.start_s].max(initial=0.0))
        self._away = float(away[-1])
        if math.isfinite(motion.fast):
            self._fast = max(self._fast, motion.fast)
        moving = motion.moving(self._fast)
        self._moves = bool(moving[-1])
        active = moving | (away > self._rules.away_share * self._farthest)
        passes = self._passes_rest(motion) if self._way == "each" else math.inf
        for i in np.flatnonzero(motion.times_s > self._active_until_s):
            now_s = float(motion.times_s[i])
            if now_s > passes:
                self._active_until_s = self._moved_until_s = max(passes, self.start_s)
                self._is_over = True
                return
            if self._way != "both" and moving[i] and now_s - self._moved_until_s > self._rules.join_s:
                self._has_arrived = True
                return
            if active[i]:
                self._active_until_s = now_s
                if moving[i]:
                    self._moved_until_s = now_s
            elif now_s - self._active_until_s > self._rules.rest_s:
                self._is_over = True
                return

    def _passes_rest(self, motion: Motion) -> float:
        """Return when it passed its start to the other side; infinite if it did not."""
        side = motion.along(self._rest, self.start_s)
        other = np.flatnonzero(side < -self._rules.crossing_share * side.max(initial=0.0))
        other = other[other > side.argmax()]
        if not len(other) or side.max() < self._rules.stay_share * self._farthest:
            return math.inf
        crossing = side.argmax() + np.flatnonzero(side[side.argmax() : other[0]] > 0)[-1]
        return float(motion.times_s[crossing])
