"""Where a wrist can be: at rest, touching, in a gesture. Data only; ``arms`` poses it.

Offsets are metres for a person of 1.7 m, as (outward, up, forward) in the anchor's own frame: one row serves both
sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

Vector = tuple[float, float, float]


class Anchor(IntEnum):
    """What a hand's place is measured from."""

    PELVIS = 0
    CHEST = 1
    HEAD = 2
    OWN_THIGH = 3  # two thirds of the way from hip to knee
    OTHER_FOREARM = 4


@dataclass(frozen=True)
class Place:
    """Where a wrist can be: ``fingers`` is the way the fingers point, ``palm`` the way the palm faces."""

    name: str
    anchor: Anchor
    wrist: Vector
    fingers: Vector
    palm: Vector = (0, -1, 0)
    room: float = 1.0
    desk: float = 1.0


# Weights are those in a room and at a desk.
RESTS: tuple[Place, ...] = (
    Place("thigh", Anchor.OWN_THIGH, (0.0, 0.08, -0.06), (-0.3, -0.1, 1), room=3, desk=0.5),
    Place("knee", Anchor.OWN_THIGH, (0.0, 0.08, 0.06), (-0.2, -0.5, 0.8), room=1, desk=0.1),
    Place("lap", Anchor.PELVIS, (0.07, 0.12, 0.22), (-1, -0.1, 0.4), room=3, desk=1),
    Place("belly", Anchor.PELVIS, (0.10, 0.22, 0.20), (-1, 0.1, 0.1), (0, 0, -1), room=1, desk=0.5),
    Place("beside", Anchor.PELVIS, (0.26, 0.04, 0.03), (0, -0.6, 0.6), room=0.7, desk=0.2),
    Place("armrest", Anchor.PELVIS, (0.29, 0.21, 0.22), (0, 0, 1), room=0.7, desk=0.5),
    Place("crossed", Anchor.CHEST, (-0.10, 0.10, 0.20), (-1, 0.2, -0.2), (0, 0, -1), room=0.6, desk=0.4),
    Place("desk", Anchor.PELVIS, (0.16, 0.22, 0.38), (-0.4, -0.1, 1), room=0.3, desk=3),
    Place("chin", Anchor.HEAD, (0.02, -0.17, 0.10), (-0.1, 0.8, -0.2), (0, 0, -1), room=0.2, desk=0.3),
)
TOUCHES: tuple[Place, ...] = (
    Place("cheek", Anchor.HEAD, (0.08, -0.13, 0.13), (-0.3, 0.9, -0.2), (-0.4, 0, -1)),
    Place("nose or mouth", Anchor.HEAD, (0.05, -0.14, 0.17), (-0.3, 0.9, -0.2), (0, 0, -1)),
    Place("eye or glasses", Anchor.HEAD, (0.07, -0.07, 0.18), (-0.3, 0.9, -0.4), (0, 0, -1)),
    Place("forehead", Anchor.HEAD, (0.06, -0.02, 0.18), (-0.3, 0.9, -0.4), (0, 0, -1)),
    Place("hair", Anchor.HEAD, (0.15, 0.08, 0.05), (-0.7, 0.6, -0.2), (-0.6, -0.5, 0)),
    Place("ear", Anchor.HEAD, (0.15, -0.08, 0.03), (-0.3, 0.8, -0.2), (-1, 0, 0)),
    Place("neck", Anchor.HEAD, (0.13, -0.19, 0.02), (-0.5, 0.6, -0.4), (-0.6, 0, -0.6)),
    Place("chest", Anchor.CHEST, (0.02, 0.14, 0.18), (-1, 0.2, -0.1), (0, 0, -1)),
    Place("other shoulder", Anchor.CHEST, (-0.12, 0.26, 0.12), (-0.8, 0.3, -0.4), (0, -0.5, -0.8)),
    Place("other arm", Anchor.OTHER_FOREARM, (0.0, 0.05, 0.05), (-1, 0.1, -0.1), (0, -0.6, -0.8)),
    Place("thigh", Anchor.OWN_THIGH, (0.0, 0.08, 0.0), (-0.3, -0.1, 1)),
    Place("lap", Anchor.PELVIS, (0.05, 0.14, 0.22), (-1, 0, 0.3), (0, -0.5, -0.8)),
)
GESTURES: tuple[Place, ...] = (
    Place("before the chest", Anchor.CHEST, (0.14, 0.05, 0.34), (-0.2, 0.5, 0.8), (-0.8, 0.4, 0.2)),
    Place("aside", Anchor.CHEST, (0.32, 0.0, 0.28), (0.4, 0.4, 0.8), (-0.3, 0.8, 0.3)),
    Place("low", Anchor.PELVIS, (0.16, 0.26, 0.38), (-0.1, 0.2, 1), (-0.5, 0.7, 0)),
)
PLACES = (*RESTS, *TOUCHES, *GESTURES)
