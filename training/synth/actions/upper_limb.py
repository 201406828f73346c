"""Actions of arms and hands in the air or on each other: 11 to 23."""

from __future__ import annotations

from mar_edge.training.synth.actions.row import Action, Drive, Hand, Manner, Play, Rhythm, Which, attention
from mar_edge.training.synth.courses import LONG_S, Step, Swing
from mar_edge.training.synth.places import Anchor, Part, Place
from mar_edge.training.synth.rig import Channel

A, C, P = Anchor, Channel, Part
BOTH, OTHER = Which.BOTH, Which.OTHER

_FOREARM = Place("other forearm", A.OTHER_FOREARM, (0, 0.035, 0.03), (-0.8, -0.3, -0.3), (0, -0.7, -0.7), P.FINGERTIPS)
_UPPER_ARM = Place("other upper arm", A.OTHER_UPPER_ARM, (0, 0, 0.05), (-1, 0.1, -0.3), (0, 0, -1), P.FINGERTIPS)
_HELD_OUT = Place("before the belly", A.PELVIS, (0.02, 0.24, 0.28), (-1, 0, 0.3), (0, -0.4, -0.9), off_m=0.04)

_OBJECT_LOW = Place(
    "object", A.PELVIS, (0.05, 0.24, 0.33), (-0.4, 0.1, 0.9), (-0.8, -0.3, 0), P.FINGERTIPS, 0.04, desk=0.3
)
_OBJECT_HIGH = Place("object", A.CHEST, (0.05, 0.10, 0.34), (-0.4, 0.5, 0.7), (-0.8, -0.2, -0.3), P.FINGERTIPS, 0.04)
_ONE_OBJECT = Place("object in one hand", A.CHEST, (0.13, 0.02, 0.32), (-0.4, 0.4, 0.8), (-0.8, 0, -0.3), P.PALM, 0.05)

_PALMS_LOW = Place("palms low", A.PELVIS, (0.01, 0.22, 0.30), (-0.1, 0.0, 1), (-1, 0, 0), P.PALM, 0.045, True, desk=0.3)
_PALMS = Place("palms", A.CHEST, (0.01, 0.05, 0.30), (-0.1, 0.6, 0.8), (-1, 0, 0), P.PALM, 0.04, True)
_PALMS_HIGH = Place("palms high", A.CHEST, (0.01, 0.17, 0.24), (-0.1, 1, 0.2), (-1, 0, 0), P.PALM, 0.03, True, 0.5, 0.5)
_PALMS_ANY = (_PALMS_LOW, _PALMS, _PALMS_HIGH)
_WASHING_LOW = Place(
    "rub low", A.PELVIS, (0.01, 0.21, 0.29), (-0.6, -0.1, 0.8), (-0.9, -0.3, -0.3), P.PALM, 0.04, True, desk=0.3
)
_WASHING = Place("rub", A.CHEST, (0.01, 0.03, 0.29), (-0.5, 0.3, 0.8), (-0.9, -0.2, -0.2), P.PALM, 0.04, True)
_LACED_LOW = Place(
    "fingers low",
    A.PELVIS,
    (0.005, 0.20, 0.29),
    (-0.75, 0.0, 0.65),
    (-0.6, -0.3, -0.7),
    P.FINGERS,
    0.04,
    True,
    desk=0.3,
)
_LACED = Place("fingers", A.CHEST, (0.005, 0.04, 0.30), (-0.7, 0.5, 0.5), (-0.6, 0, -0.7), P.FINGERS, 0.04, True)
_LACED_FAR = Place(
    "fingers far", A.CHEST, (0.005, 0.04, 0.42), (-0.6, 0.2, 0.8), (-0.6, 0, -0.7), P.FINGERS, 0.04, True, 0.3, 0.4
)

_ONESELF = Place("oneself", A.CHEST, (0.01, 0.17, 0.135), (-0.75, 0.25, -0.6), (0, -0.3, -1), P.INDEX, 0.03)
_ONESELF_NEAR = Place("oneself", A.CHEST, (0.03, 0.18, 0.17), (-0.6, 0.4, -0.7), (-0.3, -0.2, -1), P.INDEX, 0.03)

_FORWARD = Place("arm forward", A.CHEST, (0.12, 0.20, 0.75), (0, 0, 1), (-0.5, -0.8, 0), off_m=0.12)
_SIDEWAYS = Place("arm sideways", A.CHEST, (0.80, 0.22, 0.15), (1, 0, 0.1), (0, -0.8, 0.5), off_m=0.12)
_UPWARD = Place("arm up", A.CHEST, (0.22, 0.90, 0.10), (0, 1, 0), (-0.4, 0, 0.8), off_m=0.1, room=0.7, desk=0.4)
_DIAGONAL = Place("arm out and forward", A.CHEST, (0.45, 0.12, 0.55), (0.6, 0, 0.8), (0, -0.8, 0.4), off_m=0.12)
_DOWNWARD = Place("arm over the knee", A.CHEST, (0.12, -0.12, 0.75), (0, -0.3, 1), (0, -1, 0), off_m=0.1, desk=0.3)
_OUT = (_FORWARD, _SIDEWAYS, _UPWARD, _DIAGONAL, _DOWNWARD)
_GRASP = (_FORWARD, _DIAGONAL, _DOWNWARD)

