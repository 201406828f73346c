"""Stances of legs: the type, and the rest stances. Data only; ``legs`` poses the legs."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from enum import IntEnum

import numpy as np

from mar_edge.training.synth.draws import Floats


class Joint(IntEnum):
    """The coordinates of a stance, in the order of ``Stance.values``."""

    OUT = 0
    UP = 1
    FORWARD = 2
    HEEL = 3
    OPEN = 4
    SPLAY = 5
    PITCH = 6
    ROLL = 7


@dataclass(frozen=True)
class Stance:
    """The stance of one leg. ``out``, ``up``, ``forward``: meters from the floor below the hip to the ankle.

    ``heel``: meters of the heel above the floor with the toes down. All for a person of 1.7 m.
    ``open``: outward angle of the knee, 0 straight ahead, 1 at 45 degrees. The foot in degrees: ``splay`` turns the
    toes outward, ``pitch`` tips them down, ``roll`` lays the foot on its outer edge.
    """

    out: float = 0.0
    up: float = 0.0
    forward: float = 0.0
    heel: float = 0.0
    open: float = 0.0
    splay: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    @property
    def values(self) -> Floats:
        """Return the coordinates (len(Joint),)."""
        return np.array(astuple(self), np.float32)


SIDE_BY_SIDE = Stance(forward=0.38, splay=12)
TUCKED = Stance(up=0.03, forward=0.16, splay=8)
APART = Stance(out=0.13, forward=0.4, open=0.25, splay=20)
WIDE = Stance(out=0.2, forward=0.36, open=0.65, splay=30)
KNEES_TOGETHER = Stance(out=-0.03, forward=0.36, open=-0.08, splay=5)
FORWARD = Stance(out=0.02, forward=0.56, splay=12)
STRETCHED = Stance(out=0.03, forward=0.74, splay=15, pitch=-22)
ASIDE = Stance(out=0.28, forward=0.46, open=0.35, splay=25)
ANKLES_CROSSED = Stance(out=-0.14, forward=0.44, open=0.15, splay=15)
LEG_OVER = Stance(out=-0.24, up=0.30, forward=0.52, splay=-5, pitch=25)
ANKLE_ON_KNEE = Stance(out=-0.17, up=0.46, forward=0.33, open=1.2, splay=-60, pitch=10, roll=30)
HEEL_UP = Stance(forward=0.24, heel=0.09, splay=8)
ON_EDGE = Stance(out=0.04, up=0.02, forward=0.34, open=0.1, splay=10, roll=55)
HEEL_ON_STOOL = Stance(up=0.07, forward=0.08, heel=0.07, open=0.15, splay=10)
STANDING = Stance(out=0.05, forward=0.02, splay=15)

# Rest stances; both feet have the same one, except for a leg over the other.
RESTS: tuple[tuple[Stance, float], ...] = (
    (SIDE_BY_SIDE, 4),
    (APART, 2),
    (TUCKED, 1),
    (FORWARD, 1),
    (ANKLES_CROSSED, 1),
)
