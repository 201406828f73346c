"""Exponential backoff with jitter for reconnecting a camera. Opens nothing, waits for nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class Backoff:
    """The delay before each new attempt; attempts never end.

    Attributes:
        first_s: First delay, seconds.
        most_s: Longest delay, seconds.
        growth: Factor from one delay to the next.
        jitter: Random part of a delay, as a share of it (0 to 1). It spreads the attempts of many cameras.
        steady_s: A connection of at least this length resets the delay. Shorter ones do not, so that a camera that
            sends one picture and fails is not retried without a pause.
        random: Source of the jitter.
    """

    first_s: float = 0.5
    most_s: float = 30.0
    growth: float = 2.0
    jitter: float = 0.2
    steady_s: float = 10.0
    random: random.Random = field(default_factory=random.Random)
    _next_s: float = 0.0

    def after(self, lasted_s: float) -> float:
        """Return the seconds to wait after a connection that gave frames for ``lasted_s`` (0 for none)."""
        base_s = self.first_s if self._next_s == 0.0 or lasted_s >= self.steady_s else self._next_s
        self._next_s = min(base_s * self.growth, self.most_s)
        return base_s * (1.0 + self.jitter * self.random.uniform(-1.0, 1.0))
