"""Hands in performances: one row for each hand on its way to one place, and one for its fingers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mar_edge.training.synth.actions.row import Play, Rhythm
from mar_edge.training.synth.courses import smooth_step
from mar_edge.training.synth.draws import Bools, Draws, Floats, Ints, wander
from mar_edge.training.synth.limbs import PartTable, phase
from mar_edge.training.synth.perform import MANNERS, Lists, Performances, bounds
from mar_edge.training.synth.places import POSES, RESTS, Place

_RIPPLE_RAD = 1.1  # from one finger to the next
_AXIS_OFF = 0.2
_OWN_OFF = 0.25  # offset of each of two hands, as a share of their common offset
_LEAST_PLAY_M = 1e-4
_WANDER = np.float32(0.7)

_HANDS = [hand for manner in MANNERS for hand in manner.hands]
PLACES: tuple[Place, ...] = tuple(dict.fromkeys((*RESTS, *POSES, *(place for hand in _HANDS for place in hand.goal))))
_OFF_M = np.array([place.off_m for place in PLACES], np.float32)
_MEET = np.array([place.meet for place in PLACES])


@dataclass(frozen=True)
class HandParts:
    """R hands on their way. clip, side, place: (R,), place an index into PLACES. weight: (R, T), 1 at the place.

    off: (R, 3) and play: (R, T, 3) m in the frame of the place, (outward, up, forward). turn: (R, T, 3), added to the
    direction of the fingers. curl: (R, 4) rad of the fingers at the place. elbow: (R, 3) its direction if ``bent``
    (R,).
    """

    clip: Ints
    side: Ints
    place: Ints
    weight: Floats
    off: Floats
    play: Floats
    turn: Floats
    curl: Floats
    elbow: Floats
    bent: Bools


@dataclass(frozen=True)
class FingerParts:
    """R hands with bending fingers: clip and side (R,); weight (R, T), curl (R, T, 4) rad."""

    clip: Ints
    side: Ints
    weight: Floats
    curl: Floats


class _Table(PartTable):
    def __init__(self) -> None:
        super().__init__([manner.hands for manner in MANNERS])
        index = {place: i for i, place in enumerate(PLACES)}
        goals = [hand.goal or (RESTS[0],) for hand in _HANDS]
        self._goal = np.array([index[place] for places in goals for place in places], np.intp)
        counts = [len(places) for places in goals]
        self._in_room = Lists(counts, [place.room for places in goals for place in places])
        self._at_desk = Lists(counts, [place.desk for places in goals for place in places])
        plays = [hand.play or Play((1, 1)) for hand in _HANDS]
        self.hz, self.size_m = bounds([play.hz for play in plays]), bounds([play.size_m for play in plays])
        self.turn, self.flutter = bounds([play.turn for play in plays]), bounds([play.curl for play in plays])
        self.axis = np.array([play.axis for play in plays], np.float32)
        self.opposite = np.array([play.opposite for play in plays], bool)
        self.ripple = np.array([play.ripple for play in plays], bool)
        self.rhythm = np.array([play.rhythm for play in plays], np.intp)
        self.curl = bounds([hand.curl for hand in _HANDS])
        self.index_curl = bounds([hand.index_curl or hand.curl for hand in _HANDS])
        self.points = np.array([hand.index_curl is not None for hand in _HANDS], bool)
        self.elbow = np.array([hand.elbow or (0, 0, 0) for hand in _HANDS], np.float32)
        self.bent = np.array([hand.elbow is not None for hand in _HANDS], bool)

    def places(self, draws: Draws, item: Ints, desk: Bools) -> Ints:
        """Draw goals (R,) of the parts ``item``, with the probabilities of a room or a desk."""
        in_room, at_desk = self._in_room.pick(draws, item), self._at_desk.pick(draws, item)
        places: Ints = self._goal[np.where(desk, at_desk, in_room)]
        return places


_TABLE = _Table()


def uses_hands(doing: Performances, N: int) -> Bools:
    """Tell which hands (N, 2) the performances move, left first."""
    owner, item = _TABLE.lists.expand(doing.manner)
    part, side = _TABLE.sides(doing, owner, item)
    used = np.zeros((N, 2), bool)
    used[doing.clip[owner[part]], side] = True
    return used


def hand_parts(draws: Draws, doing: Performances, t: Floats, desk: Bools) -> tuple[HandParts, FingerParts]:
    """Return the hand motion of performances at t (N, T), in clips at a desk (N,) or in a room."""
    owner, item = _TABLE.lists.expand(doing.manner)
    R, clip = len(owner), doing.clip[owner]
    weight, _ = _TABLE.weights(draws, doing, t, owner, item)
    place = _TABLE.places(draws, item, desk[clip])
    off = draws.normal(R, 3) * _OFF_M[place][:, None]
    curl = _curl(draws, item)
    arrived = smooth_step(2 * weight - 1)[..., None]
    beat, flutter = _rhythm(draws, t[clip], item, doing.pace[owner])
    beat *= arrived
    low, high = (size[item] for size in _TABLE.size_m)
    size = draws.log_uniform((np.maximum(low, _LEAST_PLAY_M), np.maximum(high, _LEAST_PLAY_M)), R) * (high > 0)
    swing = draws.uniform((_TABLE.turn[0][item], _TABLE.turn[1][item]), R)
    flutter *= draws.uniform((_TABLE.flutter[0][item], _TABLE.flutter[1][item]), R)[:, None, None] * arrived

    part, side = _TABLE.sides(doing, owner, item)
    fingers = FingerParts(clip[part], side, weight[part], (curl[:, None] + flutter)[part])
    moves = np.flatnonzero(_TABLE.has_goal[item[part]])
    part, side = part[moves], side[moves]
    against = _TABLE.opposite[item[part]] & (side != doing.side[owner[part]])
    own_beat = np.where(against[:, None, None], -beat[part], beat[part])
    hands = HandParts(
        clip=clip[part],
        side=side,
        place=place[part],
        weight=weight[part],
        off=_own_off(draws, off[part], place[part], side),
        play=size[part, None, None] * own_beat,
        turn=swing[part, None, None] * own_beat,
        curl=curl[part],
        elbow=_TABLE.elbow[item[part]],
        bent=_TABLE.bent[item[part]],
    )
    return hands, fingers


def _own_off(draws: Draws, off: Floats, place: Ints, side: Ints) -> Floats:
    """Return the offset (S, 3) m, outward first, of each of two hands from their common offset ``off`` (S, 3)."""
    own = off + np.float32(_OWN_OFF) * _OFF_M[place][:, None] * draws.normal(*off.shape)
    # Two hands that meet shift in the same direction in space.
    meeting = np.where(side == 1, -off[:, 0], off[:, 0])
    own[:, 0] = np.where(_MEET[place], meeting, own[:, 0])
    return own


def _curl(draws: Draws, item: Ints) -> Floats:
    """Draw the curl (R, 4) rad of the fingers at the goal."""
    R = len(item)
    curl = np.repeat(draws.uniform((_TABLE.curl[0][item], _TABLE.curl[1][item]), R)[:, None], 4, axis=1)
    index_finger = draws.uniform((_TABLE.index_curl[0][item], _TABLE.index_curl[1][item]), R)
    curl[:, 0] = np.where(_TABLE.points[item], index_finger, curl[:, 0])
    return curl


def _rhythm(draws: Draws, t: Floats, item: Ints, pace: Floats) -> tuple[Floats, Floats]:
    """Return the rhythm of the plays of ``item`` (R,) at t (R, T): (R, T, 3) of size 1 along their axes, (R, T, 4) of
    fingers.
    """
    R = len(item)
    hz = draws.log_uniform((_TABLE.hz[0][item], _TABLE.hz[1][item]), R) / pace
    angle = phase(draws, hz, t)
    axis = _TABLE.axis[item] + np.float32(_AXIS_OFF) * draws.normal(R, 3)
    axis /= np.sqrt((axis**2).sum(axis=1, keepdims=True))
    rhythm = _TABLE.rhythm[item]
    tap = np.float32(0.5) - np.float32(0.5) * np.cos(angle)
    beat = np.where((rhythm == Rhythm.TAP)[:, None], tap, np.sin(angle))[..., None] * axis[:, None]
    free = np.flatnonzero(rhythm == Rhythm.WANDER)
    own_hz = (_TABLE.hz[0][item[free], None, None], _TABLE.hz[1][item[free], None, None])
    beat[free] = _WANDER * wander(draws, 3, t[free], own_hz, waves=4).transpose(1, 2, 0)
    late = np.arange(4, dtype=np.float32) * np.float32(_RIPPLE_RAD) * _TABLE.ripple[item][:, None]
    return beat, np.sin(angle[..., None] - late[:, None])
