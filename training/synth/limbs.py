"""Common code of hand parts and leg parts in performances: weights and sides.

A limb with several parts adds them: rest + sum over its parts of weight * (place + play - rest). ``hand_parts`` and
``leg_parts`` define place and play of a part; ``arms`` and ``legs`` put them on the figure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mar_edge.training.synth.actions.row import Hand, Leg, Which
from mar_edge.training.synth.draws import Draws, Floats, Ints
from mar_edge.training.synth.perform import Lists, Performances, bounds


class PartTable:
    """The hand parts, or the leg parts, of all manners."""

    def __init__(self, per_manner: Sequence[Sequence[Hand | Leg]]) -> None:
        self.lists = Lists([len(parts) for parts in per_manner])
        flat = [part for parts in per_manner for part in parts]
        self._which = np.array([part.which for part in flat], np.intp)
        self._leaves = np.array([part.leaves for part in flat], bool)
        self._lag_s = bounds([part.lag_s for part in flat])
        self.has_goal = np.array([bool(part.goal) for part in flat], bool)

    def weights(self, draws: Draws, doing: Performances, t: Floats, owner: Ints, item: Ints) -> tuple[Floats, Floats]:
        """Return excursion and presence, both (R, T), of parts ``item`` of performances ``owner``."""
        lag = draws.uniform((self._lag_s[0][item], self._lag_s[1][item]), len(item))
        out, present = doing.envelope(t, owner, lag * doing.pace[owner])
        return present * np.where(self._leaves[item, None], 1 - out, out), present

    def sides(self, doing: Performances, owner: Ints, item: Ints) -> tuple[Ints, Ints]:
        """Split parts of both limbs into two: (S,) index among the R parts, and (S,) side."""
        leads = np.flatnonzero(self._which[item] != Which.OTHER)
        others = np.flatnonzero(self._which[item] != Which.ONE)
        side = doing.side[owner]
        return np.concatenate([leads, others]), np.concatenate([side[leads], 1 - side[others]])


def phase(draws: Draws, hz: Floats, t: Floats) -> Floats:
    """Return the phase (R, T) rad of slightly drifting rhythms at ``hz`` (R,)."""
    tau = np.float32(2 * np.pi)
    start, slow = draws.uniform((0, 2 * np.pi), 2, len(hz), 1)
    turns = tau * hz[:, None] * t
    angle: Floats = turns + start + np.float32(0.6) * np.sin(np.float32(0.31) * turns + slow)
    return angle
