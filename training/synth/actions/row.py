"""What a row of the tables says: which channels, hands and legs an action moves, where to, and how it runs."""

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
    """Of two limbs, seen from the one that leads (drawn per clip)."""

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
    """One channel's part in an action: gain * amplitude * curve(t - lag)."""

    channel: Channel
    gain: Range = (1.0, 1.0)
    lag_s: Range = NONE


@dataclass(frozen=True)
class Play:
    """What a hand does where it is: rubs, taps, waves. ``size_m`` along ``axis`` in the place's own frame.

    ``opposite`` hands move against each other. ``turn`` swings the fingers with it, ``curl`` bends them (radians, from
    the middle to either side), one after another where they ``ripple``.
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
    """A hand's part in an action: from where it rests to one of the places of ``goal``, on the manner's course.

    No goal: it stays where it is. One that ``leaves`` is at its goal until the course takes it to rest.
    ``index_curl`` is that of an index finger that differs from the others. ``elbow``: where it points, if not down
    and out as it hangs.
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
    """To and fro about where a leg is, by up to ``change`` to one side (``tap``) or to both."""

    hz: Range
    change: Stance
    share: Range = (0.3, 1.0)
    tap: bool = False


@dataclass(frozen=True)
class Leg:
    """A leg's part in an action, as ``Hand``. ``rest``: the stances that it may come from (none: any)."""

    goal: tuple[Stance, ...] = ()
    which: Which = Which.ONE
    play: Shake | None = None
    rest: tuple[Stance, ...] = ()
    leaves: bool = False
    lag_s: Range = NONE


@dataclass(frozen=True)
class Manner:
    """One way of doing an action. ``start`` sets where channels rest before it, as gain * amplitude."""

    course: Step | Swing
    drives: tuple[Drive, ...] = ()
    start: tuple[Drive, ...] = ()
    hands: tuple[Hand, ...] = ()
    legs: tuple[Leg, ...] = ()
    weight: float = 1.0

    @property
    def limbs(self) -> tuple[Hand | Leg, ...]:
        """Hands and legs that have a part in it."""
        return (*self.hands, *self.legs)

    @property
    def leaves(self) -> bool:
        """Whether a limb must be elsewhere before it."""
        return any(limb.leaves for limb in self.limbs)

    @property
    def prepared(self) -> bool:
        """Whether it starts from a posture of its own."""
        return bool(self.start) or self.leaves or any(leg.rest for leg in self.legs)


@dataclass(frozen=True)
class Action:
    """``id`` in MA-52, or from 53 on; ``amplitude`` in the unit of the drives' channels, log-uniform.

    ``head_beside``, ``trunk_beside``: degrees of unrelated motion that may go with it. ``weight``: how often, of
    movements without a name. ``after``: the action that leads to where limbs must be, which a recording shows first.
    ``back``: the action that its way back is to who sees it after a stay. ``body``: the group of an action that is not
    one of MA-52's, whose groups are known.
    """

    id: int
    name: str
    manners: tuple[Manner, ...]
    amplitude: Range = (1.0, 1.0)
    head_beside: float = 3.0
    trunk_beside: float = 2.0
    only_seated: bool = False
    weight: float = 1.0
    after: int | None = None
    back: int | None = None
    body: str = ""


def follow(*channels: Channel, share: float) -> tuple[Drive, ...]:
    """Unplanned company: each channel gets up to ``share`` of the amplitude, either way."""
    return tuple(Drive(channel, (-share, share)) for channel in channels)


def attention(bow: float = 10, turn: float = 8) -> tuple[Drive, ...]:
    """A head that goes along with a hand, in degrees: mostly bowing a little, turning and tilting either way."""
    return (
        Drive(Channel.HEAD_PITCH, (-0.25 * bow, bow), lag_s=(-0.2, 0.2)),
        Drive(Channel.HEAD_YAW, (-turn, turn), lag_s=(-0.2, 0.2)),
        Drive(Channel.HEAD_ROLL, (-0.6 * turn, 0.6 * turn), lag_s=(-0.2, 0.2)),
    )
