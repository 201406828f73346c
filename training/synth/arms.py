"""Arms and hands, at rest and on their way to the places of ``hand_parts``. Meters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mar_edge.training.synth.anchors import ON_OTHER_ARM, Figure, anchored
from mar_edge.training.synth.courses import smooth_step
from mar_edge.training.synth.draws import Bools, Draws, Floats, Ints, Range, wander
from mar_edge.training.synth.hand_parts import PLACES, FingerParts, HandParts
from mar_edge.training.synth.hands import hand_frame, part_from_wrist, pose_hand
from mar_edge.training.synth.ik import turned, two_bones, unit
from mar_edge.training.synth.perform import add_rows
from mar_edge.training.synth.places import POSES, REST_CURL, RESTS, Anchor, Vector
from mar_edge.training.synth.rig import Body

_JIGGLE_M: Range = (0.0002, 0.003)
_HANDS_ALIKE = 0.75
_REST_OFF_M = 0.045
_FIDGET_RAD: Range = (0.02, 0.3)
_CURL_LIMITS: Range = (0.05, 4.3)  # sum over the joints of a finger, up to a fist
# Direction of the elbow, (outward, up, forward): behind a hanging arm, below a raised one.
_LOW_POLE: Vector = (0.7, -1.0, -0.6)
_HIGH_POLE: Vector = (0.35, -1.2, 0.5)
# Share of the forearm in the direction of the fingers; the rest is from the table.
_WITH_FOREARM_AT_REST, _WITH_FOREARM = np.float32(0.6), np.float32(0.35)
# A hand does not move in a straight line: it swings out to the front.
_SWING_OUT_M: Vector = (0.05, 0.0, 0.1)

_ANCHOR = np.array([place.anchor for place in PLACES])
_PART = np.array([place.part for place in PLACES])
_AT = np.array([place.at for place in PLACES], np.float32)
_FINGERS = np.array([place.fingers for place in PLACES], np.float32)
_PALM = np.array([place.palm for place in PLACES], np.float32)


@dataclass(frozen=True)
class Arms:
    """Left first, (N, T, 2, ...): elbow and wrist (..., 3) m; tips (..., 5, 3) of thumb to little finger; knuckles
    (..., 3, 3) of little finger, index and thumb."""

    elbows: Floats
    wrists: Floats
    tips: Floats
    knuckles: Floats


@dataclass(frozen=True)
class _Way:
    """Sums over hand parts, (N, 2, T, ...): weights, and the weighted wrist (m), directions and elbow pole."""

    weight: Floats
    wrist: Floats
    fingers: Floats
    palm: Floats
    pole: Floats
    bent: Floats


def rest_places(draws: Draws, desk: Bools, acting: Bools, *, standing: Bools, low: float = 1.0) -> Ints:
    """Return the rest places of hands (N, 2), left first; acting hands, ``acting`` (N, 2), do not start from a pose.

    ``low``: factor on the frequency of low rest places, which are far from most goals.
    """
    N = len(desk)
    rest = np.empty((N, 2), np.intp)
    for free, places in ((True, RESTS), (False, (*RESTS, *POSES))):
        times = np.array([low if place.low else 1.0 for place in places])
        in_room = draws.choice((times * [place.room for place in places]).tolist(), N, 2)
        at_desk = draws.choice((times * [place.desk for place in places]).tolist(), N, 2)
        on_feet = draws.choice([place.standing for place in places], N, 2)
        some = np.where(standing[:, None], on_feet, np.where(desk[:, None], at_desk, in_room))
        some[:, 1] = np.where(draws.chance(_HANDS_ALIKE, N), some[:, 0], some[:, 1])
        mine = acting.any(axis=1) == free
        rest[mine] = some[mine]
    return rest


def pose_arms(
    draws: Draws,
    body: Body,
    figure: Figure,
    t: Floats,
    *,
    rest: Ints,
    parts: HandParts,
    fingers: FingerParts,
    fidget: Bools,
) -> Arms:
    """Pose arms from their ``rest`` (N, 2) places as far as the parts move them.

    ``fidget`` (N,) moves the fingers.
    """
    N, T = t.shape
    clip, side = np.divmod(np.arange(2 * N), 2)
    unrest = wander(draws, 6, t, (0.1, 1.5), waves=3).transpose(1, 2, 0)
    unrest = unrest * draws.log_uniform(_JIGGLE_M, N, 1)[..., None]
    still = np.zeros((2 * N, T, 3), np.float32)
    off = np.float32(_REST_OFF_M) * draws.normal(2 * N, 3)
    at_rest = HandParts(
        clip,
        side,
        rest.reshape(-1),
        np.ones((2 * N, T), np.float32),
        off,
        still,
        still,
        np.ones((2 * N, 4), np.float32),
        still[:, 0],
        np.zeros(2 * N, bool),
    )
    habit = draws.uniform((-0.25, 0.25), 2, 3, N, 1)
    wrist, along, palm = _reach(body, figure, at_rest, habit, settle=False)
    wrist += unrest.reshape(N, T, 2, 3).swapaxes(1, 2).reshape(2 * N, T, 3)
    base = tuple(x.reshape(N, 2, T, 3) for x in (wrist, along, palm))

    on_arm = np.isin(_ANCHOR[parts.place], ON_OTHER_ARM)
    way = _sum(body, figure, parts, np.flatnonzero(~on_arm), habit)
    elbows, wrists, along = _solve(body, figure, base, way, habit)
    late = np.flatnonzero(on_arm)
    if len(late):
        more = _sum(body, replace(figure, elbows=elbows, wrists=wrists), parts, late, habit)
        way = _Way(*(a + b for a, b in zip(vars(way).values(), vars(more).values(), strict=True)))
        elbows, wrists, along = _solve(body, figure, base, way, habit)

    palms = _blend(base[2], way.palm, way.weight)
    curl = _curl(draws, t, fingers, fidget)
    tips, knuckles = np.empty((N, T, 2, 5, 3), np.float32), np.empty((N, T, 2, 3, 3), np.float32)
    for s, sign in enumerate((1, -1)):
        tips[:, :, s], knuckles[:, :, s] = pose_hand(
            wrists[:, :, s], along[:, :, s], palms[:, s], sign=sign, length=body.hand, curl=curl[:, s]
        )
    return Arms(elbows, wrists, tips, knuckles)


def _sum(body: Body, figure: Figure, parts: HandParts, rows: Ints, habit: Floats) -> _Way:
    """Sum the parts ``rows``."""
    N, T = figure.trunk.pelvis.shape[:2]
    way = _Way(*(np.zeros((2 * N, T, *shape), np.float32) for shape in ((), (3,), (3,), (3,), (3,), ())))
    some = HandParts(*(values[rows] for values in vars(parts).values()))
    if len(rows):
        wrist, along, palm = _reach(body, figure, some, habit, settle=True)
        key = some.clip * 2 + some.side
        w = some.weight[..., None]
        w_bent = w * some.bent[:, None, None]
        add_rows(way.weight, key, some.weight)
        add_rows(way.wrist, key, w * wrist)
        add_rows(way.fingers, key, w * along)
        add_rows(way.palm, key, w * palm)
        add_rows(way.bent, key, w_bent[..., 0])
        sign = (1 - 2 * some.side).astype(np.float32)
        own = some.elbow * np.stack([sign, np.ones_like(sign), np.ones_like(sign)], axis=-1)
        pole = turned(figure.trunk.chest_frame[some.clip], *(own[:, None, i] for i in range(3)))
        add_rows(way.pole, key, w_bent * unit(pole))
    return _Way(*(values.reshape(N, 2, *values.shape[1:]) for values in vars(way).values()))


def _blend(base: Floats, total: Floats, weight: Floats) -> Floats:
    """Return base + sum of weight * (there - base), with the sum of the weights limited to 1."""
    return np.asarray(base + (total - weight[..., None] * base) / np.maximum(weight, 1)[..., None], np.float32)


def _solve(
    body: Body, figure: Figure, base: tuple[Floats, ...], way: _Way, habit: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return elbows, wrists and finger directions, (N, T, 2, 3), of the arms in motion."""
    trunk = figure.trunk
    N, _, T = way.weight.shape
    out = tuple(np.empty((N, T, 2, 3), np.float32) for _ in range(3))
    swing = np.minimum(way.weight, 1)
    swing = 4 * swing * (1 - swing)
    wrists = _blend(base[0], way.wrist, way.weight)
    fingers = _blend(base[1], way.fingers, way.weight)
    bent = np.clip(way.bent, 0, 1)[..., None]
    for s, sign in enumerate((1, -1)):
        target = wrists[:, s] + swing[:, s, :, None] * (np.array((sign, 1, 1), np.float32) * _SWING_OUT_M)
        shoulder = trunk.shoulders[:, :, s]
        pole = unit(_elbow_pole(target[..., 1] - shoulder[..., 1], trunk.chest_frame, sign, habit[s]))
        pole = (1 - bent[:, s]) * pole + way.pole[:, s]
        elbow, wrist = two_bones(shoulder, target, body.upper_arm[:, None], body.forearm[:, None], pole)
        there = np.minimum(way.weight[:, s], 1)[..., None]
        along = unit(fingers[:, s]) + (1 - there) * _WITH_FOREARM_AT_REST * unit(wrist - elbow)
        for values, own in zip(out, (elbow, wrist, along), strict=True):
            values[:, :, s] = own
    return out[0], out[1], out[2]


