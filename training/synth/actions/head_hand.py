"""Actions of a hand on the head: 38 to 47. Their places differ by a few centimeters and are set exactly."""

from __future__ import annotations

from mar_edge.training.synth.actions.row import Action, Drive, Hand, Manner, Play, Which, attention
from mar_edge.training.synth.courses import LONG_S, Step
from mar_edge.training.synth.draws import Range
from mar_edge.training.synth.places import Anchor, Part, Place, Vector

P = Part
_UP: Vector = (-0.35, 0.85, -0.3)
_TO_FACE: Vector = (-0.2, -0.1, -1)
_OFF_M = 0.009


def _head(name: str, at: Vector, fingers: Vector = _UP, palm: Vector = _TO_FACE, part: Part = P.FINGERTIPS) -> Place:
    return Place(name, Anchor.HEAD, at, fingers, palm, part, _OFF_M)


_HAIR_SIDE = _head("hair at the side", (0.085, 0.10, 0.0), (-0.5, 0.85, -0.3), (-0.9, -0.3, 0))
_HAIR_TOP = _head("hair on top", (0.035, 0.165, 0.02), (-0.8, 0.5, -0.4), (-0.2, -1, 0))
_FRINGE = _head("fringe", (0.045, 0.135, 0.085), (-0.6, 0.7, -0.5), (-0.3, -0.6, -0.8))
_HAIR_LOW = _head("hair next to the ear", (0.09, 0.05, -0.03), (-0.3, 0.8, -0.5), (-1, 0, 0))
_BACK = _head("back of the head", (0.03, 0.07, -0.10), (-0.8, 0.35, -0.4), (-0.2, -0.1, 1))
_BACK_PALM = _head("back of the head", (0.02, 0.09, -0.10), (-1, 0.2, -0.1), (0, -0.1, 1), P.FINGERS)
_FOREHEAD = _head("forehead", (0.012, 0.098, 0.108), (-0.55, 0.75, -0.3))
_TEMPLE = _head("side of the forehead", (0.045, 0.09, 0.09), (-0.4, 0.85, -0.3))
_CHEEK = _head("cheek", (0.055, -0.015, 0.085))
_CHEEK_PALM = _head("cheek on the palm", (0.065, -0.035, 0.075), (-0.15, 0.95, -0.2), (-0.7, 0, -0.7), P.PALM)
_JAW = _head("jaw", (0.065, -0.05, 0.055), (-0.3, 0.8, -0.5), (-0.7, 0.1, -0.7))
_EYE = _head("eye", (0.033, 0.046, 0.095))
_BOTH_EYES = _head("between the eyes", (0.0, 0.045, 0.105), (-0.4, 0.8, -0.4))
_NOSE = _head("nose", (0.004, 0.010, 0.124), (-0.3, 0.85, -0.45))
_NOSTRIL = _head("side of the nose", (0.014, 0.002, 0.112), (-0.3, 0.85, -0.45))
_EAR = _head("ear", (0.082, 0.03, 0.005), (-0.25, 0.9, -0.35), (-1, 0, 0.1))
_LOBE = _head("ear lobe", (0.08, 0.0, 0.01), (-0.25, 0.9, -0.35), (-1, 0, -0.2))
_FACE_HALF = _head("half the face", (0.045, 0.02, 0.105), (-0.1, 1, -0.1), (-0.1, 0, -1), P.FINGERS)
_FACE_ALL = _head("whole face", (0.005, 0.02, 0.125), (-0.35, 0.9, -0.1), (0, 0, -1), P.FINGERS)
_MOUTH = _head("mouth", (0.0, -0.035, 0.115), (-0.85, 0.5, -0.15), (0, 0, -1), P.FINGERS)
_FIST_MOUTH = _head("fist at the mouth", (0.0, -0.035, 0.12), (-0.85, 0.5, -0.2), (0, -0.2, -1), P.FINGERTIPS)
_BRIDGE = _head("bridge of the glasses", (0.0, 0.045, 0.112), (-0.25, 0.8, -0.6), part=P.INDEX)
_RIM = _head("rim of the glasses", (0.06, 0.047, 0.085), (-0.3, 0.85, -0.4), (-0.6, 0, -0.8), part=P.INDEX)

_ELBOW_OUT: Vector = (1, -0.2, 0.4)
_TOUCH = Step((0.2, 0.95), (0.3, LONG_S), returns=0.7, dwell_s=0.35)
_RUB = Step((0.2, 0.95), (0.5, LONG_S), returns=0.65, dwell_s=0.5, held=0.25)
_PUSH = Step((0.16, 0.7), (0.1, 1.5), returns=0.85, dwell_s=0.15)


