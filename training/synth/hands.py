"""A hand from wrist to fingertips: its shape for given bends, and its parts relative to the wrist. Meters, radians.

The frame of a hand: along (wrist to knuckles), thumbward, and palm (the direction that the palm faces).
"""

from __future__ import annotations

import numpy as np

from mar_edge.training.synth.draws import Floats, Ints
from mar_edge.training.synth.ik import cross, unit
from mar_edge.training.synth.places import Part

FINGERS = ("index", "middle", "ring", "little")
# As shares of the hand's length: offset of knuckles toward the thumb, and lengths of the fingers.
_KNUCKLE = np.array((0.17, 0.05, -0.07, -0.18), np.float32)
_FINGER = np.array((0.44, 0.5, 0.45, 0.36), np.float32)
_TO_KNUCKLES = np.float32(0.5)
_PALM = (0.38, 0.0, 0.1)
_MIDDLE_JOINT = (0.68, 0.0, 0.06)


def bend(curl: Floats) -> tuple[Floats, Floats]:
    """Return the reach of a finger bent in an arc, along the hand and toward the palm, as shares of its length."""
    curl = np.maximum(curl, np.float32(0.02))
    sine: Floats = np.sin(curl)
    versine: Floats = 1 - np.cos(curl)
    return sine / curl, versine / curl


def part_from_wrist(part: Ints, length: Floats, curl: Floats) -> Floats:
    """Return (R, 3) m (along, thumbward, palm) from wrists to a ``Part`` of hands (R,) with finger curl (R, 4) rad."""
    ahead, inward = bend(curl)
    tips = np.stack(
        [
            _TO_KNUCKLES + _FINGER * ahead,
            np.broadcast_to(_KNUCKLE, curl.shape),
            _FINGER * inward,
        ],
        axis=-1,
    )  # (R, 4, 3)
    out = np.zeros((len(part), 3), np.float32)
    out[part == Part.PALM] = _PALM
    out[part == Part.FINGERS] = _MIDDLE_JOINT
    out[part == Part.INDEX] = tips[part == Part.INDEX, 0]
    out[part == Part.FINGERTIPS] = tips[part == Part.FINGERTIPS, :2].mean(axis=1)
    return out * length[:, None]


def hand_frame(along: Floats, palm: Floats, sign: Floats | int) -> tuple[Floats, Floats, Floats]:
    """Return unit vectors (along, thumbward, palm) of hands with about these directions; sign 1 is a left hand."""
    along = unit(along)
    thumbward = np.float32(1) * sign * unit(cross(palm, along))
    return along, thumbward, np.float32(1) * sign * cross(along, thumbward)


def pose_hand(
    wrist: Floats, along: Floats, palm: Floats, *, sign: int, length: Floats, curl: Floats
) -> tuple[Floats, Floats]:
    """Return tips (N, T, 5, 3), thumb to little finger, and knuckles (N, T, 3, 3) of little finger, index and thumb.

    ``curl`` (N, T, 4) rad from index to little finger.
    """
    along, thumbward, palm = hand_frame(along, palm, sign)
    L = length[:, None, None]
    base = wrist + _TO_KNUCKLES * L * along
    ahead, inward = bend(curl)
    knuckles = base[:, :, None] + (L[..., None] * _KNUCKLE[:, None]) * thumbward[:, :, None]  # (N, T, 4, 3)
    reach = L * _FINGER
    tips = np.empty((*wrist.shape[:2], 5, 3), np.float32)
    tips[:, :, 1:] = (
        knuckles + (reach * ahead)[..., None] * along[:, :, None] + (reach * inward)[..., None] * palm[:, :, None]
    )
    thumb = wrist + L * (np.float32(0.22) * along + np.float32(0.2) * thumbward)
    # The thumb bends about half as far as the index finger, over the palm.
    ahead, inward = ahead[..., :1], inward[..., :1]
    tips[:, :, 0] = thumb + L * (
        np.float32(0.14) * ((1 + ahead) * along + inward * palm) + np.float32(0.16) * ahead * thumbward
    )
    return tips, np.stack([knuckles[:, :, 3], knuckles[:, :, 0], thumb], axis=2)
