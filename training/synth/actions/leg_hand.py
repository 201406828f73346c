"""Actions of a hand on a leg: 48 to 51."""

from __future__ import annotations

from mar_edge.training.synth.actions.row import Action, Drive, Hand, Leg, Manner, Play, Rhythm, Which, attention
from mar_edge.training.synth.courses import LONG_S, Step
from mar_edge.training.synth.places import Anchor, Part, Place
from mar_edge.training.synth.rig import Channel
from mar_edge.training.synth.stances import ANKLE_ON_KNEE, APART, LEG_OVER, SIDE_BY_SIDE, TUCKED

A, C, P = Anchor, Channel, Part
BOTH, ONE, OTHER = Which.BOTH, Which.ONE, Which.OTHER

_THIGH = Place("thigh", A.OWN_THIGH, (0.0, 0.075, -0.02), (-0.2, -0.1, 1), (0, -1, 0), P.PALM, 0.03)
_KNEE = Place("knee", A.OWN_THIGH, (0.0, 0.075, 0.10), (-0.2, -0.5, 0.9), (0, -1, -0.3), P.PALM, 0.025)
_OTHER_THIGH = Place(
    "other thigh", A.OTHER_THIGH, (0.02, 0.075, 0.0), (-0.6, -0.1, 0.8), (0, -1, 0), P.PALM, 0.03, room=0.4
)
_SHIN = Place("shin", A.OWN_CALF, (0.0, 0.03, 0.06), (-0.2, -1, -0.1), (0, -0.1, -1), P.FINGERTIPS, 0.03)
_CALF = Place("outside of the calf", A.OWN_CALF, (0.05, 0.02, -0.01), (-0.1, -1, 0.1), (-1, 0, 0), P.FINGERTIPS, 0.03)
_OTHER_CALF = Place(
    "other calf", A.OTHER_CALF, (0.03, 0.05, 0.03), (-0.5, -0.8, 0.3), (-0.5, -0.6, -0.3), P.FINGERTIPS, 0.03
)
_FOOT = Place("foot", A.OWN_FOOT, (0.02, 0.03, 0.0), (-0.1, -1, 0.2), (0, -0.5, -0.6), P.FINGERTIPS, 0.02)
_OTHER_FOOT = Place(
    "other foot", A.OTHER_FOOT, (0.02, 0.03, 0.0), (-0.4, -0.8, 0.3), (-0.3, -0.7, -0.3), P.FINGERTIPS, 0.02
)

_WORK = Step((0.2, 0.9), (0.6, LONG_S), returns=0.6, dwell_s=0.6, held=0.3)
_DOWN = Step((0.4, 1.3), (0.6, LONG_S), returns=0.6, dwell_s=0.5, held=0.15)
_SCRATCH = Play((1.5, 4.5), (0.012, 0.05), (0.1, 1, 0.2), curl=(0.05, 0.35))


def _bend(low: float, high: float) -> tuple[Drive, ...]:
    """Return the drives, degrees, that lower the trunk with the hand by bending back and hips."""
    return (
        Drive(C.LEAN, (0.7 * low, 0.7 * high)),
        Drive(C.CHEST_PITCH, (0.3 * low, 0.3 * high)),
        Drive(C.SWAY, (-8, 2)),
        *attention(12, 8),
    )


LEG_HAND: tuple[Action, ...] = (
    Action(
        48,
        "patting legs",
        manners=tuple(
            Manner(
                _WORK,
                attention(5),
                hands=(
                    Hand((_THIGH, _KNEE), which, Play((1.0, 4.5), (0.03, 0.12), (0, 1, 0.1), Rhythm.TAP), (0.1, 0.6)),
                ),
                weight=weight,
            )
            for which, weight in ((ONE, 2), (BOTH, 1))
        ),
    ),
    Action(
        49,
        "touching legs",
        manners=(
            *(
                Manner(
                    _WORK,
                    attention(6),
                    hands=(Hand((_THIGH, _KNEE), which, Play((0.5, 2.8), (0.02, 0.09), (0.1, 0, 1)), (0.2, 0.7)),),
                    weight=weight,
                )
                for which, weight in ((ONE, 2), (BOTH, 2))
            ),
            Manner(
                _WORK,
                attention(6),
                hands=(Hand((_OTHER_THIGH,), play=Play((0.5, 2.8), (0.02, 0.07), (0.3, 0, 1)), curl=(0.2, 0.7)),),
            ),
        ),
    ),
    Action(
        50,
        "scratching legs",
        only_seated=True,
        manners=(
            Manner(
                _DOWN,
                _bend(25, 52),
                hands=(Hand((_SHIN, _CALF), play=_SCRATCH, curl=(0.5, 1.1)),),
                legs=(Leg(rest=(SIDE_BY_SIDE, APART, TUCKED)),),
                weight=2,
            ),
            Manner(
                _DOWN,
                _bend(5, 30),
                hands=(Hand((_OTHER_CALF,), play=_SCRATCH, curl=(0.5, 1.1)),),
                legs=(Leg((), OTHER, rest=(ANKLE_ON_KNEE, LEG_OVER)),),
            ),
        ),
    ),
    Action(
        51,
        "scratching feet",
        only_seated=True,
        manners=(
            Manner(
                _DOWN,
                _bend(42, 66),
                hands=(Hand((_FOOT,), play=_SCRATCH, curl=(0.5, 1.1)),),
                legs=(Leg(rest=(SIDE_BY_SIDE, TUCKED)),),
                weight=1.5,
            ),
            Manner(
                _DOWN,
                _bend(5, 35),
                hands=(Hand((_OTHER_FOOT,), play=_SCRATCH, curl=(0.5, 1.1)),),
                legs=(Leg((), OTHER, rest=(ANKLE_ON_KNEE,)),),
                weight=1.5,
            ),
        ),
    ),
)
