"""When to infer: every stride of capture time, and only where something moves. Runs no network, knows no clock."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Window
from mar_edge.edge.layout import Layout

# Time stamps are often whole milliseconds: a frame this little early still counts as on time.
_EARLY_S = 1.5e-3
# RMS movement per joint in body sizes: 0.7 px for a person 880 px tall. One nod of 4 px in two seconds measures 1.1 px,
# a still head with 1 px of white jitter 0.3 px.
DEFAULT_THRESHOLD = 0.0008
# Multiples of the threshold: pose models are least certain of limbs, and limbs move further. On a still picture,
# MediaPipe's head moves 0.1 to 0.9 px in the same unit, its trunk up to 0.5 and its feet up to 1.3. Its hands move up
# to 8 px, where they are found in some frames only. With a noisy sensor the gate mostly stays open, as it should.
_TOLERANCE = {"arms": 1.5, "legs": 2.5}


class Stride:
    """Due once per ``stride_s`` of capture time, on a fixed grid from the first frame, so that it does not drift."""

    def __init__(self, stride_s: float) -> None:
        self.stride_s = stride_s
        self._zero_s: float | None = None
        self._last_tick = -1

    def due(self, t_s: float) -> bool:
        """Return whether a new stride has begun by ``t_s``. Several missed strides are one inference."""
        if self._zero_s is None or t_s < self._zero_s:
            self._zero_s, self._last_tick = t_s, -1
        tick = math.floor((t_s - self._zero_s + _EARLY_S) / self.stride_s)
        due = tick != self._last_tick
        self._last_tick = tick
        return due


class MotionGate:
    """Whether anything moves in a window. It stays open in doubt: it is for empty chairs, posters and pauses.

    Args:
        layout: whose regions are looked at one by one, so that a small movement of the head is not drowned by feet.
        threshold: ``coherent_motion`` of a region above which it opens, in body sizes.
    """

    def __init__(self, layout: Layout, threshold: float = DEFAULT_THRESHOLD) -> None:
        self._regions = [
            (np.array(joints), threshold * _TOLERANCE.get(region, 1.0))
            for region, joints in layout.regions.items()
            if joints
        ]

    def moves(self, window: Window) -> bool:
        """Return whether the window is worth an inference."""
        size = body_size(window.clip)
        if size <= 0.0:
            return False
        return any(coherent_motion(window.clip[:, joints]) > limit * size for joints, limit in self._regions)


def body_size(clip: NDArray[np.float32]) -> float:
    """Return the longer side of the box around all joints' median places in (T, V, 2), in px; 0 if none was seen."""
    seen = np.isfinite(clip).all(axis=-1).any(axis=0)
    if not seen.any():
        return 0.0
    places = np.nanmedian(clip[:, seen], axis=0)
    return float(np.ptp(places, axis=0).max())


def coherent_motion(clip: NDArray[np.float32]) -> float:
    """Return how much joints move together: RMS over time and joints of their strongest joint movement.

    It is the largest singular value of the joints' paths about their means, over sqrt(T V). A head or a hand that moves
    as a whole gathers in one singular value. Jitter spreads over all of them: white noise of s pixels leaves about
    s (1 + sqrt(2 V / T)) / sqrt(V). A median over three frames comes first, against spikes of one frame.

    Args:
        clip: (T, V, 2) pixels, NaN where a joint was not seen: it rests in its median place meanwhile.

    Returns:
        Pixels; 0 for fewer than three frames, or where no joint was seen in three of them.
    """
    T = len(clip)
    clip = clip[:, np.isfinite(clip).all(axis=-1).sum(axis=0) >= 3]
    V = clip.shape[1]
    if T < 3 or V == 0:
        return 0.0
    clip = np.where(np.isfinite(clip), clip, np.nanmedian(clip, axis=0))
    paths = clip.reshape(T, V * 2).astype(np.float64)
    paths = np.median(np.stack([paths[:-2], paths[1:-1], paths[2:]]), axis=0)  # (T - 2, V * 2)
    paths -= paths.mean(axis=0)
    return float(np.linalg.norm(paths, ord=2)) / math.sqrt(len(paths) * V)