def _touches(
    *places: Place,
    size_m: Range = (0.005, 0.025),
    hz: Range = (1.2, 5),
    axis: Vector = (0.5, 0.8, 0.1),
    which: Which = Which.ONE,
    bow: float = 8,
    elbow: Vector | None = None,
    curl: Range = (0.4, 1.1),
    rubs: float = 2.0,
    weight: float = 1.0,
) -> tuple[Manner, ...]:
    """Return the manners of a hand that comes and stays, or, ``rubs`` times as often, comes and rubs."""
    drives: tuple[Drive, ...] = attention(bow, 6)
    play = Play(hz, size_m, axis, curl=(0.0, 0.2))
    return (
        Manner(_TOUCH, drives, hands=(Hand(places, which, curl=curl, elbow=elbow),), weight=weight),
        Manner(_RUB, drives, hands=(Hand(places, which, play, curl, elbow=elbow),), weight=rubs * weight),
    )


HEAD_HAND: tuple[Action, ...] = (
    Action(
        38,
        "playing or tidying hair",
        manners=_touches(
            _HAIR_SIDE,
            _HAIR_TOP,
            _FRINGE,
            _HAIR_LOW,
            size_m=(0.02, 0.07),
            hz=(0.6, 2.5),
            axis=(0.3, -0.7, -0.7),
            elbow=(1, -0.6, 0.3),
            curl=(0.3, 1.2),
            rubs=5,
        )
        + _touches(
            _HAIR_SIDE,
            _HAIR_TOP,
            which=Which.BOTH,
            size_m=(0.02, 0.06),
            hz=(0.6, 2),
            axis=(0.2, -0.7, -0.7),
            elbow=_ELBOW_OUT,
            rubs=4,
            weight=0.3,
        ),
    ),
    Action(
        39,
        "scratching or touching hindbrain",
        manners=_touches(_BACK, _BACK_PALM, size_m=(0.008, 0.04), axis=(0.5, 0.9, 0), bow=16, elbow=_ELBOW_OUT),
    ),
    Action(
        40,
        "scratching or touching forehead",
        manners=_touches(_FOREHEAD, _TEMPLE, axis=(0.9, 0.3, 0), bow=12),
    ),
    Action(
        41,
        "scratching or touching face",
        manners=_touches(_CHEEK, _JAW, axis=(0.3, 0.9, 0.2), weight=2)
        + _touches(_CHEEK_PALM, which=Which.ONE, bow=6, rubs=1),
    ),
    Action(
        42,
        "rubbing eyes",
        manners=_touches(_EYE, size_m=(0.01, 0.03), axis=(0.9, 0.3, 0), bow=14, curl=(0.8, 1.9), rubs=5, weight=2)
        + _touches(_EYE, which=Which.BOTH, size_m=(0.01, 0.03), axis=(0.9, 0.3, 0), bow=14, curl=(0.8, 1.9), rubs=5)
        + _touches(_BOTH_EYES, size_m=(0.004, 0.015), axis=(0.9, 0.2, 0), bow=16, curl=(0.7, 1.3), weight=0.5),
    ),
    Action(
        43,
        "touching nose",
        manners=_touches(_NOSE, _NOSTRIL, size_m=(0.004, 0.02), axis=(0.8, 0.4, 0), curl=(0.5, 1.4)),
    ),
    Action(
        44,
        "touching ears",
        manners=_touches(_EAR, _LOBE, size_m=(0.004, 0.02), axis=(0, 0.8, 0.6), bow=6, curl=(0.5, 1.3)),
    ),
    Action(
        45,
        "covering face",
        manners=_touches(
            _FACE_HALF,
            which=Which.BOTH,
            size_m=(0.005, 0.03),
            axis=(0.1, 1, 0),
            hz=(0.5, 2),
            bow=22,
            curl=(0.1, 0.4),
            rubs=0.7,
            weight=2,
        )
        + _touches(_FACE_ALL, size_m=(0.01, 0.04), axis=(0.1, 1, 0), hz=(0.5, 2), bow=16, curl=(0.1, 0.4), rubs=0.7),
    ),
    Action(
        46,
        "covering mouth",
        manners=_touches(_MOUTH, size_m=(0.002, 0.01), bow=8, curl=(0.2, 0.7), rubs=0.4, weight=2)
        + _touches(_FIST_MOUTH, size_m=(0.002, 0.01), curl=(1.2, 2.0), rubs=0.4),
    ),
    Action(
        47,
        "pushing glasses",
        manners=tuple(
            Manner(
                _PUSH,
                attention(6, 4),
                hands=(Hand(places, which, Play((0.8, 2.5), (0.004, 0.015), (0, 0.7, -0.7)), (1.1, 1.9), (0.2, 0.7)),),
                weight=weight,
            )
            for places, which, weight in (
                ((_BRIDGE,), Which.ONE, 2),
                ((_RIM,), Which.ONE, 2),
                ((_RIM,), Which.BOTH, 0.6),
            )
        ),
    ),
)
