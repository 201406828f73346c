"""Legs and feet, at rest and on their way to the stances of ``leg_parts``. Meters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mar_edge.training.synth.draws import Bools, Draws, Floats, Range, wander
from mar_edge.training.synth.ik import rotation, turned, two_bones
from mar_edge.training.synth.leg_parts import LegParts
from mar_edge.training.synth.perform import add_rows
from mar_edge.training.synth.rig import Body, Trunk
from mar_edge.training.synth.stances import LEG_OVER, RESTS, STANDING, Joint

_LEG_OVER = 0.12  # probability of one leg over the other
_SWAY_M: Range = (0.0002, 0.003)
_PLACE_OFF_M = 0.04
_KNEE_OFF = 0.12
_SPLAY_OFF_DEG = 9.0
_OVER_PITCH_OFF_DEG = 12.0
_ANKLE_M = 0.08  # above the floor
_IN_METERS = slice(Joint.OUT, Joint.HEEL + 1)


@dataclass(frozen=True)
class Legs:
    """Left first, (N, T, 2, 3) m."""

    knees: Floats
    ankles: Floats
    heels: Floats
    toes: Floats


def pose_legs(draws: Draws, body: Body, trunk: Trunk, t: Floats, *, standing: Bools, parts: LegParts) -> Legs:
    """Pose legs from the hips to the feet, which stay on the floor except where the parts move them."""
    N, T = t.shape
    rest = _rest(draws, N, standing).reshape(2 * N, 1, len(Joint))
    unrest = wander(draws, 1, t, (0.1, 1.0))[0] * draws.log_uniform(_SWAY_M, N, 1)
    stance = np.repeat(rest, T, axis=1)
    key = parts.clip * 2 + parts.side
    weight = np.zeros((2 * N, T), np.float32)
    add_rows(weight, key, parts.weight)
    share = parts.weight / np.maximum(weight, 1)[key]  # normalized for a leg with several goals
    add_rows(stance, key, share[..., None] * (parts.place - rest[key]) + parts.play)
    stance = stance.reshape(N, 2, T, len(Joint))
    stance[..., _IN_METERS] *= (body.stature / np.float32(1.7))[:, None, None, None]

    knees, ankles, heels, toes = (np.empty((N, T, 2, 3), np.float32) for _ in range(4))
    for side, sign in enumerate((1, -1)):
        out, up, forward, heel, open_, splay, pitch, roll = (stance[:, side, :, joint] for joint in Joint)
        up = np.maximum(up, 0)
        hip = trunk.hips[:, :, side]
        target = np.stack([sign * out + unrest, up + np.float32(_ANKLE_M) + heel, forward], axis=-1)
        # The feet stay relative to the seat, not to the rising pelvis.
        target[..., (0, 2)] += trunk.hips[:, :1, side, (0, 2)]
        pole = np.stack([sign * (np.float32(0.1) + open_), np.full_like(open_, 0.6), np.ones_like(open_)], axis=-1)
        knee, ankle = two_bones(hip, target, body.thigh[:, None], body.shin[:, None], pole)

        frame = rotation(sign * np.deg2rad(splay), np.deg2rad(pitch), sign * -np.deg2rad(roll))
        foot = np.broadcast_to(body.foot[:, None], (N, T))
        nil = np.zeros((1, 1), np.float32)
        knees[:, :, side], ankles[:, :, side] = knee, ankle
        heels[:, :, side] = ankle + turned(frame, nil, np.float32(-0.35) * foot, np.float32(-0.25) * foot)
        toe = ankle + turned(frame, nil, np.float32(-0.4) * foot, np.float32(0.7) * foot)
        toe[..., 1] -= heel  # the heel leaves the floor, the toe stays
        toes[:, :, side] = toe
    return Legs(knees, ankles, heels, toes)


def _rest(draws: Draws, N: int, standing: Bools) -> Floats:
    """Draw rest stances (N, 2, len(Joint)) of a 1.7 m person."""
    which = draws.choice([weight for _, weight in RESTS], N)
    rest = np.repeat(np.array([stance.values for stance, _ in RESTS])[which][:, None], 2, axis=1)
    over = draws.choice((1 - _LEG_OVER, _LEG_OVER / 2, _LEG_OVER / 2), N) - 1
    crossed = over[:, None] == np.arange(2)
    rest[crossed] = LEG_OVER.values
    rest[standing] = STANDING.values
    rest[..., : Joint.HEEL] += np.float32(_PLACE_OFF_M) * draws.normal(N, 2, 3)
    rest[..., Joint.UP] = np.maximum(rest[..., Joint.UP], 0)
    rest[..., Joint.OPEN] += np.float32(_KNEE_OFF) * draws.normal(N, 2)
    rest[..., Joint.SPLAY] += np.float32(_SPLAY_OFF_DEG) * draws.normal(N, 2)
    rest[..., Joint.PITCH] += np.float32(_OVER_PITCH_OFF_DEG) * draws.normal(N, 2) * crossed
    return rest