_WAVE = Place("wave", A.CHEST, (0.30, 0.32, 0.22), (0.1, 1, 0.1), (0, 0, 1), off_m=0.06)
_WAVE_LOW = Place(
    "wave low", A.CHEST, (0.26, 0.12, 0.30), (0.1, 0.8, 0.5), (0, -0.4, 1), off_m=0.06, room=0.6, desk=0.6
)

_OPEN = Place("open palm", A.PELVIS, (0.24, 0.26, 0.36), (0.4, 0.1, 1), (0.1, 1, 0.1), off_m=0.05, desk=0.4)
_OPEN_HIGH = Place("open palm", A.CHEST, (0.30, 0.03, 0.32), (0.5, 0.2, 0.9), (0.1, 1, 0.1), off_m=0.05)

_SHOWN = Place("shown", A.CHEST, (0.16, 0.02, 0.30), (-0.3, 0.7, 0.6), (-0.5, -0.3, 0.4), off_m=0.06)
_SHOWN_LOW = Place("shown low", A.PELVIS, (0.14, 0.22, 0.34), (-0.3, 0.1, 1), (-0.5, -0.8, 0), off_m=0.05, desk=0.4)

TALK = (
    Place("before the chest", A.CHEST, (0.14, 0.05, 0.34), (-0.2, 0.5, 0.8), (-0.8, 0.4, 0.2), off_m=0.06),
    Place("aside", A.CHEST, (0.32, 0.0, 0.28), (0.4, 0.4, 0.8), (-0.3, 0.8, 0.3), off_m=0.06),
    Place("low", A.PELVIS, (0.16, 0.26, 0.38), (-0.1, 0.2, 1), (-0.5, 0.7, 0), off_m=0.06, desk=0.3),
)
TALKING = Play((0.5, 2.8), (0.05, 0.28), rhythm=Rhythm.WANDER, turn=(0.1, 0.5), curl=(0.05, 0.35))

_WORK = Step((0.2, 0.95), (0.8, LONG_S), returns=0.55, dwell_s=0.7, held=0.35)
_FIDDLE = Play((0.6, 2.6), (0.012, 0.05), rhythm=Rhythm.WANDER, turn=(0.1, 0.5), curl=(0.15, 0.6), ripple=True)
_TWIDDLE = Play((0.9, 4.5), curl=(0.35, 0.95), ripple=True)
_CLENCH = Step((0.15, 0.7), (0.3, 6), returns=0.6)

