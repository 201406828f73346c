"""The one-euro filter (Casiez, Roussel and Vogel, CHI 2012) over skeletons: less jitter at rest, little lag in motion.

It is off by default. A micro-action is so small and slow that the filter treats it as jitter; docs/pose.md shows the
effect on a nod of 4 px.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MIN_CUTOFF_HZ = 3.0
SPEED_HZ = 60.0
_SPEED_CUTOFF_HZ = 1.0


class OneEuro:
    """Smooths the joints of one person.

    Args:
        min_cutoff_hz: frequency above which movement is damped at rest.
        speed_hz: increase of that frequency for a joint that moves one body size a second.
    """

    def __init__(self, min_cutoff_hz: float = MIN_CUTOFF_HZ, speed_hz: float = SPEED_HZ) -> None:
        self._min_cutoff_hz = min_cutoff_hz
        self._speed_hz = speed_hz
        self._joints: NDArray[np.float32] | None = None
        self._speed = np.zeros(0, np.float32)
        self._t_s = 0.0

    def smooth(self, joints: NDArray[np.float32], t_s: float, size_px: float) -> NDArray[np.float32]:
        """Smooth joints (V, 2) px, NaN where not seen. A joint that comes back starts over.

        Args:
            t_s: time in seconds, later than the last.
            size_px: size of the person, the scale of speeds.
        """
        past_s = t_s - self._t_s
        if self._joints is None or past_s <= 0:
            self._joints, self._t_s = joints, t_s
            self._speed = np.zeros_like(joints)
            return joints
        moved = (joints - self._joints) / (past_s * max(size_px, 1.0))
        speed = self._speed + _weight(past_s, _SPEED_CUTOFF_HZ) * (moved - self._speed)
        pace = np.linalg.norm(speed, axis=-1, keepdims=True)  # (V, 1) body sizes/s
        weight = _weight(past_s, self._min_cutoff_hz + self._speed_hz * pace)
        smoothed = self._joints + weight * (joints - self._joints)
        restarted = ~np.isfinite(smoothed)
        self._speed = np.where(restarted, 0.0, speed).astype(np.float32)
        self._joints, self._t_s = np.where(restarted, joints, smoothed).astype(np.float32), t_s
        return self._joints


class PeopleFilters:
    """A filter for each person in the picture. A person who leaves it starts over."""

    def __init__(self) -> None:
        self._filters: dict[int, OneEuro] = {}

    def smooth(
        self, people: Sequence[int], joints: NDArray[np.float32], t_s: float, sizes_px: Sequence[float]
    ) -> NDArray[np.float32]:
        """Smooth joints (P, V, 2) px of all people in the picture at ``t_s``, with their ids and sizes."""
        self._filters = {person: self._filters.get(person) or OneEuro() for person in people}
        each = zip(self._filters.values(), joints, sizes_px, strict=True)
        return np.stack([filter_.smooth(own, t_s, size_px) for filter_, own, size_px in each])


def _weight(past_s: float, cutoff_hz: float | NDArray[np.float32]) -> float | NDArray[np.float32]:
    """Return the weight of the new value in a first-order low-pass filter."""
    turned = 2 * math.pi * cutoff_hz * past_s
    return turned / (turned + 1)
