"""How much of a person the picture shows: all, to the hips, head and shoulders, the face, or any part."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from mar_edge.edge.labels import ma52_labels
from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.draws import Bools, Draws, Floats, Ints, Range
from mar_edge.training.synth.world import World


class Framing(IntEnum):
    """Where the picture's lower border cuts. Legs act in none but FULL."""

    FULL = 0  # a camera in the room, which need not show the feet
    BUST = 1  # a webcam, which shows what its lens and place happen to show
    FACE = 2
    HIPS = 3
    CROP = 4  # anywhere from the shoulders to the feet


# The borders in parts of the way from eyes to mouth (up), or from one level of the body to the next (down).
_ABOVE_CROWN: Range = (-0.3, 2.5)
_ABOVE_FACE: Range = (-0.4, 1.4)
_CROWN = np.float32(1.1)
_CHIN = np.float32(0.55)
_BELOW_CHIN: Range = (0.0, 0.7)  # of the way to the shoulders
_BELOW_HIPS: Range = (0.05, 0.6)  # of the way to the knees, or of half the trunk where that is longer
_DOWN_TO_FEET: Range = (0.0, 1.0)  # of the way from the shoulders

_BODY = {label.id: label.body for label in ma52_labels()}
_LEGS = np.array([_BODY.get(action.id, action.body) in ("lower limb", "leg-hand") for action in ACTIONS])


def shows_legs(rows: Ints) -> Bools:
    """Whether actions, rows of ``ACTIONS``, happen where only a picture of the whole person looks."""
    return _LEGS[rows]


def draw_framing(draws: Draws, desk: Bools, legs: Bools, world: World) -> Ints:
    """(N,) framings; all of those whose ``legs`` (N,) act are seen."""
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
    """Upper and lower border (N,) of the picture, in the unit of v, upwards.

    Args:
        v: (N, 5) where eyes, mouth, shoulders, hips and knees are, and (N,) below them the lowest ankle: (N, 6).
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
    bottom = np.minimum(bottom, top - np.float32(1.8) * face)  # a picture holds a face
    return top.astype(np.float32), bottom.astype(np.float32)
