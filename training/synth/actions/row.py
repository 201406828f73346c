"""The types of a table row: which channels, hands and legs an action moves, where to, and over what time course."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from mar_edge.training.synth.courses import Step, Swing
from mar_edge.training.synth.draws import Range
from mar_edge.training.synth.places import Place, Vector
from mar_edge.training.synth.rig import Channel
from mar_edge.training.synth.stances import Stance

NONE: Range = (0.0, 0.0)


class Which(IntEnum):
    """Which of two limbs move, seen from the leading one, which is drawn per clip."""

    ONE = 0
    OTHER = 1
    BOTH = 2


class Rhythm(IntEnum):
    """How a play runs over time."""

    TO_AND_FRO = 0
    TAP = 1  # away and back on one side
    WANDER = 2  # without a rhythm, in all directions


@dataclass(frozen=True)
class Drive:
    """The contribution of one channel to an action: gain * amplitude * curve(t - lag)."""

    channel: Channel
    gain: Range = (1.0, 1.0)
    lag_s: Range = NONE


@dataclass(frozen=True)
class Play:
    """Movement of a hand at its place: rubbing, tapping, waving. ``size_m`` along ``axis`` in the frame of the place.

    ``opposite``: the hands move against each other. ``turn`` swings the fingers with the hand; ``curl`` bends them
    (radians, from the middle to either side), one after another if they ``ripple``.
    """

    hz: Range
    size_m: Range = NONE
    axis: Vector = (0, 1, 0)
    rhythm: Rhythm = Rhythm.TO_AND_FRO
    opposite: bool = False
    turn: Range = NONE
    curl: Range = NONE
    ripple: bool = False


@dataclass(frozen=True)
class Hand:
    """The part of a hand in an action: it moves from rest to one of the places of ``goal``, on the manner's course.

    Without a goal it stays where it is. A hand that ``leaves`` is at its goal until the course takes it to rest.
    ``index_curl``: curl of the index finger if it differs from the others. ``elbow``: the elbow's direction if not
    down and outward.
    """

    goal: tuple[Place, ...] = ()
    which: Which = Which.ONE
    play: Play | None = None
    curl: Range = (0.3, 0.9)
    index_curl: Range | None = None
    elbow: Vector | None = None
    leaves: bool = False
    lag_s: Range = NONE


@dataclass(frozen=True)
class Shake:
    """An oscillation about the leg's position, by up to ``change`` to one side (``tap``) or to both."""

    hz: Range
    change: Stance
    share: Range = (0.3, 1.0)
    tap: bool = False


@dataclass(frozen=True)
class Leg:
    """The part of a leg in an action, as ``Hand``. ``rest``: the stances that it may start from; any if empty."""

    goal: tuple[Stance, ...] = ()
    which: Which = Which.ONE
    play: Shake | None = None
    rest: tuple[Stance, ...] = ()
    leaves: bool = False
    lag_s: Range = NONE


@dataclass(frozen=True)
class Manner:
    """One way to perform an action. ``start`` sets the channels' rest before it, as gain * amplitude."""

    course: Step | Swing
    drives: tuple[Drive, ...] = ()
    start: tuple[Drive, ...] = ()
    hands: tuple[Hand, ...] = ()
    legs: tuple[Leg, ...] = ()
    weight: float = 1.0

    @property
    def limbs(self) -> tuple[Hand | Leg, ...]:
        """Hands and legs that take part."""
        return (*self.hands, *self.legs)

    @property
    def leaves(self) -> bool:
        """Whether a limb must be elsewhere before the action."""
        return any(limb.leaves for limb in self.limbs)

    @property
    def prepared(self) -> bool:
        """Whether the action starts from a posture of its own."""
        return bool(self.start) or self.leaves or any(leg.rest for leg in self.legs)


@dataclass(frozen=True)
class Action:
    """``id`` in MA-52, or from 53 on; ``amplitude`` in the unit of the drives' channels, log-uniform.

    ``head_extra``, ``trunk_extra``: degrees of unrelated motion that may accompany it. ``weight``: frequency among
    movements without a name. ``after``: the action that brings limbs to the start, which a recording shows first.
    ``back``: the action that the way back looks like after a stay. ``body``: the body group of an action that is not
    in MA-52, whose groups are known.
    """

    id: int
    name: str
    manners: tuple[Manner, ...]
    amplitude: Range = (1.0, 1.0)
    head_extra: float = 3.0
    trunk_extra: float = 2.0
    only_seated: bool = False
    weight: float = 1.0
    after: int | None = None
    back: int | None = None
    body: str = ""


def follow(*channels: Channel, share: float) -> tuple[Drive, ...]:
    """Return incidental motion: each channel gets up to ``share`` of the amplitude, in either direction."""
    return tuple(Drive(channel, (-share, share)) for channel in channels)


def attention(bow: float = 10, turn: float = 8) -> tuple[Drive, ...]:
    """Return head motion that follows a hand, degrees: mostly a small bow, with turn and tilt in either direction."""
    return (
        Drive(Channel.HEAD_PITCH, (-0.25 * bow, bow), lag_s=(-0.2, 0.2)),
        Drive(Channel.HEAD_YAW, (-turn, turn), lag_s=(-0.2, 0.2)),
        Drive(Channel.HEAD_ROLL, (-0.6 * turn, 0.6 * turn), lag_s=(-0.2, 0.2)),
    )
