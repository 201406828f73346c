"""Legs and feet: where they rest, and how they shake or step. Metres for a person of 1.7 m."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.synth.courses import smooth_step
from training.synth.draws import Bools, Draws, Floats, Ints, Range, wander
from training.synth.ik import rotation, turned, two_bones
from training.synth.places import Vector
from training.synth.rig import Body, Trunk

# Feet at rest, (outward, up, forward) from below the hip; how likely.
_FEET: tuple[tuple[str, Vector, float], ...] = (
    ("side by side", (0.0, 0.0, 0.38), 4),
    ("apart", (0.12, 0.0, 0.40), 2),
    ("tucked back", (0.0, 0.03, 0.18), 1),
    ("stretched out", (0.02, 0.0, 0.58), 1),
    ("ankles crossed", (-0.14, 0.0, 0.42), 1),
)
_STANDING_FEET: Vector = (0.05, 0, 0.02)
_LEG_OVER = 0.12  # probability of one leg over the other
_SWAY_M: Range = (0.0002, 0.003)
_BOUNCE_HZ: Range = (2, 7)
_BOUNCE_M: Range = (0.01, 0.06)
_STEP_S: Range = (0.25, 0.8)
_STEP_M = 0.08
_SHAKES = 0.6  # probability that a busy leg shakes rather than steps
_LEFT_RIGHT_BOTH = (1, 1, 1)
_SPLAY_DEG: Range = (-5, 35)
_ANKLE_M = 0.08  # above the floor
_LEG_OVER_ANKLE: Vector = (-0.26, 0.30, 0.52)


@dataclass(frozen=True)
class Legs:
    """Left first, (N, T, 2, 3) m."""

    knees: Floats
    ankles: Floats
    heels: Floats
    toes: Floats


def pose_legs(draws: Draws, body: Body, trunk: Trunk, t: Floats, *, standing: Bools, fidget: Bools) -> Legs:
    """Legs from the hips to feet that stay on the floor, those of ``fidget`` (N,) shaking or stepping."""
    N, T = t.shape
    posture = draws.choice([weight for _, _, weight in _FEET], N)
    over = draws.choice((1 - _LEG_OVER, _LEG_OVER / 2, _LEG_OVER / 2), N) - 1
    active = draws.choice(_LEFT_RIGHT_BOTH, N)
    shaking = draws.chance(_SHAKES, N)
    bounce = np.abs(np.sin(np.float32(np.pi) * draws.log_uniform(_BOUNCE_HZ, N, 1) * t))
    bounce *= draws.log_uniform(_BOUNCE_M, N, 1)
    step = smooth_step((t - draws.uniform((-0.2, 1.6), N, 1)) / draws.log_uniform(_STEP_S, N, 1))
    step_to = draws.normal(N, 3) * np.float32(_STEP_M)
    unrest = wander(draws, 1, t, (0.1, 1.0))[0] * draws.log_uniform(_SWAY_M, N, 1)

    knees, ankles, heels, toes = (np.empty((N, T, 2, 3), np.float32) for _ in range(4))
    for side, sign in enumerate((1, -1)):
        moves = fidget & ((active == side) | (active == 2))
        lift = bounce * (moves & shaking)[:, None]
        going = step * (moves & ~shaking)[:, None]
        place = _rest(draws, posture, body, crossed=over == side, standing=standing)
        target = place[:, None] + going[..., None] * step_to[:, None]
        target[..., 1] = np.maximum(target[..., 1], 0) + np.float32(_ANKLE_M) + lift
        target[..., 0] = sign * target[..., 0] + unrest
        # The feet belong to the seat, not to the pelvis that leaves it.
        target[..., (0, 2)] += trunk.hips[:, :1, side, (0, 2)]
        pole = np.ones((N, 1, 3), np.float32)
        pole[:, 0, 0] = sign * draws.uniform((-0.1, 0.35), N)
        pole[:, 0, 1] = 0.6
        knee, ankle = two_bones(trunk.hips[:, :, side], target, body.thigh[:, None], body.shin[:, None], pole)

        still = np.zeros(N, np.float32)
        splay: Floats = np.float32(sign) * np.deg2rad(draws.uniform(_SPLAY_DEG, N))
        hanging = np.where(over == side, draws.uniform((-0.6, 0.2), N), still)
        foot, nil = body.foot[:, None], still[:, None]
        frame = rotation(splay, hanging, still)[:, None]
        knees[:, :, side], ankles[:, :, side] = knee, ankle
        heels[:, :, side] = ankle + turned(frame, nil, np.float32(-0.35) * foot, np.float32(-0.25) * foot)
        toe = ankle + turned(frame, nil, np.float32(-0.4) * foot, np.float32(0.7) * foot)
        toe[..., 1] -= lift  # the heel bounces, the toe stays
        toes[:, :, side] = toe
    return Legs(knees, ankles, heels, toes)


def _rest(draws: Draws, posture: Ints, body: Body, *, crossed: Bools, standing: Bools) -> Floats:
    """(N, 3) m where an ankle rests, (outward, up, forward) from below the hip."""
    place = np.array([place for _, place, _ in _FEET], np.float32)[posture]
    place[crossed] = _LEG_OVER_ANKLE
    place[standing] = _STANDING_FEET
    place += np.float32(0.04) * draws.normal(len(posture), 3)
    return place * (body.stature / np.float32(1.7))[:, None]
