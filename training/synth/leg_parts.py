"""Legs in performances: one row for each leg on its way to one stance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mar_edge.training.synth.actions.row import Shake
from mar_edge.training.synth.courses import smooth_step
from mar_edge.training.synth.draws import Draws, Floats, Ints
from mar_edge.training.synth.limbs import PartTable, phase
from mar_edge.training.synth.perform import MANNERS, Lists, Performances, bounds
from mar_edge.training.synth.stances import SIDE_BY_SIDE, Joint, Stance

# Standard deviation of foot positions between people.
_OFF = Stance(out=0.02, forward=0.03, open=0.05, splay=5, pitch=4, roll=4).values
_LIFT_M = 0.03  # lift of a moving foot

_LEGS = [leg for manner in MANNERS for leg in manner.legs]


@dataclass(frozen=True)
class LegParts:
    """R legs on their way. clip, side: (R,). weight: (R, T). place, play: (R, T, len(Joint)) as in ``Stance``."""

    clip: Ints
    side: Ints
    weight: Floats
    place: Floats
    play: Floats


class _Stances:
    """The goals of all leg parts, or the rest stances they start from."""

    def __init__(self, options: list[tuple[Stance, ...]]) -> None:
        self._values = np.array([stance.values for some in options for stance in some or (SIDE_BY_SIDE,)], np.float32)
        self._lists = Lists([max(len(some), 1) for some in options])
        self.given = np.array([bool(some) for some in options], bool)

    def pick(self, draws: Draws, item: Ints) -> Floats:
        """Draw one stance (R, len(Joint)) of each part, any stance if the part has none."""
        return self._values[self._lists.pick(draws, item)]


class _Table(PartTable):
    def __init__(self) -> None:
        super().__init__([manner.legs for manner in MANNERS])
        self.goal, self.rest = _Stances([leg.goal for leg in _LEGS]), _Stances([leg.rest for leg in _LEGS])
        plays = [leg.play or Shake((1, 1), SIDE_BY_SIDE, share=(0, 0)) for leg in _LEGS]
        self.hz, self.share = bounds([play.hz for play in plays]), bounds([play.share for play in plays])
        self.tap = np.array([play.tap for play in plays], bool)
        self.change = np.array([play.change.values for play in plays], np.float32)


_TABLE = _Table()


def leg_parts(draws: Draws, doing: Performances, t: Floats) -> LegParts:
    """Return the leg motion of performances at t (N, T)."""
    owner, item = _TABLE.lists.expand(doing.manner)
    R = len(owner)
    out, present = _TABLE.weights(draws, doing, t, owner, item)
    hz = draws.log_uniform((_TABLE.hz[0][item], _TABLE.hz[1][item]), R) / doing.pace[owner]
    angle = phase(draws, hz, t[doing.clip[owner]])
    beat = np.where(_TABLE.tap[item, None], np.float32(0.5) - np.float32(0.5) * np.cos(angle), np.sin(angle))
    beat *= draws.uniform((_TABLE.share[0][item], _TABLE.share[1][item]), R)[:, None] * smooth_step(2 * out - 1)
    play = beat[..., None] * _TABLE.change[item, None]
    goal, rest = _TABLE.goal.pick(draws, item), _TABLE.rest.pick(draws, item)

    part, side = _TABLE.sides(doing, owner, item)
    item, out, present = item[part], out[part], present[part]
    to_goal = out * _TABLE.goal.given[item, None]
    at_rest = (present - to_goal) * _TABLE.rest.given[item, None]
    weight = to_goal + at_rest
    share = (to_goal / np.maximum(weight, np.float32(1e-6)))[..., None]
    start, end = _put_down(draws, rest[part])[:, None], _put_down(draws, goal[part])[:, None]
    place = start + share * (end - start)
    place[..., Joint.UP] += np.float32(4 * _LIFT_M) * to_goal * (1 - out)
    return LegParts(doing.clip[owner[part]], side, weight, place, play[part])


def _put_down(draws: Draws, stance: Floats) -> Floats:
    """Add individual variation to stances (S, len(Joint)); flat feet stay flat."""
    off = _OFF * draws.normal(*stance.shape)
    off[:, Joint.ROLL] *= stance[:, Joint.ROLL] > 0
    return stance + off
