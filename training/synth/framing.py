"""Framing: the part of a person in the picture, from the whole body to the face."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from mar_edge.edge.labels import ma52_labels
from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.draws import Bools, Draws, Floats, Ints, Range
from mar_edge.training.synth.world import World


class Framing(IntEnum):
    """The lower border of the picture. Legs act only in FULL."""

    FULL = 0  # a camera in the room, which may cut off the feet
    BUST = 1  # a webcam; its lens and place determine the border
    FACE = 2
    HIPS = 3
    CROP = 4  # anywhere from the shoulders to the feet


# Borders. Upper: in eye-mouth distances. Lower: as a share of the distance from one body level to the next.
_ABOVE_CROWN: Range = (-0.3, 2.5)
_ABOVE_FACE: Range = (-0.4, 1.4)
_CROWN = np.float32(1.1)
_CHIN = np.float32(0.55)
_BELOW_CHIN: Range = (0.0, 0.7)  # share of the distance to the shoulders
_BELOW_HIPS: Range = (0.05, 0.6)  # share of the distance to the knees, or of half the trunk if longer
_DOWN_TO_FEET: Range = (0.0, 1.0)  # share of the distance from the shoulders

_BODY = {label.id: label.body for label in ma52_labels()}
_LEGS = np.array([_BODY.get(action.id, action.body) in ("lower limb", "leg-hand") for action in ACTIONS])


def shows_legs(rows: Ints) -> Bools:
    """Tell which actions, rows of ``ACTIONS``, are visible only in a picture of the whole person."""
    return _LEGS[rows]


def draw_framing(draws: Draws, desk: Bools, legs: Bools, world: World) -> Ints:
    """Draw framings (N,); people whose ``legs`` (N,) act are in full view."""
    N = len(desk)
    at_desk = np.array((Framing.FACE, Framing.HIPS, Framing.CROP, Framing.BUST))[
        draws.choice(_shares(world.face_only, world.desk_to_hips, world.desk_crop), N)
    ]
    in_room = np.array((Framing.HIPS, Framing.CROP, Framing.FULL))[
        draws.choice(_shares(world.room_to_hips, world.room_crop), N)
    ]
    framing: Ints = np.where(desk, at_desk, np.where(legs, Framing.FULL, in_room)).astype(np.intp)
    return framing


def _shares(*some: float) -> tuple[float, ...]:
    return (*some, 1 - sum(some))


def borders(draws: Draws, framing: Ints, v: Floats) -> tuple[Floats, Floats]:
    """Return upper and lower border (N,) of the picture, in the unit of v, upward.

    Args:
        v: (N, 6) heights of eyes, mouth, shoulders, hips, knees and the lowest ankle.
    """
    N = len(framing)
    eyes, mouth, shoulders, hips, knees, ankles = v.T
    face = np.maximum(np.abs(eyes - mouth), np.float32(1e-3))
    over = draws.uniform(_ABOVE_CROWN, N)
    over = np.where(framing == Framing.FACE, draws.uniform(_ABOVE_FACE, N), over)
    top = eyes + (_CROWN + over) * face
    chin = mouth - _CHIN * face
    to_face = chin + draws.uniform(_BELOW_CHIN, N) * np.minimum(shoulders - chin, 0)
    thigh = np.maximum(hips - knees, np.float32(0.5) * (shoulders - hips))
    to_hips = hips - draws.uniform(_BELOW_HIPS, N) * thigh
    anywhere = shoulders + draws.uniform(_DOWN_TO_FEET, N) * (ankles - shoulders)
    bottom = np.select([framing == Framing.FACE, framing == Framing.HIPS], [to_face, to_hips], anywhere)
    bottom = np.minimum(bottom, top - np.float32(1.8) * face)  # the picture contains the face
    return top.astype(np.float32), bottom.astype(np.float32)
