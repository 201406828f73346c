"""From when to when a movement goes: the body region that its label speaks of, followed window by window.

A network that looks at two seconds says that something happened, not when; and its label outlives the movement by most
of a window. Knows nothing of probabilities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.data import Window
from edge.layout import Layout
from streaming.trigger import body_size, coherent_motion

# Body groups of labels -> regions of a layout. What is in no row looks at every joint.
REGIONS_OF_BODY: dict[str, tuple[str, ...]] = {
    "body": ("trunk",),
    "head": ("head",),
    "upper limb": ("arms",),
    "lower limb": ("legs",),
    "body-hand": ("arms",),
    "head-hand": ("arms",),
    "leg-hand": ("arms",),
}
# Labels that name one way of a movement: who comes back later does something else (a head that was bowed goes up).
# A hand that stays at a face is doing something there until it leaves.
ONE_WAY = frozenset(
    {
        "sitting straightly",
        "turning around",
        "bowing head",
        "head up",
        "tilting head",
        "turning head",
        "stretching arms",
        "retracting arms",
        "spread legs",
        "closing legs",
        "crossing legs",
        "stretching feet",
        "retracting feet",
    }
)
# A movement lasts while its speed stays above this part of the way from the window's quietest tenth to its peak.
FRACTION = 0.35
# Without a peak this many times the quietest tenth nothing stands out: all rest, or all movement.
PEAK_OVER_QUIET = 2.0
# Who stays away from where a movement began, by this part of the farthest, has not ended it: a hand at the nose.
AWAY = 0.35
# Who is so near again, likewise, is on the way back.
ON_THE_WAY_BACK = 0.9
# What comes back within this time belongs to the movement that went out. ``training.synth.recording`` has its like.
TOGETHER_S = 1.0
# RMS movement per joint in body sizes (``streaming.trigger``): 3.5 px in a figure of 880 px.
GOES_ON = 0.004
# So long at rest where it began, and it is over.
REST_S = 0.35
_QUIET_PERCENT = 10.0
_PLACE_SMOOTHING_S = 0.1
# Bridges the turning points of a nod or shake (speed is zero there twice a period) down to about 1 Hz.
_SPEED_SMOOTHING_S = 0.3


def region_joints(body: str, layout: Layout) -> tuple[int, ...]:
    """Joint indices of the region a label's body group moves; all joints where the layout has none there."""
    joints = [v for region in REGIONS_OF_BODY.get(body, ()) for v in layout.regions.get(region, ())]
    return tuple(joints) or tuple(range(layout.num_joints))


class Extent:
    """When one movement began, and until when it goes as far as the windows so far tell.

    It begins where speed last rose, or, if that was a way back, where the way out before it did. It lasts while the
    region moves or stays away from where it was; one that never comes back, or is one way, ended when it last moved.

    Args:
        window: the first in which its label stands out.
        joints: where to look (``region_joints``).
        fallback_s: its beginning where nothing stands out.
        one_way: who stays where it led for longer than ``TOGETHER_S`` has ended it; what brings them back is another.
    """

    def __init__(self, window: Window, joints: tuple[int, ...], fallback_s: float, one_way: bool = False) -> None:
        self._joints = joints
        self._one_way = one_way
        self._has_arrived = False
        self._rest: NDArray[np.float64] | None = None  # (V of the region, 2) px, where it was before
        self._farthest = 0.0
        # px/s from which on it is motion; until something stands out, all is. Kept, for a window full of motion has no
        # rest to compare with.
        self._fast = 0.0
        self._is_over = False
        motion = _Motion.of(window, joints)
        start = None if motion is None else motion.newest_start()
        self._stands_out = start is not None or _goes_on(window, joints)
        self.start_s = fallback_s if start is None else float(window.times_s[start])
        self._active_until_s = self._moved_until_s = self.start_s
        if motion is not None:
            before = max(int(np.searchsorted(window.times_s, self.start_s)) - 1, 0)
            self._rest = motion.places[before]
            self._follow(motion)

    @property
    def stands_out(self) -> bool:
        """Whether there is a movement at all: one that begins in the window, or goes on throughout."""
        return self._stands_out

    @property
    def end_s(self) -> float:
        """The last frame that belongs to it, of those seen so far."""
        return self._active_until_s if self._is_over else self._moved_until_s

    @property
    def is_over(self) -> bool:
        """Whether it has come to rest where it began: nothing later belongs to it."""
        return self._is_over

    def follow(self, window: Window) -> None:
        """Look at what a later window adds."""
        motion = None if self._is_over or self._has_arrived else _Motion.of(window, self._joints)
        if motion is not None:
            self._follow(motion)

    def _follow(self, motion: _Motion) -> None:
        away = motion.distance(self._rest)
        self._farthest = max(self._farthest, away[motion.times_s >= self.start_s].max(initial=0.0))
        if math.isfinite(motion.fast):
            self._fast = max(self._fast, motion.fast)
        moving = motion.speed >= self._fast
        active = moving | (away > AWAY * self._farthest)
        for i in np.flatnonzero(motion.times_s > self._active_until_s):
            now_s = float(motion.times_s[i])
            if self._one_way and moving[i] and now_s - self._moved_until_s > TOGETHER_S:
                self._has_arrived = True
                return
            if active[i]:
                self._active_until_s = now_s
                if moving[i]:
                    self._moved_until_s = now_s
            elif now_s - self._active_until_s > REST_S:
                self._is_over = True
                return


