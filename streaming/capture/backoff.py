"""When to try a lost camera again: growing pauses with jitter. Opens nothing, waits for nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class Backoff:
    """The pause before each new try, for ever.

    Each is ``growth`` times the one before, up to ``most_s``, give or take ``jitter`` of itself, so that a hundred
    cameras behind one switch do not come back in one moment.

    first_s, most_s: seconds. jitter: share of the pause, from 0 to 1. steady_s: a connection that lasted so long was a
    good one, and the next pause is the first again; shorter ones count on, or a camera that sends one picture and dies
    would be asked without end.
    """

    first_s: float = 0.5
    most_s: float = 30.0
    growth: float = 2.0
    jitter: float = 0.2
    steady_s: float = 10.0
    random: random.Random = field(default_factory=random.Random)
    _next_s: float = 0.0

    def after(self, lasted_s: float) -> float:
        """Seconds to wait, after a connection that gave frames for ``lasted_s`` (0 for none)."""
        base_s = self.first_s if self._next_s == 0.0 or lasted_s >= self.steady_s else self._next_s
        self._next_s = min(base_s * self.growth, self.most_s)
        return base_s * (1.0 + self.jitter * self.random.uniform(-1.0, 1.0))