UPPER_LIMB: tuple[Action, ...] = (
    Action(
        11,
        "scratching arms",
        manners=tuple(
            Manner(
                _WORK,
                attention(14),
                hands=(
                    Hand((place,), play=Play((1.5, 4.5), (0.012, 0.05), axis, curl=(0.1, 0.4)), curl=(0.6, 1.2)),
                    Hand((_HELD_OUT,), OTHER) if held_out else Hand((), OTHER, curl=(0.3, 1.2)),
                ),
                weight=weight,
            )
            for place, axis, held_out, weight in (
                (_FOREARM, (1.0, 0.3, 0.5), True, 2),
                (_FOREARM, (1.0, 0.3, 0.5), False, 1),
                (_UPPER_ARM, (0.2, 1.0, 0.2), False, 2),
            )
        ),
    ),
    Action(
        12,
        "playing objects",
        manners=(
            Manner(
                _WORK, attention(16), hands=(Hand((_OBJECT_LOW, _OBJECT_HIGH), BOTH, _FIDDLE, (0.9, 1.5)),), weight=3
            ),
            Manner(
                _WORK,
                attention(12),
                hands=(
                    Hand(
                        (_ONE_OBJECT,),
                        play=Play((0.7, 3), (0.01, 0.05), (0.6, 0.4, 0.6), turn=(0.3, 0.9), curl=(0.2, 0.6)),
                        curl=(1.0, 1.6),
                    ),
                ),
            ),
        ),
    ),
    Action(
        13,
        "putting hands together",
        manners=(
            Manner(
                Step((0.18, 0.8), (0.3, LONG_S), returns=0.4, dwell_s=0.2),
                hands=(Hand(_PALMS_ANY, BOTH, curl=(0.1, 0.5)),),
            ),
        ),
    ),
    Action(
        14,
        "rubbing hands",
        manners=(
            Manner(
                _WORK,
                hands=(
                    Hand(
                        (_WASHING_LOW, _WASHING, _PALMS_LOW),
                        BOTH,
                        Play((0.9, 3.8), (0.02, 0.065), (0.1, 0.3, 1), opposite=True),
                        (0.2, 0.9),
                    ),
                ),
            ),
        ),
    ),
    Action(
        15,
        "pointing oneself",
        manners=(
            Manner(
                Step((0.16, 0.7), (0.15, 5), returns=0.75, dwell_s=0.25),
                attention(6),
                hands=(
                    Hand(
                        (_ONESELF, _ONESELF_NEAR),
                        play=Play((1, 4), (0.0, 0.03), (0, 0, 1), Rhythm.TAP),
                        curl=(2.2, 3.6),
                        index_curl=(0.1, 0.4),
                    ),
                ),
            ),
        ),
    ),
    Action(
        16,
        "clenching fist",
        manners=(
            Manner(_CLENCH, hands=(Hand((), curl=(2.4, 4.2)),), weight=1),
            Manner(_CLENCH, hands=(Hand((), BOTH, curl=(2.4, 4.2)),), weight=1),
            Manner(_CLENCH, hands=(Hand((_SHOWN, _SHOWN_LOW), curl=(2.4, 4.2)),), weight=1.5),
            Manner(Swing((0.5, 2.2), (1, 4), one_sided=1), hands=(Hand((), curl=(2.4, 4.2)),), weight=1),
            Manner(
                _WORK,
                hands=(Hand((_SHOWN, _SHOWN_LOW), play=Play((0.5, 2), curl=(1.0, 1.7)), curl=(1.9, 2.2)),),
                weight=2,
            ),
        ),
    ),
    Action(
        17,
        "stretching arms",
        back=18,
        manners=(
            Manner(
                Step((0.22, 1.1), (0.6, LONG_S), returns=0.35),
                (Drive(C.LEAN, (-4, 12)), *attention(4)),
                hands=(Hand(_OUT, curl=(0.1, 0.9)),),
                weight=3,
            ),
            Manner(
                Step((0.25, 1.2), (0.6, LONG_S), returns=0.35),
                (Drive(C.LEAN, (-8, 8)), Drive(C.HEAD_PITCH, (-8, 2))),
                hands=(Hand(_OUT, BOTH, curl=(0.1, 1.5)),),
                weight=2,
            ),
        ),
    ),
    Action(
        18,
        "retracting arms",
        manners=(
            Manner(
                Step((0.18, 0.7), (0.05, 0.5), returns=1, dwell_s=0.1),
                (Drive(C.LEAN, (-2, 14)), *attention(4)),
                hands=(Hand(_GRASP, curl=(0.3, 1.3)),),
                weight=2,
            ),
            Manner(
                Step((0.18, 0.8), returns=0),
                (Drive(C.LEAN, (-10, 2)),),
                hands=(Hand((_FORWARD, _DIAGONAL, _SIDEWAYS), leaves=True, curl=(0.3, 1.3)),),
            ),
        ),
    ),
    Action(
        19,
        "waving",
        manners=(
            Manner(
                Step((0.18, 0.75), (0.5, LONG_S), returns=0.6, dwell_s=0.6, held=0.3),
                attention(6, 10),
                hands=(
                    Hand(
                        (_WAVE, _WAVE_LOW),
                        play=Play((1.2, 4), (0.04, 0.2), (1, 0, 0), turn=(0.2, 0.7)),
                        curl=(0.1, 0.5),
                    ),
                ),
            ),
        ),
    ),
    Action(
        20,
        "spreading hands",
        manners=tuple(
            Manner(
                Step((0.18, 0.8), (0.2, LONG_S), returns=0.5, dwell_s=0.2),
                attention(5),
                hands=(Hand((_OPEN, _OPEN_HIGH), which, curl=(0.05, 0.3)),),
                weight=weight,
            )
            for which, weight in ((BOTH, 2), (Which.ONE, 1))
        ),
    ),
    Action(
        21,
        "hands touching fingers",
        manners=(
            Manner(
                Step((0.18, 0.9), (0.4, LONG_S), returns=0.35, dwell_s=0.3),
                hands=(
                    Hand(
                        (_LACED_LOW, _LACED, _LACED_FAR),
                        BOTH,
                        Play((0.4, 1.5), (0.0, 0.008), curl=(0.0, 0.25), ripple=True),
                        (1.2, 1.7),
                    ),
                ),
            ),
        ),
    ),
    Action(
        22,
        "other finger movements",
        manners=tuple(
            Manner(_WORK, attention(8), hands=(Hand((), which, _TWIDDLE, (0.9, 1.2)),), weight=weight)
            for which, weight in ((Which.ONE, 2), (BOTH, 1))
        ),
    ),
    Action(
        23,
        "illustrative gestures",
        manners=tuple(
            Manner(_WORK, attention(5, 8), hands=(Hand(TALK, which, TALKING, (0.2, 0.9)),), weight=weight)
            for which, weight in ((Which.ONE, 1), (BOTH, 1))
        ),
    ),
)