def _reach(
    body: Body, figure: Figure, parts: HandParts, habit: Floats, *, settle: bool
) -> tuple[Floats, Floats, Floats]:
    """Return wrists (R, T, 3) m that put the hands of all parts in place, and directions of fingers and palms.

    With ``settle``, the fingers turn partly to the direction of the forearm.
    """
    clip, side, place = parts.clip, parts.side, parts.place
    anchor = _ANCHOR[place]
    origin, frame = anchored(figure, anchor, clip, side)
    sign = (1 - 2 * side).astype(np.float32)
    mirror = np.stack([sign, np.ones_like(sign), np.ones_like(sign)], axis=-1)
    scale = np.repeat((body.stature[clip] / np.float32(1.7))[:, None], 3, axis=1)
    on_head = anchor == Anchor.HEAD
    scale[on_head] = body.head[clip[on_head]]
    moved = (((_AT[place] * scale) + parts.off)[:, None] + parts.play) * mirror[:, None]
    point = origin + turned(frame, *(moved[..., i] for i in range(3)))
    aim = (_FINGERS[place][:, None] + parts.turn) * mirror[:, None]
    along = unit(turned(frame, *(aim[..., i] for i in range(3))))
    facing = _PALM[place] * mirror
    palm = turned(frame, *(facing[:, None, i] for i in range(3)))
    if not settle:
        return point, along, palm

    offset = part_from_wrist(_PART[place], body.hand[clip], parts.curl)
    sign_t = sign[:, None, None]

    def wrist(along: Floats) -> Floats:
        axes = hand_frame(along, palm, sign_t)
        back = sum((offset[:, None, i, None] * axis for i, axis in enumerate(axes)), start=np.float32(0))
        return point - back

    shoulder = figure.trunk.shoulders[clip, :, side]
    guess = wrist(along)
    chest = figure.trunk.chest_frame[clip]
    pole = np.empty_like(point)
    for s, own in enumerate((1, -1)):
        rows = side == s
        rise = guess[rows, :, 1] - shoulder[rows, :, 1]
        pole[rows] = _elbow_pole(rise, chest[rows], own, habit[s][:, clip[rows]])
    elbow, end = two_bones(shoulder, guess, body.upper_arm[clip][:, None], body.forearm[clip][:, None], pole)
    along = unit(along + _WITH_FOREARM * unit(end - elbow))
    return wrist(along), along, unit(palm)


