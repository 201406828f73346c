"""Arms and hands: on their way between the places of ``places``, rubbing, gesturing, fidgeting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.synth.courses import smooth_step
from training.synth.draws import Bools, Draws, Floats, Ints, Range, wander
from training.synth.ik import cross, turned, two_bones, unit
from training.synth.legs import Legs
from training.synth.places import GESTURES, PLACES, RESTS, TOUCHES, Vector
from training.synth.rig import Body, Trunk

_REACH_S: Range = (0.3, 1.2)
_RUB_HZ: Range = (0.8, 4.5)
_RUB_M: Range = (0.003, 0.04)
_JIGGLE_M: Range = (0.0002, 0.003)
_GESTURE_M: Range = (0.02, 0.12)
_RUBS = 0.7  # probability of not keeping still where it touches
_HANDS_ALIKE = 0.75
_GESTURES = 0.3
_LEFT_RIGHT_BOTH = (4, 4, 2)
_FIDGET_RAD: Range = (0.02, 0.7)
_FINGER_CURL_RAD: Range = (0.2, 1.9)
# Which way an elbow points, (outward, up, forward): behind a hanging arm, below a raised one.
_LOW_POLE: Vector = (0.7, -1.0, -0.6)
_HIGH_POLE: Vector = (0.35, -1.2, 0.5)

# Across the hand, little finger to index, as shares of the hand's length from the middle line.
_KNUCKLES = {"index": 0.17, "middle": 0.05, "ring": -0.07, "little": -0.18}
_FINGER = {"index": 0.44, "middle": 0.5, "ring": 0.45, "little": 0.36}


@dataclass(frozen=True)
class Arms:
    """Left first, (N, T, 2, ...): elbow and wrist (..., 3) m; tips (..., 5, 3) of thumb to little finger; knuckles
    (..., 3, 3) of little finger, index and thumb."""

    elbows: Floats
    wrists: Floats
    tips: Floats
    knuckles: Floats


def pose_arms(
    draws: Draws, body: Body, trunk: Trunk, legs: Legs, t: Floats, *, desk: Bools, busy: Bools, fidget: Bools
) -> Arms:
    """Arms at rest or, for the clips of ``busy`` (N,), one or both on the way to a touch or a gesture.

    ``fidget`` (N,) moves the fingers. ``desk`` (N,) chooses the rests of people at a desk.
    """
    N, T = t.shape
    plan = _plan(draws, t, desk, busy)
    unrest = wander(draws, 6, t, (0.1, 1.5), waves=3).transpose(1, 2, 0)
    unrest = unrest * draws.log_uniform(_JIGGLE_M, N, 1)[..., None]
    curling = wander(draws, 2, t, (0.3, 3.0), waves=4)

    elbows, wrists = np.empty((N, T, 2, 3), np.float32), np.empty((N, T, 2, 3), np.float32)
    tips, knuckles = np.empty((N, T, 2, 5, 3), np.float32), np.empty((N, T, 2, 3, 3), np.float32)
    for side, sign in enumerate((1, -1)):
        wrist, fingers, palm = _follow(draws, plan, side, _Anchors.of(trunk, legs, side), body.stature)
        wrist += unrest[..., 3 * side : 3 * side + 3]
        shoulder = trunk.shoulders[:, :, side]
        pole = _elbow_pole(draws, wrist[..., 1] - shoulder[..., 1], trunk.chest_frame, sign)
        elbow, wrist = two_bones(shoulder, wrist, body.upper_arm[:, None], body.forearm[:, None], pole)
        elbows[:, :, side], wrists[:, :, side] = elbow, wrist
        along = unit(unit(fingers) + np.float32(0.6) * unit(wrist - elbow))
        curl = draws.uniform(_FINGER_CURL_RAD, N, 1)
        curl = curl + curling[side] * (draws.log_uniform(_FIDGET_RAD, N, 1) * fidget[:, None])
        tips[:, :, side], knuckles[:, :, side] = _hand(
            wrist, along, palm, side=sign, length=body.hand, curl=np.clip(curl, 0.05, 2.4).astype(np.float32)
        )
    return Arms(elbows, wrists, tips, knuckles)


@dataclass(frozen=True)
class _Plan:
    """What the hands do: ``rest`` (N, 2) and ``goal`` (N,) index PLACES, ``moves`` (N, 2) says which hands leave their
    rest, ``reach`` (N, T) how far they are on their way, ``play`` (N, T, 3) m how they rub or wave there."""

    rest: Ints
    goal: Ints
    moves: Bools
    reach: Floats
    play: Floats


def _plan(draws: Draws, t: Floats, desk: Bools, busy: Bools) -> _Plan:
    N = len(t)
    in_room = draws.choice([place.room for place in RESTS], N, 2)
    at_desk = draws.choice([place.desk for place in RESTS], N, 2)
    rest = np.where(desk[:, None], at_desk, in_room)
    rest[:, 1] = np.where(draws.chance(_HANDS_ALIKE, N), rest[:, 0], rest[:, 1])

    gestures = draws.chance(_GESTURES, N)
    touch = len(RESTS) + draws.choice([1.0] * len(TOUCHES), N)
    gesture = len(RESTS) + len(TOUCHES) + draws.choice([1.0] * len(GESTURES), N)
    hands = draws.choice(_LEFT_RIGHT_BOTH, N)[:, None]
    moves = busy[:, None] & ((hands == np.arange(2)) | (hands == 2))

    rub = np.sin(np.float32(2 * np.pi) * (draws.log_uniform(_RUB_HZ, N, 1) * t + draws.uniform((0, 1), N, 1)))
    rub *= draws.log_uniform(_RUB_M, N, 1) * draws.chance(_RUBS, N, 1)
    wave = wander(draws, 3, t, (0.4, 2.5), waves=4).transpose(1, 2, 0) * draws.log_uniform(_GESTURE_M, N, 1, 1)
    play = np.where(gestures[:, None, None], wave, rub[..., None] * unit(draws.normal(N, 1, 3)))
    return _Plan(rest, np.where(gestures, gesture, touch), moves, _reach(draws, t), play)


def _follow(draws: Draws, plan: _Plan, side: int, anchors: _Anchors, stature: Floats) -> tuple[Floats, Floats, Floats]:
    """Wrist (N, T, 3) m, and the directions (N, T, 3) of fingers and palm, of one hand as planned."""
    sign = 1 - 2 * side
    wrist, fingers, palm = _at(draws, plan.rest[:, side], anchors, stature, sign)
    rows = np.flatnonzero(plan.moves[:, side])
    there, fingers_there, palm_there = _at(draws, plan.goal[rows], anchors.rows(rows), stature[rows], sign)
    out = plan.reach[rows, :, None]
    # A hand does not travel in a straight line: it swings out to the front.
    bow = 4 * out * (1 - out) * np.array((sign * 0.05, 0.0, 0.1), np.float32)
    wrist[rows] += out * (there - wrist[rows] + plan.play[rows]) + bow
    fingers[rows] += out * (fingers_there - fingers[rows])
    palm[rows] += out * (palm_there - palm[rows])
    return wrist, fingers, palm


def _elbow_pole(draws: Draws, rise: Floats, chest_frame: Floats, sign: int) -> Floats:
    """(N, T, 3) the way the elbow points, for a wrist ``rise`` (N, T) m above its shoulder."""
    raised = smooth_step(rise / np.float32(0.3) + np.float32(0.8))
    habit = draws.uniform((-0.25, 0.25), 3, len(rise), 1)
    out, up, front = (
        low + (high - low) * raised + own for low, high, own in zip(_LOW_POLE, _HIGH_POLE, habit, strict=True)
    )
    return turned(chest_frame, sign * out, up, front)


def _reach(draws: Draws, t: Floats) -> Floats:
    """(N, T) from 0 (at rest) to 1 (there): going, coming back, or there all the time."""
    N = len(t)
    end = t[:, -1]
    move = draws.log_uniform(_REACH_S, N)
    onset = draws.between(-2 * move, end - np.float32(0.2))
    back = onset + move + draws.log_uniform((0.1, 3.0), N)
    reach = smooth_step((t - onset[:, None]) / move[:, None])
    home = smooth_step((t - back[:, None]) / draws.log_uniform(_REACH_S, N, 1))
    return reach - home * draws.chance(0.7, N, 1)


@dataclass(frozen=True)
class _Anchors:
    """Origins (N, T, A, 3) and frames (N, T, A, 3, 3) of ``Anchor`` for one side."""

    origins: Floats
    frames: tuple[Floats, ...]

    @classmethod
    def of(cls, trunk: Trunk, legs: Legs, side: int) -> _Anchors:
        thigh = trunk.hips[:, :, side] + np.float32(0.67) * (legs.knees[:, :, side] - trunk.hips[:, :, side])
        other = trunk.shoulders[:, :, 1 - side]
        forearm = other + turned(
            trunk.chest_frame,
            *(np.full(other.shape[:2], v, np.float32) for v in (0.0, -0.25, 0.12)),
        )
        origins = np.stack([trunk.pelvis, trunk.chest, trunk.head, thigh, forearm], axis=2)
        seat, chest = trunk.seat_frame, trunk.chest_frame
        return cls(origins, (seat, chest, trunk.head_frame, seat, chest))

    def rows(self, rows: Ints) -> _Anchors:
        return _Anchors(self.origins[rows], tuple(frame[rows] for frame in self.frames))


def _at(draws: Draws, place: Ints, anchors: _Anchors, stature: Floats, sign: int) -> tuple[Floats, Floats, Floats]:
    """Wrist (n, T, 3) m, and the directions (n, T, 3) of fingers and palm, at ``place`` (n,) of the table."""
    n, T = len(place), anchors.origins.shape[1]
    anchor = np.array([p.anchor for p in PLACES])[place]
    mirror = np.array((sign, 1, 1), np.float32)
    wrist = np.array([p.wrist for p in PLACES], np.float32)[place] * mirror
    wrist = (wrist + np.float32(0.025) * draws.normal(n, 3)) * (stature / np.float32(1.7))[:, None]
    fingers = np.array([p.fingers for p in PLACES], np.float32)[place] * mirror
    fingers = fingers + np.float32(0.15) * draws.normal(n, 3)
    palm = np.array([p.palm for p in PLACES], np.float32)[place] * mirror
    frame = np.empty((n, T, 3, 3), np.float32)
    for index, frames in enumerate(anchors.frames):
        chosen = anchor == index
        frame[chosen] = frames[chosen]
    origin = np.take_along_axis(anchors.origins, anchor[:, None, None, None], axis=2)[:, :, 0]

    def world(vector: Floats) -> Floats:
        return turned(frame, *(vector[:, None, axis] for axis in range(3)))

    return origin + world(wrist), world(fingers), world(palm)


def _hand(
    wrist: Floats, along: Floats, palm: Floats, *, side: int, length: Floats, curl: Floats
) -> tuple[Floats, Floats]:
    """Tips (N, T, 5, 3) and knuckles (N, T, 3, 3) of a hand whose fingers bend by ``curl`` (N, T) rad in an arc."""
    thumbward = np.float32(side) * unit(cross(palm, along))
    palm = np.float32(side) * cross(along, thumbward)
    L = length[:, None, None]
    # A finger bent in an arc of angle c reaches sin(c)/c of its length forward and (1 - cos(c))/c towards the palm.
    bent = (np.sin(curl) / curl)[..., None] * along + ((1 - np.cos(curl)) / curl)[..., None] * palm
    base = wrist + np.float32(0.5) * L * along
    knuckle = {name: base + np.float32(across) * L * thumbward for name, across in _KNUCKLES.items()}
    fingers = [knuckle[name] + np.float32(share) * L * bent for name, share in _FINGER.items()]
    thumb_base = wrist + L * (np.float32(0.22) * along + np.float32(0.2) * thumbward)
    thumb_tip = thumb_base + L * (np.float32(0.14) * (along + bent) + np.float32(0.16) * thumbward)
    tips = np.stack([thumb_tip, *fingers], axis=2)
    return tips, np.stack([knuckle["little"], knuckle["index"], thumb_base], axis=2)
