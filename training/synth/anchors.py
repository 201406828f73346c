"""The points on the figure that hand places are measured from, in meters. Independent of hands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mar_edge.training.synth.draws import Floats, Ints
from mar_edge.training.synth.legs import Legs
from mar_edge.training.synth.places import Anchor
from mar_edge.training.synth.rig import Trunk

ON_OTHER_ARM = (Anchor.OTHER_UPPER_ARM, Anchor.OTHER_FOREARM)
_DOWN_THE_THIGH, _HALF = np.float32(0.67), np.float32(0.5)


@dataclass(frozen=True)
class Figure:
    """The parts of N figures that hands reach. ``elbows``, ``wrists`` (N, T, 2, 3) m: current positions of the arms."""

    trunk: Trunk
    legs: Legs
    elbows: Floats | None = None
    wrists: Floats | None = None


def anchored(figure: Figure, anchor: Ints, clip: Ints, side: Ints) -> tuple[Floats, Floats]:
    """Return origins (R, T, 3) m and frames (R, T, 3, 3) of anchors (R,) for the hands of that clip and side (R,)."""
    T = figure.trunk.pelvis.shape[1]
    origin, frame = np.empty((len(anchor), T, 3), np.float32), np.empty((len(anchor), T, 3, 3), np.float32)
    for kind in np.unique(anchor):
        rows = np.flatnonzero(anchor == kind)
        origin[rows], frame[rows] = _one(figure, Anchor(kind), clip[rows], side[rows])
    return origin, frame


def _one(figure: Figure, anchor: Anchor, clip: Ints, side: Ints) -> tuple[Floats, Floats]:
    trunk, legs = figure.trunk, figure.legs
    chest, seat = trunk.chest_frame, trunk.seat_frame
    midline = {
        Anchor.PELVIS: (trunk.pelvis, seat),
        Anchor.CHEST: (trunk.chest, chest),
        Anchor.NECK: (trunk.neck, chest),
        Anchor.HEAD: (trunk.head, trunk.head_frame),
    }
    if anchor in midline:
        origin, frame = midline[anchor]
        return origin[clip], frame[clip]
    # From one joint to the next, the fraction along the way, and the frame.
    shoulder = (trunk.shoulders, trunk.shoulders, np.float32(0), chest)
    thigh = (trunk.hips, legs.knees, _DOWN_THE_THIGH, seat)
    calf = (legs.knees, legs.ankles, _HALF, seat)
    foot = (legs.ankles, legs.toes, _HALF, seat)
    own = {Anchor.OWN_SHOULDER: shoulder, Anchor.OWN_THIGH: thigh, Anchor.OWN_CALF: calf, Anchor.OWN_FOOT: foot}
    other = {
        Anchor.OTHER_SHOULDER: shoulder,
        Anchor.OTHER_THIGH: thigh,
        Anchor.OTHER_CALF: calf,
        Anchor.OTHER_FOOT: foot,
    }
    if figure.elbows is not None and figure.wrists is not None:
        other[Anchor.OTHER_UPPER_ARM] = (trunk.shoulders, figure.elbows, _HALF, chest)
        other[Anchor.OTHER_FOREARM] = (figure.elbows, figure.wrists, _HALF, chest)
    start, end, share, frame = own[anchor] if anchor in own else other[anchor]
    which = side if anchor in own else 1 - side
    a: Floats = start[clip, :, which]
    return a + share * (end[clip, :, which] - a), frame[clip]
