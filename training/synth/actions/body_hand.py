"""Actions of a hand on the trunk: 32 to 37."""

from __future__ import annotations

from mar_edge.training.synth.actions.row import Action, Drive, Hand, Manner, Play, Which, attention
from mar_edge.training.synth.courses import LONG_S, Step
from mar_edge.training.synth.places import Anchor, Part, Place
from mar_edge.training.synth.rig import Channel

A, C, P = Anchor, Channel, Part

_NECK_SIDE = Place(
    "side of the neck", A.NECK, (0.06, 0.07, 0.01), (-0.5, 0.6, -0.6), (-0.8, 0, -0.4), P.FINGERTIPS, 0.012
)
_NAPE = Place("nape", A.NECK, (0.025, 0.075, -0.055), (-0.6, 0.3, -0.7), (-0.5, -0.1, 0.6), P.FINGERTIPS, 0.012)
_THROAT = Place("throat", A.NECK, (0.015, 0.06, 0.075), (-0.6, 0.7, -0.3), (0, 0, -1), P.FINGERTIPS, 0.012)
_CHEST = Place("chest", A.CHEST, (0.0, 0.17, 0.12), (-0.9, 0.35, -0.1), (0, 0, -1), P.PALM, 0.03)
_CHEST_SIDE = Place(
    "other side of the chest", A.CHEST, (-0.07, 0.16, 0.12), (-1, 0.25, -0.2), (0, 0, -1), P.FINGERTIPS, 0.025
)
_BELLY = Place("belly", A.CHEST, (0.02, 0.02, 0.14), (-1, -0.05, 0.1), (0, 0, -1), P.PALM, 0.03, room=0.5, desk=0.3)
_LOW_BACK = Place("small of the back", A.CHEST, (0.06, -0.04, -0.13), (-0.8, 0.4, -0.2), (0, 0, 1), P.FINGERTIPS, 0.03)
_UPPER_BACK = Place(
    "back below the neck", A.NECK, (0.03, -0.05, -0.12), (-0.3, -0.9, -0.2), (0, 0, 1), P.FINGERTIPS, 0.025
)
_FLANK = Place("back of the side", A.CHEST, (0.14, 0.0, -0.09), (-0.4, 0.3, -0.7), (-0.5, 0, 0.8), P.FINGERTIPS, 0.025)
_OTHER_SHOULDER = Place(
    "other shoulder", A.OTHER_SHOULDER, (0.01, 0.05, 0.02), (-0.8, 0.3, -0.5), (-0.1, -1, -0.4), P.FINGERTIPS, 0.02
)
_OWN_SHOULDER = Place(
    "own shoulder", A.OWN_SHOULDER, (0, 0.045, 0.02), (-0.1, 0.1, -1), (0, -1, -0.2), P.FINGERTIPS, 0.02
)
_HIP = Place("hip", A.PELVIS, (0.15, 0.13, 0.04), (-0.5, -0.5, 0.7), (-1, -0.2, 0), P.PALM, 0.02)
_CROSSED_OVER = Place("crossed, over", A.CHEST, (-0.10, 0.12, 0.20), (-1, 0.2, -0.3), (0, 0, -1), off_m=0.025)
_CROSSED_UNDER = Place("crossed, under", A.CHEST, (-0.07, 0.05, 0.16), (-1, 0.4, -0.1), (0, 0, -1), off_m=0.025)

_TOUCH = Step((0.2, 0.95), (0.4, LONG_S), returns=0.65, dwell_s=0.4)
_RUB = Step((0.2, 0.95), (0.5, LONG_S), returns=0.6, dwell_s=0.5, held=0.25)


def _touches(
    *places: Place,
    axis: tuple[float, float, float] = (0.4, 1, 0.2),
    drives: tuple[Drive, ...] = (),
    elbow: tuple[float, float, float] | None = None,
    weight: float = 1.0,
) -> tuple[Manner, ...]:
    """Return the manners of a hand that comes and stays, or comes and scratches."""
    play = Play((1.0, 4.5), (0.008, 0.04), axis, curl=(0.0, 0.35))
    return (
        Manner(_TOUCH, drives, hands=(Hand(places, elbow=elbow),), weight=weight),
        Manner(_RUB, drives, hands=(Hand(places, play=play, curl=(0.4, 1.1), elbow=elbow),), weight=2 * weight),
    )


BODY_HAND: tuple[Action, ...] = (
    Action(
        32,
        "scratching or touching neck",
        manners=(
            *_touches(_NECK_SIDE, _THROAT, drives=attention(4)),
            *_touches(_NAPE, drives=attention(14), elbow=(1, -0.3, 0.4), weight=0.7),
        ),
    ),
    Action(
        33,
        "scratching or touching chest",
        manners=_touches(_CHEST, _CHEST_SIDE, _BELLY, axis=(0.7, 0.8, 0), drives=attention(10)),
    ),
    Action(
        34,
        "scratching or touching back",
        manners=(
            *_touches(
                _LOW_BACK,
                _FLANK,
                drives=(Drive(C.CHEST_YAW, (0, 10)), Drive(C.LEAN, (0, 14)), *attention(6)),
                elbow=(1, 0.1, -0.8),
            ),
            *_touches(_UPPER_BACK, drives=(Drive(C.LEAN, (0, 8)), *attention(14)), elbow=(0.6, 1, 0.7), weight=0.6),
        ),
    ),
    Action(
        35,
        "scratching or touching shoulder",
        manners=(
            *_touches(_OTHER_SHOULDER, axis=(0.8, 0.2, 0.5), drives=attention(5), weight=1.5),
            *_touches(_OWN_SHOULDER, axis=(0.7, 0.1, 0.7), drives=attention(5), elbow=(0.5, -0.5, 1)),
        ),
    ),
    Action(
        36,
        "arms akimbo",
        manners=tuple(
            Manner(
                Step((0.25, 1.0), (0.5, LONG_S), returns=0.35, dwell_s=0.3),
                hands=(Hand((_HIP,), which, elbow=(1, -0.1, -0.5)),),
                weight=weight,
            )
            for which, weight in ((Which.BOTH, 2), (Which.ONE, 1))
        ),
    ),
    Action(
        37,
        "crossing arms",
        manners=(
            Manner(
                Step((0.3, 1.2), (0.5, LONG_S), returns=0.35, dwell_s=0.3),
                hands=(
                    Hand((_CROSSED_OVER,), lag_s=(0.0, 0.3)),
                    Hand((_CROSSED_UNDER,), Which.OTHER),
                ),
            ),
        ),
    ),
)
