"""How a movement runs over time: a step (out, hold, perhaps back) or a swing (to and fro).

A course is a table row of ranges; ``draw`` picks one curve per clip and places it so that enough of it falls inside
the clip. Curves are functions of time without unit; knows nothing of joints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from training.synth.draws import Bools, Draws, Floats, Range


class Curve(Protocol):
    """N curves: t (N, T) seconds -> (N, T), of size 1 where fully out. ``full`` (N,) is their peak-to-peak size."""

    @property
    def full(self) -> Floats:
        """(N,) peak to peak of the whole curve, inside the clip or not."""

    def __call__(self, t: Floats) -> Floats:
        """The curve at those times."""


class Course(Protocol):
    """Ranges from which curves are drawn."""

    def draw(self, draws: Draws, duration_s: Floats) -> Curve:
        """One curve for each of the clips of ``duration_s`` (N,) seconds."""


def smooth_step(u: Floats) -> Floats:
    """0 up to u = 0, 1 from u = 1, with a soft start and end (3u^2 - 2u^3) between."""
    u = np.clip(u, np.float32(0), np.float32(1))
    return u * u * (3 - 2 * u)


@dataclass(frozen=True)
class Step:
    """Out within ``move_s``, there for ``hold_s``, and with probability ``returns`` back again."""

    move_s: Range
    hold_s: Range = (0.1, 2.5)
    returns: float = 0.45

    def draw(self, draws: Draws, duration_s: Floats) -> StepCurve:
        """See ``Course``. At least half of the way out is inside; three quarters where the way back may be, too."""
        N = len(duration_s)
        move = np.minimum(draws.log_uniform(self.move_s, N), np.float32(1.3) * duration_s)
        returns = draws.chance(self.returns, N)
        outside = np.where(returns, np.float32(0.25), np.float32(0.5))
        onset = draws.between(-outside * move, duration_s - np.float32(0.5) * move)
        hold = draws.log_uniform(self.hold_s, N)
        back = move * draws.log_uniform((0.6, 1.8), N)
        return StepCurve(onset, move, hold, back, returns)


@dataclass(frozen=True)
class StepCurve:
    """Steps of N clips; every field is (N,), in seconds but for ``returns``."""

    onset: Floats
    move: Floats
    hold: Floats
    back: Floats
    returns: Bools

    @property
    def full(self) -> Floats:
        """See ``Curve``."""
        return np.ones_like(self.onset)

    def __call__(self, t: Floats) -> Floats:
        """See ``Curve``."""
        since = t - self.onset[:, None]
        out = smooth_step(since / self.move[:, None])
        home = smooth_step((since - (self.move + self.hold)[:, None]) / self.back[:, None])
        return out - home * self.returns[:, None].astype(np.float32)


@dataclass(frozen=True)
class Swing:
    """To and fro at ``hz``, ``cycles`` times, rate and size drifting on the way.

    ``one_sided`` is the probability of swinging out and back on one side only. At least ``min_cycles`` and 0.6 of
    the swing are inside the clip, or the clip is full of it; too slow a rate for that is raised.
    """

    hz: Range
    cycles: Range
    one_sided: float = 0.0
    min_cycles: float = 0.5

    def draw(self, draws: Draws, duration_s: Floats) -> SwingCurve:
        """See ``Course``."""
        N = len(duration_s)
        one_sided = draws.chance(self.one_sided, N)
        least = np.where(one_sided, np.maximum(np.float32(1), self.min_cycles), np.float32(self.min_cycles))
        hz = np.maximum(draws.log_uniform(self.hz, N), least / (np.float32(0.9) * duration_s))
        cycles = np.round(2 * draws.log_uniform(self.cycles, N)) / 2
        cycles = np.maximum(np.where(one_sided, np.ceil(cycles), cycles), least)
        length = cycles / hz
        inside = np.maximum(np.float32(1.2) * least / hz, np.float32(0.6) * length)
        inside = np.minimum(inside, np.minimum(length, duration_s))
        onset = draws.between(inside - length, duration_s - inside)
        return SwingCurve(
            onset,
            length,
            cycles,
            one_sided,
            rate_drift=draws.uniform((-0.3, 0.3), N),
            size_drift=draws.uniform((-0.35, 0.35), N),
        )


@dataclass(frozen=True)
class SwingCurve:
    """Swings of N clips; every field is (N,)."""

    onset: Floats
    length: Floats
    cycles: Floats
    one_sided: Bools
    rate_drift: Floats
    size_drift: Floats

    @property
    def full(self) -> Floats:
        """See ``Curve``."""
        return np.where(self.one_sided | (self.cycles < 1), np.float32(1), np.float32(2))

    def __call__(self, t: Floats) -> Floats:
        """See ``Curve``."""
        u = np.clip((t - self.onset[:, None]) / self.length[:, None], np.float32(0), np.float32(1))
        tau = np.float32(2 * np.pi)
        # Ends on a whole number of half cycles whatever the drift of the rate.
        phase = tau * self.cycles[:, None] * (u + self.rate_drift[:, None] * np.sin(tau * u) / tau)
        swing = np.where(self.one_sided[:, None], np.float32(0.5) - np.float32(0.5) * np.cos(phase), np.sin(phase))
        # People start and stop softly: the first and last quarter cycle swell and fade.
        quarter = np.float32(4) * self.cycles[:, None]
        soft = smooth_step(np.minimum(u, 1 - u) * quarter + np.float32(0.25))
        drawn: Floats = swing * soft * (1 + self.size_drift[:, None] * (2 * u - 1))
        return drawn
