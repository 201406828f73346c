"""Time courses of movements: a step (out, hold, perhaps back) or a swing (oscillation).

A course is a table row of ranges. ``draw`` draws one curve per clip, placed so that enough of it is inside the clip;
``starting`` moves curves elsewhere. Curves are dimensionless functions of time, independent of joints.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from mar_edge.training.synth.draws import Bools, Bounds, Draws, Floats

_MOST_ON_THE_WAY = 0.85  # largest share of moving time in a step with a way back; the rest is the hold
# Longest hold of a posture, s: 95 % of such actions in interviews are shorter.
LONG_S = 14.0


class Curve(Protocol):
    """N curves: t (N, T) seconds -> (N, T), 1 at the full excursion; every field is (N,)."""

    @property
    def onset(self) -> Floats:
        """(N,) s of the start."""

    @property
    def length(self) -> Floats:
        """(N,) s from start to end; of a one-way step, from start to arrival."""

    @property
    def full(self) -> Floats:
        """(N,) peak-to-peak size of the whole curve, inside the clip or not."""

    def __call__(self, t: Floats) -> Floats:
        """Return the curve at times t (N, T)."""

    def visible(self, t: Floats) -> Floats:
        """Return the share (N,) of it, from 0 to 1, that is visible at times t (N, T)."""


class Course(Protocol):
    """Ranges from which curves are drawn; the ends of a range are numbers, or arrays with one value per clip."""

    def draw(self, draws: Draws, duration_s: Floats) -> Curve:
        """Draw one curve for each of the clips of ``duration_s`` (N,) s."""


def smooth_step(u: Floats) -> Floats:
    """Return 0 up to u = 0, 1 from u = 1, and 3u^2 - 2u^3 between."""
    u = np.clip(u, np.float32(0), np.float32(1))
    return u * u * (3 - 2 * u)


@dataclass(frozen=True)
class Step:
    """Out within ``move_s``, hold for ``hold_s``, and with probability ``returns`` back again.

    At least half of the way out is inside the clip; three quarters if the way back may be, too. With ``dwell_s`` the
    hold matters instead: at least ``dwell_s`` of it is inside, or less if the hold or the clip is shorter. With
    probability ``held`` the hold began before the clip.
    """

    move_s: Bounds
    hold_s: Bounds = (0.1, 2.5)
    returns: float | Floats = 0.45
    dwell_s: float | Floats = 0.0
    held: float | Floats = 0.0

    def paced(self, pace: Floats) -> Step:
        """Return the same course with durations multiplied by ``pace`` (N,)."""
        (low, high), (short, long) = self.move_s, self.hold_s
        return replace(self, move_s=(low * pace, high * pace), hold_s=(short * pace, long * pace))

    def draw(self, draws: Draws, duration_s: Floats) -> StepCurve:
        """Draw curves; see ``Course``."""
        N = len(duration_s)
        stays = np.broadcast_to(np.asarray(self.dwell_s) > 0, N)
        move = np.minimum(draws.log_uniform(self.move_s, N), np.where(stays, np.float32(0.5), 1.3) * duration_s)
        returns = draws.chance(self.returns, N)
        hold = draws.log_uniform(self.hold_s, N)
        back = move * draws.log_uniform((0.6, 1.8), N)
        dwell = np.minimum(np.minimum(self.dwell_s, np.float32(0.3) * duration_s), hold)
        outside = np.where(returns, np.float32(0.25), np.float32(0.5))
        last = np.where(stays, move + dwell, np.float32(0.5) * move)
        onset = draws.between(-outside * move, np.maximum(duration_s - last, -outside * move))
        before = -move - draws.between(np.zeros(N, np.float32), hold - dwell)
        onset = np.where(draws.chance(self.held, N), before, onset)
        onset, move, hold, back, dwell = (np.asarray(field, np.float32) for field in (onset, move, hold, back, dwell))
        return StepCurve(onset, move, hold, back, dwell, returns)


@dataclass(frozen=True)
class StepCurve:
    """Steps of N clips; every field is (N,), in seconds except ``returns``."""

    onset: Floats
    move: Floats
    hold: Floats
    back: Floats
    dwell: Floats
    returns: Bools

    @property
    def full(self) -> Floats:
        """See ``Curve``."""
        return np.ones_like(self.onset)

    @property
    def length(self) -> Floats:
        """See ``Curve``."""
        length: Floats = self.move + np.where(self.returns, self.hold + self.back, np.float32(0))
        return length

    def lead(self, ending: Bools) -> Floats:
        """Return the duration (N,) s of the way in, or where ``ending`` (N,) of the way out."""
        return np.where(ending, self.back, self.move)

    def returning(self, which: Bools) -> StepCurve:
        """Return the same curves, those of ``which`` (N,) with a way back."""
        return replace(self, returns=self.returns | which)

    def starting(self, onset: Floats) -> StepCurve:
        """Return the same curves starting at ``onset`` (N,)."""
        return replace(self, onset=onset)

    def lasting(self, length_s: Floats) -> StepCurve:
        """Return the same curves with a length of ``length_s`` (N,): another hold, and faster ways if no hold is left.

        A step without return arrives at that time.
        """
        ways = np.where(self.returns, self.move + self.back, self.move)
        most = np.where(self.returns, np.float32(_MOST_ON_THE_WAY) * length_s, length_s)
        pace = np.where(self.returns, np.minimum(most / ways, 1), most / ways).astype(np.float32)
        move, back = self.move * pace, self.back * pace
        hold = np.where(self.returns, length_s - move - back, self.hold).astype(np.float32)
        return replace(self, move=move, hold=hold, back=back)

    def __call__(self, t: Floats) -> Floats:
        """See ``Curve``."""
        since: Floats = t - self.onset[:, None]
        since_stay: Floats = since - (self.move + self.hold)[:, None]
        out = smooth_step(since / self.move[:, None])
        home = smooth_step(since_stay / self.back[:, None])
        return out - home * self.returns[:, None].astype(np.float32)

    def visible(self, t: Floats) -> Floats:
        """See ``Curve``."""
        inside = self(t)
        shown: Floats = np.ptp(inside, axis=1)
        gap = (t[:, -1] - t[:, 0]) / (t.shape[1] - 1)
        stay = (inside > np.float32(0.9)).sum(axis=1) * gap / np.maximum(self.dwell, np.float32(1e-3))
        return np.where(self.dwell > 0, np.maximum(shown, np.minimum(stay, 1)), shown).astype(np.float32)


@dataclass(frozen=True)
class Swing:
    """Oscillation at ``hz`` for ``cycles`` cycles, with drifting rate and size.

    ``one_sided`` is the probability of swinging out and back on one side only. At least ``min_cycles`` and 0.6 of the
    swing are inside the clip, or the swing fills the clip. Rates that are too slow for that are raised.
    """

    hz: Bounds
    cycles: Bounds
    one_sided: float | Floats = 0.0
    min_cycles: float | Floats = 0.5

    def paced(self, pace: Floats) -> Swing:
        """Return the same course with durations multiplied by ``pace`` (N,)."""
        return replace(self, hz=(self.hz[0] / pace, self.hz[1] / pace))

    def draw(self, draws: Draws, duration_s: Floats) -> SwingCurve:
        """Draw curves; see ``Course``."""
        N = len(duration_s)
        one_sided = draws.chance(self.one_sided, N)
        min_cycles = np.broadcast_to(np.float32(self.min_cycles), N)
        least = np.where(one_sided, np.maximum(np.float32(1), min_cycles), min_cycles)
        hz = np.maximum(draws.log_uniform(self.hz, N), least / (np.float32(0.9) * duration_s))
        cycles = np.asarray(np.round(2 * draws.log_uniform(self.cycles, N)) / 2, np.float32)
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

    def lead(self, ending: Bools) -> Floats:
        """Return the duration (N,) s of the way in or out: a quarter cycle."""
        quarter: Floats = self.length / (4 * self.cycles)
        return quarter

    def starting(self, onset: Floats) -> SwingCurve:
        """Return the same curves starting at ``onset`` (N,)."""
        return replace(self, onset=onset)

    def lasting(self, length_s: Floats) -> SwingCurve:
        """Return the same curves with a length of ``length_s`` (N,): more or fewer cycles at about the same rate."""
        wanted = self.cycles / self.length * length_s
        least = np.where(self.one_sided, np.float32(1), np.float32(0.5))
        cycles = np.where(self.one_sided, np.round(wanted), np.round(2 * wanted) / 2)
        return replace(self, length=length_s, cycles=np.maximum(cycles, least).astype(np.float32))

    def __call__(self, t: Floats) -> Floats:
        """See ``Curve``."""
        u = np.clip((t - self.onset[:, None]) / self.length[:, None], np.float32(0), np.float32(1))
        tau = np.float32(2 * np.pi)
        # Ends on a whole number of half cycles for any drift of the rate.
        phase = tau * self.cycles[:, None] * (u + self.rate_drift[:, None] * np.sin(tau * u) / tau)
        swing = np.where(self.one_sided[:, None], np.float32(0.5) - np.float32(0.5) * np.cos(phase), np.sin(phase))
        # People start and stop softly: the first quarter cycle grows, the last one fades.
        quarter = np.float32(4) * self.cycles[:, None]
        soft = smooth_step(np.minimum(u, 1 - u) * quarter + np.float32(0.25))
        drawn: Floats = swing * soft * (1 + self.size_drift[:, None] * (2 * u - 1))
        return drawn

    def visible(self, t: Floats) -> Floats:
        """See ``Curve``."""
        shown: Floats = np.minimum(np.ptp(self(t), axis=1) / self.full, 1)
        return shown
