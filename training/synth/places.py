"""Places of hands: the type, and the rest places. Data only; ``arms`` poses the hands.

Offsets are meters for a person of 1.7 m, as (outward, up, forward) in the frame of the anchor: one row serves both
sides. Outward is away from the midline on the hand's own side, even if the anchor is on the other side.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from mar_edge.training.synth.draws import Range

Vector = tuple[float, float, float]


class Anchor(IntEnum):
    """The origin and frame of a hand's place."""

    PELVIS = 0
    CHEST = 1  # between lumbar spine and thorax
    NECK = 2  # between the shoulders
    HEAD = 3  # the joint between skull and spine; offsets are for an average head
    OWN_SHOULDER = 4
    OTHER_SHOULDER = 5
    OWN_THIGH = 6  # two thirds of the way from hip to knee
    OTHER_THIGH = 7
    OWN_CALF = 8  # halfway from knee to ankle
    OTHER_CALF = 9
    OWN_FOOT = 10  # halfway from ankle to toes
    OTHER_FOOT = 11
    OTHER_UPPER_ARM = 12  # these two follow the other arm
    OTHER_FOREARM = 13


class Part(IntEnum):
    """The part of a hand that is at the place."""

    WRIST = 0
    PALM = 1
    FINGERTIPS = 2  # between the tips of index and middle finger
    INDEX = 3  # the tip of the index finger
    FINGERS = 4  # first joint of the middle finger


@dataclass(frozen=True)
class Place:
    """A place of a hand: ``at`` is the position of ``part``; ``fingers`` and ``palm`` are directions.

    ``off_m`` is the standard deviation of the position between people. Hands that ``meet`` at a place on the midline
    share their offset. Weights: probability in a room, at a desk where the camera sees little below the chest, and for
    standing people. ``low``: far from the goals of hands.
    """

    name: str
    anchor: Anchor
    at: Vector
    fingers: Vector
    palm: Vector = (0, -1, 0)
    part: Part = Part.WRIST
    off_m: float = 0.025
    meet: bool = False
    room: float = 1.0
    desk: float = 1.0
    standing: float = 0.0
    low: bool = False


A = Anchor
RESTS: tuple[Place, ...] = (
    Place("thigh", A.OWN_THIGH, (0.0, 0.08, -0.06), (-0.3, -0.1, 1), room=3, desk=0.5, low=True),
    Place("knee", A.OWN_THIGH, (0.0, 0.08, 0.06), (-0.2, -0.5, 0.8), room=1, desk=0.1, low=True),
    Place("lap", A.PELVIS, (0.07, 0.12, 0.22), (-1, -0.1, 0.4), room=3, desk=1, standing=0.7, low=True),
    Place("belly", A.PELVIS, (0.10, 0.22, 0.20), (-1, 0.1, 0.1), (0, 0, -1), room=1, desk=0.5, standing=0.7),
    Place("next to the body", A.PELVIS, (0.26, 0.04, 0.03), (0, -0.6, 0.6), room=0.7, desk=0.2, low=True),
    Place("armrest", A.PELVIS, (0.29, 0.21, 0.22), (0, 0, 1), room=0.7, desk=0.5),
    Place("desk", A.PELVIS, (0.16, 0.22, 0.38), (-0.4, -0.1, 1), room=0.3, desk=3),
    Place(
        "clasped", A.PELVIS, (0.06, 0.13, 0.26), (-0.7, -0.1, 0.7), (-0.7, -0.3, -0.5), room=0.8, desk=0.5, standing=0.5
    ),
    Place(
        "hanging", A.PELVIS, (0.25, -0.08, 0.04), (0.05, -1, 0.15), (-1, 0, 0), off_m=0.04, room=0, desk=0, standing=4
    ),
    Place(
        "clasped low",
        A.PELVIS,
        (0.05, -0.02, 0.16),
        (-0.6, -0.7, 0.2),
        (-0.3, 0, -1),
        room=0.4,
        desk=0.6,
        standing=1.2,
        low=True,
    ),
    Place(
        "behind the back",
        A.PELVIS,
        (0.06, 0.08, -0.17),
        (-0.9, -0.3, -0.1),
        (0, 0, 1),
        room=0.1,
        desk=0.1,
        standing=0.6,
    ),
)
# Rest places that look like an action after an arrival: acting hands do not start from them.
POSES: tuple[Place, ...] = (
    Place("crossed", A.CHEST, (-0.10, 0.10, 0.20), (-1, 0.2, -0.2), (0, 0, -1), room=0.6, desk=0.4, standing=0.4),
    Place("chin", A.HEAD, (0.02, -0.17, 0.10), (-0.1, 0.8, -0.2), (0, 0, -1), room=0.2, desk=0.3),
    Place("cheek", A.HEAD, (0.09, -0.14, 0.09), (-0.1, 1, -0.3), (-0.6, 0, -0.6), room=0.15, desk=0.3),
)
# Curl of the fingers at rest, in radians from root to tip.
REST_CURL: Range = (0.2, 1.5)