def _elbow_pole(rise: Floats, chest_frame: Floats, sign: int, habit: Floats) -> Floats:
    """Return the elbow direction (n, T, 3) for a wrist ``rise`` (n, T) m above its shoulder; habit (3, n, 1)."""
    raised = smooth_step(rise / np.float32(0.3) + np.float32(0.8))
    out, up, front = (
        low + (high - low) * raised + own for low, high, own in zip(_LOW_POLE, _HIGH_POLE, habit, strict=True)
    )
    return turned(chest_frame, sign * out, up, front)


def _curl(draws: Draws, t: Floats, fingers: FingerParts, fidget: Bools) -> Floats:
    """Return the curl of every finger, (N, 2, T, 4) rad."""
    N, T = t.shape
    rest = draws.uniform(REST_CURL, N, 2, 1)
    unrest = wander(draws, 2, t, (0.3, 3.0), waves=4).swapaxes(0, 1)
    base = rest + unrest * (draws.log_uniform(_FIDGET_RAD, N, 2, 1) * fidget[:, None, None])
    total, weight = np.zeros((2 * N, T, 4), np.float32), np.zeros((2 * N, T), np.float32)
    key = fingers.clip * 2 + fingers.side
    add_rows(total, key, fingers.weight[..., None] * fingers.curl)
    add_rows(weight, key, fingers.weight)
    base = np.repeat(base[..., None], 4, axis=-1)
    curl = _blend(base, total.reshape(N, 2, T, 4), weight.reshape(N, 2, T))
    return np.clip(curl, *_CURL_LIMITS).astype(np.float32)
