"""How each region of the body moves in one window: places, speeds, and which frames are motion.

Knows nothing of labels' scores, or of windows before and after.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.body_groups import body_group
from mar_edge.edge.data import Window
from mar_edge.edge.layout import Layout
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.trigger import body_size, coherent_motion

_RULES = EventRules()


def region_joints(body: str, layout: Layout) -> tuple[int, ...]:
    """Return the joints of the region that a label's body group moves; all joints if the layout has none there."""
    joints = [v for region in body_group(body).moves for v in layout.regions.get(region, ())]
    return tuple(joints) or tuple(range(layout.num_joints))


class Motions:
    """What each region does in one window, computed once for all labels that look at it.

    Args:
        rules: limits of motion and rest.
    """

    def __init__(self, window: Window, rules: EventRules = _RULES) -> None:
        self.window, self.rules = window, rules
        self._of: dict[tuple[int, ...], Motion | None] = {}

    def of(self, joints: tuple[int, ...]) -> Motion | None:
        """Return how ``joints`` move; None where too few frames show them."""
        if joints not in self._of:
            self._of[joints] = Motion.of(self.window, joints, self.rules)
        return self._of[joints]


@dataclass(frozen=True)
class Motion:
    """What a region does in a window.

    times_s: (T,). places: (T, V of the region, 2) px, smoothed, gaps filled; NaN where a joint was never seen.
    speed: (T,) px/s, turning points bridged. sharp: the same, not bridged. fast: least speed of motion; infinite where
    all of the window is alike.
    """

    rules: EventRules
    times_s: NDArray[np.float64]
    places: NDArray[np.float64]
    speed: NDArray[np.float64]
    sharp: NDArray[np.float64]
    fast: float

    @classmethod
    def of(cls, window: Window, joints: tuple[int, ...], rules: EventRules) -> Motion | None:
        """Measure it; None where there are too few frames, or none of the joints is seen in three of them."""
        T = len(window.times_s)
        paths = window.clip[:, joints].astype(np.float64)  # (T, J, 2)
        known = np.isfinite(paths).all(axis=-1).sum(axis=0) >= 3
        if T < 3 or not known.any():
            return None
        step_s = float(np.median(np.diff(window.times_s)))
        smooth = _box(_filled(paths[:, known]).reshape(T, -1), _frames(rules.place_smoothing_s, step_s))
        places = np.full_like(paths, np.nan)
        places[:, known] = smooth.reshape(T, -1, 2)
        sharp = _speed(smooth, window.times_s)
        speed = np.sqrt(np.maximum(_box(sharp[:, None] ** 2, _frames(rules.speed_smoothing_s, step_s))[:, 0], 0.0))
        return cls(rules, window.times_s, places, speed, sharp, _fast(speed, rules))

    def moving(self, fast: float) -> NDArray[np.bool_]:
        """Return (T,) whether it moves, given the least speed of motion."""
        mask = np.zeros(len(self.speed), bool)
        for start, stop in zip(*_runs(self.speed >= fast), strict=True):
            # Bridging extends a movement of 0.1 s to 0.4 s.
            sharp = self.sharp[start:stop]
            inside = np.flatnonzero(sharp >= self.rules.edge_share * sharp.max())
            mask[start + inside[0] : start + inside[-1] + 1] = True
        return mask

    def newest_start(self) -> int | None:
        """Return the frame where the newest movement began; None where nothing moves."""
        starts, stops = _runs(self.moving(self.fast))
        if not len(starts):
            return None
        lasts = stops - 1
        first = int(starts[-1])
        for start, last in zip(starts[-2::-1], lasts[-2::-1], strict=True):
            away = self.distance(self.places[max(start - 1, 0)])
            comes_back = away[lasts[-1]] < self.rules.return_share * away[start : lasts[-1] + 1].max()
            if self.times_s[first] - self.times_s[last] > self.rules.join_s or not comes_back:
                break
            first = int(start)
        return first

    def distance(self, rest: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Return (T,) px, RMS over the joints, from their places in ``rest`` (V of the region, 2); 0 where unknown."""
        if rest is None:
            return np.zeros(len(self.times_s))
        squares = ((self.places - rest) ** 2).sum(axis=-1)
        known = np.isfinite(squares).all(axis=0)
        return np.sqrt(squares[:, known].mean(axis=1)) if known.any() else np.zeros(len(self.times_s))

    def along(self, rest: NDArray[np.float64] | None, start_s: float) -> NDArray[np.float64]:
        """Return (T,) px from ``rest`` (V of the region, 2), along the way to the farthest place after ``start_s``."""
        nowhere = np.zeros(len(self.times_s))
        after = self.times_s >= start_s
        if rest is None or not after.any():
            return nowhere
        moved = self.places - rest
        moved = moved[:, np.isfinite(moved).all(axis=(0, 2))].reshape(len(nowhere), -1)
        farthest = moved[np.where(after, (moved**2).sum(axis=1), -1.0).argmax()]
        length = np.sqrt((farthest**2).sum())
        if not length > 0:
            return nowhere
        along: NDArray[np.float64] = moved @ farthest / (length * math.sqrt(max(moved.shape[1] / 2, 1)))
        return np.where(after, along, 0.0)


def goes_on(window: Window, joints: tuple[int, ...], rules: EventRules) -> bool:
    """Return whether the region moves throughout: a leg that shakes all the time has no rest to compare with."""
    return coherent_motion(window.clip[:, joints]) > rules.sustained_motion * body_size(window.clip)


def _speed(paths: NDArray[np.float64], times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how fast joints move together at each frame, (T,) px/s, from their smoothed paths (T, J * 2).

    It is the speed along the paths' two strongest joint movements (singular vectors). Jitter of single joints is faster
    than a small nod, but lies mostly in other directions.
    """
    paths = paths - paths.mean(axis=0)
    _, _, movements = np.linalg.svd(paths, full_matrices=False)
    speeds = np.gradient(paths @ movements[:2].T, times_s, axis=0)  # (T, 2)
    speed: NDArray[np.float64] = np.sqrt((speeds**2).sum(axis=1))
    return speed


def _fast(speed: NDArray[np.float64], rules: EventRules) -> float:
    """Return the least speed of motion among those of a window."""
    peak = float(speed.max(initial=0.0))
    quiet = float(np.percentile(speed, rules.quiet_percent))
    return quiet + rules.moving_share * (peak - quiet) if peak > rules.peak_over_quiet * quiet else math.inf


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where runs of True in (T,) start, and where they stop (the frame after the last)."""
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _frames(span_s: float, step_s: float) -> int:
    """Return an odd number of frames that covers about ``span_s``."""
    return 2 * math.floor(span_s / step_s / 2 + 0.5) + 1 if step_s > 0 else 1


def _filled(paths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill the NaN of (T, J, 2) with straight lines between seen places, and with rest before and after them."""
    T, J, _ = paths.shape
    frames = np.arange(T)
    filled = paths.copy()
    for j in range(J):
        seen = np.isfinite(paths[:, j]).all(axis=1)
        for axis in range(2):
            filled[:, j, axis] = np.interp(frames, frames[seen], paths[seen, j, axis])
    return filled


def _box(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the moving mean of (T, C) over ``width`` (odd) frames, edges repeated."""
    if width <= 1:
        return values
    half = width // 2
    padded = np.pad(values, ((half, half), (0, 0)), mode="edge")
    sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), padded]), axis=0)
    mean: NDArray[np.float64] = (sums[width:] - sums[:-width]) / width
    return mean
