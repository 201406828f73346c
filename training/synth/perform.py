"""Performances: actions of clips with their manner, size and time; and their effect on trunk and head.

Many performances of many clips at once: the rows of the tables become arrays, in which each performance looks up its
row. ``hand_parts`` and ``leg_parts`` have the motion of limbs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from mar_edge.training.synth.actions import ACTIONS, UNNAMED
from mar_edge.training.synth.courses import smooth_step
from mar_edge.training.synth.curves import CourseTable, Curves
from mar_edge.training.synth.draws import Bools, Draws, Floats, Ints, Range
from mar_edge.training.synth.rig import SIDED, Channel

ROWS = (*ACTIONS, *UNNAMED)
MANNERS = tuple(manner for row in ROWS for manner in row.manners)
_COURSES = CourseTable([manner.course for manner in MANNERS])


class Lists:
    """Lists of different lengths, flattened: list m has the items from ``first[m]`` to ``first[m + 1]``."""

    def __init__(self, lengths: Sequence[int], weights: Sequence[float] | None = None) -> None:
        self.first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
        # Cumulative weights of list m, normalized, between m and m + 1: one search finds a weighted item of any list.
        w = np.ones(int(self.first[-1])) if weights is None else np.asarray(weights, np.float64)
        owner = np.repeat(np.arange(len(lengths)), lengths)
        sums = np.bincount(owner, w, len(lengths))
        self._limit = np.cumsum(w / sums[owner]) if len(w) else w

    def pick(self, draws: Draws, which: Ints) -> Ints:
        """Draw one item, by weight, of each of the nonempty lists ``which`` (n,)."""
        before = np.concatenate([[0.0], self._limit])[self.first[which]]
        u = draws.uniform((0, 1), len(which)).astype(np.float64)
        item = np.searchsorted(self._limit, before + u, side="right")
        picked: Ints = np.clip(item, self.first[which], self.first[which + 1] - 1)
        return picked

    def expand(self, which: Ints) -> tuple[Ints, Ints]:
        """Return all items (R,) of the lists ``which`` (n,), after the index (R,) of their list among the n."""
        count = self.first[which + 1] - self.first[which]
        owner = np.repeat(np.arange(len(which)), count)
        item = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count) + self.first[which][owner]
        return owner, item


def bounds(ranges: Sequence[Range]) -> tuple[Floats, Floats]:
    """Return ranges as an array of lows and one of highs."""
    table = np.array(ranges, np.float32).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def add_rows(target: Floats, key: Ints, rows: Floats) -> None:
    """Add ``rows`` to ``target[key]``, in place, for keys that may repeat."""
    if not len(key):
        return
    order = np.argsort(key, kind="stable")
    keys, starts = np.unique(key[order], return_index=True)
    target[keys] += np.add.reduceat(rows[order], starts, axis=0)


class _Drives:
    """All drives of one kind, of all manners."""

    def __init__(self, starts: bool) -> None:
        drives = [manner.start if starts else manner.drives for manner in MANNERS]
        self.lists = Lists([len(some) for some in drives])
        flat = [drive for some in drives for drive in some]
        self.channel = np.array([drive.channel for drive in flat], np.intp)
        self.gain = bounds([drive.gain for drive in flat])
        self.lag_s = bounds([drive.lag_s for drive in flat])


_DRIVES, _STARTS = _Drives(starts=False), _Drives(starts=True)
MANNERS_OF = Lists([len(row.manners) for row in ROWS], [manner.weight for manner in MANNERS])
_AMPLITUDE = bounds([row.amplitude for row in ROWS])
# The presence of a performer in an action without beginning or end.
ALWAYS = (-2.0, -1.0, 1e6, 2e6)
_SIDED = np.isin(np.arange(len(Channel)), SIDED)


@dataclass(frozen=True)
class Performances:
    """P performances; every field has P entries.

    clip: index of the clip. row: index into ``ROWS``. manner: index into ``MANNERS``.
    side: 0 if the left limb leads, 1 if the right.
    amplitude: in the unit of the row. share: performed share of it, below 1 in a fragment.
    pace: factor on the duration of every movement.
    presence: (P, 4) s. Between the first two times the performer gets to the start of the action. Between the last two
    the remaining posture fades.
    curves: time courses.
    """

    clip: Ints
    row: Ints
    manner: Ints
    side: Ints
    amplitude: Floats
    share: Floats
    pace: Floats
    presence: Floats
    curves: Curves

    @classmethod
    def draw(
        cls,
        draws: Draws,
        clip: Ints,
        row: Ints,
        duration_s: Floats,
        pace: Floats,
        *,
        manners: Lists = MANNERS_OF,
    ) -> Performances:
        """Draw one performance of each ``row`` in the clips ``clip`` (P,) of ``duration_s`` (N,), mostly inside.

        ``pace`` (N,): factor on the duration of every movement. ``manners``: a list for each of ``ROWS``.
        """
        P = len(clip)
        manner = manners.pick(draws, row)
        amplitude = draws.log_uniform((_AMPLITUDE[0][row], _AMPLITUDE[1][row]), P)
        side = draws.chance(0.5, P).astype(np.intp)
        pace = pace[clip]
        curves = Curves.draw(_COURSES, manner, draws, duration_s[clip], pace)
        presence = np.tile(np.array(ALWAYS, np.float32), (P, 1))
        return cls(clip, row, manner, side, amplitude, np.ones(P, np.float32), pace, presence, curves)

    def __len__(self) -> int:
        return len(self.clip)

    def take(self, which: Ints) -> Performances:
        """Return some of the performances."""
        arrays = {name: getattr(self, name)[which] for name in _ARRAYS}
        return Performances(**arrays, curves=self.curves.take(which))

    def at_edge(self, draws: Draws, t: Floats, ending: Bools, most: Floats) -> Performances:
        """Return fragments at t (N, T): performances that end soon after the clip's start, or start before its end.

        Args:
            ending: (P,) the first of the two.
            most: (P,) largest visible share.
        """
        P = len(self)
        curves = self.curves.returning(np.ones(P, bool))
        # A smooth step has covered 0.2 of its way after 0.29 of its duration.
        inside = curves.lead(ending) * draws.uniform((0.08, 0.29), P)
        end = t[self.clip, -1]
        curves = curves.starting(np.where(ending, inside - curves.length, end - inside).astype(np.float32))
        visible = curves.visible(t[self.clip])
        share = np.minimum(1, most / np.maximum(visible, np.float32(1e-6)))
        return replace(self, curves=curves, share=share.astype(np.float32))

    def visible(self, t: Floats) -> Floats:
        """Return the share (P,) of each, from 0 to 1, that is visible at t (N, T)."""
        return self.share * self.curves.visible(t[self.clip])

    def envelope(self, t: Floats, rows: Ints, lag_s: Floats) -> tuple[Floats, Floats]:
        """Return excursion and presence, both (R, T), of the performances ``rows`` (R,)."""
        now = t[self.clip[rows]]
        out = self.share[rows, None] * self.curves.take(rows)(now - lag_s[:, None])
        up, ready, down, gone = (self.presence[rows, i, None] for i in range(4))
        present = smooth_step((now - up) / (ready - up)) - smooth_step((now - down) / (gone - down))
        return out, present


_ARRAYS = tuple(field.name for field in fields(Performances) if field.name != "curves")


def joined(*parts: Performances) -> Performances:
    """Concatenate performances."""
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
    return Performances(**arrays, curves=Curves.joined([part.curves for part in parts]))


def drive_trunk(draws: Draws, doing: Performances, t: Floats, motion: Floats) -> None:
    """Add the motion of performances to the channels (len(Channel), N, T), degrees and meters, in place."""
    flat = motion.reshape(-1, motion.shape[-1])
    for table, moves in ((_STARTS, False), (_DRIVES, True)):
        owner, item = table.lists.expand(doing.manner)
        if not len(owner):
            continue
        R, channel = len(owner), table.channel[item]
        gain = draws.uniform((table.gain[0][item], table.gain[1][item]), R) * doing.amplitude[owner]
        gain = np.where(_SIDED[channel] & (doing.side[owner] == 1), -gain, gain)
        lag = draws.uniform((table.lag_s[0][item], table.lag_s[1][item]), R)
        out, present = doing.envelope(t, owner, lag)
        add_rows(flat, channel * motion.shape[1] + doing.clip[owner], gain[:, None] * present * (out if moves else 1))
