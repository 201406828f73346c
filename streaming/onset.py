"""When a movement began and ended within a window: motion energy of the body region its label speaks of.

Pure functions of clips and times. A network that looks at two seconds says that something happened, not when.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.data import Window
from edge.layout import Layout

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
# A movement lasts while its energy stays above this part of the way from the window's quietest tenth to its peak.
FRACTION = 0.25
# Without a peak this many times the quietest tenth nothing stands out: all rest (jitter alone makes 2 to 4), or all
# movement.
PEAK_OVER_QUIET = 3.0
_QUIET_PERCENT = 10.0
_POSITION_SMOOTHING_S = 0.1
# Bridges the turning points of a nod or shake (speed is zero there twice a period) down to about 1 Hz.
_ENERGY_SMOOTHING_S = 0.3


def region_joints(body: str, layout: Layout) -> tuple[int, ...]:
    """Joint indices of the region a label's body group moves; all joints where the layout has none there."""
    joints = [v for region in REGIONS_OF_BODY.get(body, ()) for v in layout.regions.get(region, ())]
    return tuple(joints) or tuple(range(layout.num_joints))


def motion_energy(window: Window, joints: tuple[int, ...]) -> NDArray[np.float64]:
    """How fast ``joints`` move together at each frame, (T,) pixels per second; 0 where nothing can be said.

    The speed along the window's two strongest joint movements (singular vectors of the joints' paths): jitter of
    single joints, which is faster than a small nod, lies mostly beside them.
    """
    T = len(window.times_s)
    if T < 3:
        return np.zeros(T)
    step_s = float(np.median(np.diff(window.times_s)))
    paths = window.clip[:, joints].astype(np.float64)  # (T, J, 2)
    seen = np.isfinite(paths).all(axis=-1)
    paths = paths[:, seen.sum(axis=0) >= 3]
    if paths.shape[1] == 0:
        return np.zeros(T)
    paths = _box(_filled(paths).reshape(T, -1), _frames(_POSITION_SMOOTHING_S, step_s))
    paths -= paths.mean(axis=0)
    _, _, movements = np.linalg.svd(paths, full_matrices=False)
    speeds = np.gradient(paths @ movements[:2].T, window.times_s, axis=0)  # (T, 2)
    energy = _box((speeds**2).sum(axis=1, keepdims=True), _frames(_ENERGY_SMOOTHING_S, step_s))[:, 0]
    speed: NDArray[np.float64] = np.sqrt(np.maximum(energy, 0.0))
    return speed


def onset_s(window: Window, joints: tuple[int, ...], fallback_s: float) -> float:
    """When the window's newest movement began: the last rise to ``FRACTION`` of the peak.

    Args:
        window: the one that made the label begin.
        joints: where to look (``region_joints``).
        fallback_s: the answer where nothing stands out.
    """
    above = _above(motion_energy(window, joints))
    if above is None:
        return fallback_s
    newest = int(np.flatnonzero(above)[-1])
    still = np.flatnonzero(~above[:newest])
    return float(window.times_s[still[-1] + 1 if len(still) else 0])


def offset_s(window: Window, joints: tuple[int, ...], start_s: float, fallback_s: float) -> float:
    """When the movement that began at ``start_s`` ended: the first fall below ``FRACTION`` of the peak after it.

    The first, because a label outlives its movement by most of a window: by the time it fades, the next movement may
    be in sight.

    Args:
        window: the one in which the label faded.
        joints: where to look (``region_joints``).
        start_s: when it began; may lie before the window.
        fallback_s: the answer where nothing stands out.

    Returns:
        The last moving frame: the window's first where the movement had ended before, its newest where it goes on.
    """
    above = _above(motion_energy(window, joints))
    if above is None:
        return fallback_s
    T = len(above)
    start = min(int(np.searchsorted(window.times_s, start_s)), T - 1)
    if start > 0 and not above[start:].any():
        return float(window.times_s[start])
    if start > 0:  # its onset is where the energy rose: at most a frame or two later in this window's terms
        start += int(np.argmax(above[start:]))
    still = np.flatnonzero(~above[start:])
    last = start + int(still[0]) - 1 if len(still) else T - 1
    return float(window.times_s[max(last, 0)])


def _above(energy: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """(T,) where the energy counts as movement; None where it has no peak to speak of."""
    peak = float(energy.max(initial=0.0))
    quiet = float(np.percentile(energy, _QUIET_PERCENT))
    if peak <= 0.0 or peak < PEAK_OVER_QUIET * quiet:
        return None
    above: NDArray[np.bool_] = energy >= quiet + FRACTION * (peak - quiet)
    return above


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
