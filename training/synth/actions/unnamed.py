"""Movements without a label: people shift a hand, a foot, or their seat."""

from __future__ import annotations

from mar_edge.training.synth.actions.row import Action, Drive, Hand, Leg, Manner, Play, attention
from mar_edge.training.synth.courses import Step
from mar_edge.training.synth.places import RESTS, Anchor, Part, Place
from mar_edge.training.synth.rig import Channel
from mar_edge.training.synth.stances import SIDE_BY_SIDE, Stance

C = Channel
UNNAMED_ID = -1

_SHIFT = Step((0.25, 1.3), (0.2, 2.5), returns=0.3)
_CHIN = Place("chin", Anchor.HEAD, (0.005, -0.085, 0.085), (-0.4, 0.8, -0.3), (-0.1, 0.3, -1), Part.FINGERTIPS, 0.01)
_NEAR_REST = tuple(place for place in RESTS if place.name not in ("thigh", "knee"))

UNNAMED: tuple[Action, ...] = (
    Action(
        UNNAMED_ID,
        "shifting a hand",
        manners=(Manner(_SHIFT, hands=(Hand(_NEAR_REST, curl=(0.3, 1.3)),)),),
        weight=3,
    ),
    Action(
        UNNAMED_ID,
        "shifting a foot",
        manners=(
            Manner(
                _SHIFT,
                legs=(
                    Leg(
                        (Stance(out=0.05, forward=0.42, splay=20), Stance(out=-0.04, forward=0.33, splay=5)),
                        rest=(SIDE_BY_SIDE,),
                    ),
                ),
            ),
        ),
        weight=1.5,
    ),
    Action(
        UNNAMED_ID,
        "shifting in the seat",
        manners=(
            Manner(
                _SHIFT,
                (
                    Drive(C.PELVIS_X, (-0.03, 0.03)),
                    Drive(C.PELVIS_Z, (-0.03, 0.03)),
                    Drive(C.SWAY, (-2, 2)),
                    Drive(C.LEAN, (-3, 3)),
                ),
            ),
        ),
    ),
    Action(
        UNNAMED_ID,
        "touching the chin",
        manners=(
            Manner(
                Step((0.18, 0.9), (0.4, 6), returns=0.6, dwell_s=0.3),
                attention(8),
                hands=(Hand((_CHIN,), play=Play((0.8, 4), (0.0, 0.02), (0.6, 0.6, 0)), curl=(0.4, 1.5)),),
            ),
        ),
        weight=0.5,
    ),
)
