"""Actions of legs and feet: 24 to 31. All are performed seated."""

from __future__ import annotations

from mar_edge.training.synth.actions.row import Action, Drive, Leg, Manner, Shake, Which, follow
from mar_edge.training.synth.courses import LONG_S, Step
from mar_edge.training.synth.rig import Channel
from mar_edge.training.synth.stances import (
    ANKLE_ON_KNEE,
    ANKLES_CROSSED,
    APART,
    ASIDE,
    FORWARD,
    HEEL_ON_STOOL,
    HEEL_UP,
    KNEES_TOGETHER,
    LEG_OVER,
    ON_EDGE,
    SIDE_BY_SIDE,
    STRETCHED,
    TUCKED,
    WIDE,
    Stance,
)

C = Channel
BOTH, ONE, OTHER = Which.BOTH, Which.ONE, Which.OTHER

_MOVE = Step((0.35, 1.3), (0.3, 3), returns=0.25)
_SHAKE = Step((0.1, 0.4), (0.6, LONG_S), returns=0.5, dwell_s=0.6, held=0.5)
_SHIFT = (Drive(C.SWAY, (-3, 3)), Drive(C.LEAN, (-4, 4)), Drive(C.PELVIS_YAW, (-4, 4)))
_KNEES_OUT = Stance(forward=0.38, open=0.75, splay=20)
_ONE_FLOOR = (SIDE_BY_SIDE, APART, TUCKED)


def _shakes(shake: Shake, *stances: Stance, which: Which = ONE, weight: float = 1.0) -> Manner:
    """Return a manner that shakes the leg where it is, or in one of the stances."""
    return Manner(_SHAKE, follow(C.SWAY, C.LEAN, share=0.4), legs=(Leg((), which, shake, rest=stances),), weight=weight)


LOWER_LIMB: tuple[Action, ...] = (
    Action(
        24,
        "shaking legs",
        only_seated=True,
        manners=(
            _shakes(Shake((1.8, 6.5), Stance(heel=0.06), (0.4, 1.3), tap=True), SIDE_BY_SIDE, APART, TUCKED, weight=3),
            _shakes(Shake((1.8, 6), Stance(heel=0.055), (0.4, 1.3), tap=True), SIDE_BY_SIDE, APART, TUCKED, which=BOTH),
            _shakes(Shake((1.2, 4.5), Stance(open=0.25), (0.4, 1.3)), SIDE_BY_SIDE, APART, which=BOTH),
            _shakes(Shake((1.0, 4.5), Stance(up=0.03, forward=0.05, pitch=16), (0.4, 1.3)), LEG_OVER, weight=1.5),
        ),
    ),
    Action(
        25,
        "curling legs",
        only_seated=True,
        manners=(
            Manner(
                Step((0.5, 1.6), (0.4, LONG_S), returns=0.2),
                (*_SHIFT, Drive(C.LEAN, (-10, 2))),
                legs=(Leg((LEG_OVER,), rest=_ONE_FLOOR),),
                weight=2,
            ),
            Manner(
                Step((0.5, 1.6), (0.4, LONG_S), returns=0.2),
                (*_SHIFT, Drive(C.LEAN, (-6, 6))),
                legs=(Leg((ANKLE_ON_KNEE,), rest=_ONE_FLOOR),),
            ),
        ),
    ),
    Action(
        26,
        "spread legs",
        back=27,
        only_seated=True,
        manners=(
            Manner(_MOVE, _SHIFT, legs=(Leg((WIDE, _KNEES_OUT), BOTH, rest=(KNEES_TOGETHER, SIDE_BY_SIDE)),), weight=3),
            Manner(
                _MOVE,
                _SHIFT,
                legs=(Leg((WIDE,), rest=(KNEES_TOGETHER, SIDE_BY_SIDE)), Leg((), OTHER, rest=(SIDE_BY_SIDE,))),
            ),
        ),
    ),
    Action(
        27,
        "closing legs",
        only_seated=True,
        after=26,
        manners=(
            Manner(
                Step((0.35, 1.3), returns=0),
                _SHIFT,
                legs=(Leg((WIDE, _KNEES_OUT), BOTH, rest=(KNEES_TOGETHER, SIDE_BY_SIDE), leaves=True),),
            ),
        ),
    ),
    Action(
        28,
        "crossing legs",
        only_seated=True,
        after=25,
        manners=(
            Manner(
                Step((0.5, 1.3), returns=0),
                (*_SHIFT, Drive(C.LEAN, (-6, 6))),
                legs=(
                    Leg((LEG_OVER,), rest=(SIDE_BY_SIDE,), leaves=True),
                    Leg((LEG_OVER,), OTHER, rest=(SIDE_BY_SIDE,), lag_s=(0.25, 0.7)),
                ),
                weight=2,
            ),
            Manner(
                Step((0.4, 1.2), returns=0),
                _SHIFT,
                legs=(Leg((ANKLES_CROSSED,), BOTH, rest=(SIDE_BY_SIDE, FORWARD)),),
            ),
        ),
    ),
    Action(
        29,
        "stretching feet",
        back=30,
        only_seated=True,
        manners=(
            Manner(_MOVE, _SHIFT, legs=(Leg((STRETCHED, ASIDE, FORWARD), rest=(TUCKED, SIDE_BY_SIDE)),), weight=2),
            Manner(_MOVE, _SHIFT, legs=(Leg((STRETCHED, FORWARD), BOTH, rest=(TUCKED, SIDE_BY_SIDE)),)),
        ),
    ),
    Action(
        30,
        "retracting feet",
        only_seated=True,
        after=29,
        manners=(
            Manner(
                Step((0.35, 1.2), returns=0),
                _SHIFT,
                legs=(Leg((STRETCHED, ASIDE, FORWARD), rest=(TUCKED,), leaves=True),),
                weight=2,
            ),
            Manner(
                Step((0.35, 1.2), returns=0),
                _SHIFT,
                legs=(Leg((STRETCHED, FORWARD), BOTH, rest=(TUCKED,), leaves=True),),
            ),
        ),
    ),
    Action(
        31,
        "tiptoe",
        only_seated=True,
        manners=(
            Manner(_MOVE, legs=(Leg((HEEL_UP, ON_EDGE, HEEL_ON_STOOL), rest=(SIDE_BY_SIDE,)),), weight=2),
            Manner(_MOVE, legs=(Leg((HEEL_UP, ON_EDGE), BOTH, rest=(SIDE_BY_SIDE,)),)),
        ),
    ),
)