@dataclass(frozen=True)
class _Motion:
    """What a region does in a window.

    times_s: (T,). places: (T, V of the region, 2) px, smoothed, gaps filled; NaN where a joint was never seen.
    speed: (T,) px/s. fast: the speed from which on it stands out; infinite where none does.
    """

    times_s: NDArray[np.float64]
    places: NDArray[np.float64]
    speed: NDArray[np.float64]
    fast: float

    @classmethod
    def of(cls, window: Window, joints: tuple[int, ...]) -> _Motion | None:
        """None where nothing can be said: too few frames, or none of the joints seen in three of them."""
        T = len(window.times_s)
        paths = window.clip[:, joints].astype(np.float64)  # (T, J, 2)
        known = np.isfinite(paths).all(axis=-1).sum(axis=0) >= 3
        if T < 3 or not known.any():
            return None
        step_s = float(np.median(np.diff(window.times_s)))
        smooth = _box(_filled(paths[:, known]).reshape(T, -1), _frames(_PLACE_SMOOTHING_S, step_s))
        places = np.full_like(paths, np.nan)
        places[:, known] = smooth.reshape(T, -1, 2)
        speed = _speed(smooth, window.times_s, step_s)
        return cls(window.times_s, places, speed, _fast(speed))

    def newest_start(self) -> int | None:
        """The frame where the newest movement began; None where nothing moves."""
        edges = np.diff(np.concatenate([[False], self.speed >= self.fast, [False]]).astype(np.int8))
        starts, lasts = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
        if not len(starts):
            return None
        first = int(starts[-1])
        for start, last in zip(starts[-2::-1], lasts[-2::-1], strict=True):
            away = self.distance(self.places[max(start - 1, 0)])
            comes_back = away[lasts[-1]] < ON_THE_WAY_BACK * away[start : lasts[-1] + 1].max()
            if self.times_s[first] - self.times_s[last] > TOGETHER_S or not comes_back:
                break
            first = int(start)
        return first

    def distance(self, rest: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """(T,) px, RMS over the joints, from where they were in ``rest`` (V of the region, 2); 0 where not known."""
        if rest is None:
            return np.zeros(len(self.times_s))
        squares = ((self.places - rest) ** 2).sum(axis=-1)
        known = np.isfinite(squares).all(axis=0)
        return np.sqrt(squares[:, known].mean(axis=1)) if known.any() else np.zeros(len(self.times_s))


def _goes_on(window: Window, joints: tuple[int, ...]) -> bool:
    """Whether the region moves, though nothing stands out: who shakes a leg has no rest to compare with."""
    return coherent_motion(window.clip[:, joints]) > GOES_ON * body_size(window.clip)


def _speed(paths: NDArray[np.float64], times_s: NDArray[np.float64], step_s: float) -> NDArray[np.float64]:
    """How fast joints move together at each frame, (T,) px/s, from their smoothed paths (T, J * 2).

    The speed along the paths' two strongest joint movements (singular vectors): jitter of single joints, which is
    faster than a small nod, lies mostly beside them.
    """
    paths = paths - paths.mean(axis=0)
    _, _, movements = np.linalg.svd(paths, full_matrices=False)
    speeds = np.gradient(paths @ movements[:2].T, times_s, axis=0)  # (T, 2)
    squares = _box((speeds**2).sum(axis=1, keepdims=True), _frames(_SPEED_SMOOTHING_S, step_s))[:, 0]
    speed: NDArray[np.float64] = np.sqrt(np.maximum(squares, 0.0))
    return speed


def _fast(speed: NDArray[np.float64]) -> float:
    """From where on a speed stands out of those of a window."""
    peak = float(speed.max(initial=0.0))
    quiet = float(np.percentile(speed, _QUIET_PERCENT))
    return quiet + FRACTION * (peak - quiet) if peak > PEAK_OVER_QUIET * quiet else math.inf


def _frames(span_s: float, step_s: float) -> int:
    """An odd number of frames that covers about ``span_s``."""
    return 2 * math.floor(span_s / step_s / 2 + 0.5) + 1 if step_s > 0 else 1


def _filled(paths: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, J, 2) with NaN -> straight lines between seen places; rest before the first and after the last."""
    T, J, _ = paths.shape
    frames = np.arange(T)
    filled = paths.copy()
    for j in range(J):
        seen = np.isfinite(paths[:, j]).all(axis=1)
        for axis in range(2):
            filled[:, j, axis] = np.interp(frames, frames[seen], paths[seen, j, axis])
    return filled


def _box(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """(T, C) -> moving mean over ``width`` (odd) frames, edges repeated."""
    if width <= 1:
        return values
    half = width // 2
    padded = np.pad(values, ((half, half), (0, 0)), mode="edge")
    sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), padded]), axis=0)
    mean: NDArray[np.float64] = (sums[width:] - sums[:-width]) / width
    return mean
