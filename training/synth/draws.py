"""Random draws for many clips at once, in float32. Wraps a numpy generator; independent of people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]
Range = tuple[float, float]
# One low and one high for all, or arrays with one value each.
Bounds = tuple[float | Floats, float | Floats]


class Draws:
    """A sequence of random arrays, deterministic in the seed and the order of calls."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def uniform(self, bounds: Bounds, *shape: int) -> Floats:
        """Draw ``shape`` values, uniform between the bounds."""
        low, high = np.asarray(bounds[0], np.float32), np.asarray(bounds[1], np.float32)
        values: Floats = low + (high - low) * self._rng.random(shape, dtype=np.float32)
        return values

    def log_uniform(self, bounds: Bounds, *shape: int) -> Floats:
        """Draw ``shape`` values whose logarithm is uniform between those of the positive bounds."""
        return np.exp(self.uniform((np.log(bounds[0]), np.log(bounds[1])), *shape))

    def between(self, low: Floats, high: Floats) -> Floats:
        """Draw one value, uniform between each pair of bounds."""
        return low + (high - low) * self._rng.random(low.shape, dtype=np.float32)

    def normal(self, *shape: int) -> Floats:
        """Draw ``shape`` values of the standard normal distribution."""
        return self._rng.standard_normal(shape, dtype=np.float32)

    def chance(self, probability: float | Floats, *shape: int) -> Bools:
        """Draw ``shape`` booleans, each true with that probability."""
        return self._rng.random(shape, dtype=np.float32) < probability

    def sign(self, *shape: int) -> Floats:
        """Draw ``shape`` values of -1 or 1."""
        return np.where(self.chance(0.5, *shape), np.float32(1), np.float32(-1))

    def choice(self, weights: Sequence[float], *shape: int) -> Ints:
        """Draw ``shape`` indices into ``weights``, with probability proportional to the weights."""
        limits = np.cumsum(np.asarray(weights, np.float64))
        picked = np.searchsorted(limits / limits[-1], self._rng.random(shape), side="right")
        return np.minimum(picked, len(weights) - 1)


def wander(draws: Draws, tracks: int, t: Floats, hz: Bounds, *, waves: int = 5) -> Floats:
    """Return smooth random motion: a sum of sine waves with amplitude ~ 1/frequency, like a random walk.

    Args:
        t: (N, T) seconds.

    Returns:
        (tracks, N, T), each of about unit standard deviation in the long term.
    """
    N = len(t)
    rate = draws.log_uniform(hz, N, waves, 1)
    angle = np.float32(2 * np.pi) * rate * t[:, None, :]
    basis = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)  # (N, 2 waves, T)
    scale = 1 / rate[..., 0]
    scale /= np.sqrt((scale**2).sum(axis=1, keepdims=True))
    weights = draws.normal(N, tracks, 2 * waves) * np.tile(scale, (1, 2))[:, None, :]
    return np.ascontiguousarray((weights @ basis).transpose(1, 0, 2))
