"""What page and server say to each other about lessons. Never on the wire."""

from __future__ import annotations

from typing import Literal

import msgspec

from mar_edge.edge.body_groups import body_groups
from mar_edge.teaching.showing import Phase
from mar_edge.teaching.verdicts import Verdict

End = Literal["taught", "refused", "stopped"]


class Start(msgspec.Struct, frozen=True, tag_field="do", tag="start", forbid_unknown_fields=True):
    """Begin a lesson.

    Attributes:
        name: Label that is taught: one of the model's own, or a new one.
        stream: Stream that it is about.
        body: Body group of a new label.
        examples: Number of examples.
        person: Person who shows it; None for anybody who is seen.
        one_side: Whether the movement to the other side is another one.
    """

    name: str
    stream: str
    body: str | None = None
    examples: int = 5
    person: int | None = None
    one_side: bool = False


class Stop(msgspec.Struct, frozen=True, tag_field="do", tag="stop", forbid_unknown_fields=True):
    """End the lesson; nothing is taught."""


class Remove(msgspec.Struct, frozen=True, tag_field="do", tag="remove", forbid_unknown_fields=True):
    """Remove what was taught of a label."""

    name: str


class Judged(msgspec.Struct, frozen=True):
    """What an example is worth."""

    word: str
    problem: str

    @classmethod
    def of(cls, verdict: Verdict) -> Judged:
        """Return a verdict for browsers."""
        return cls(verdict.word, verdict.problem)


class TaughtLabel(msgspec.Struct, frozen=True):
    """A taught label. ``is_new``: the model did not know it before."""

    name: str
    body: str
    is_new: bool


class TeachMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="teach"):
    """State of the lessons, sent to browsers at each change.

    Attributes:
        phase: What is asked for, or ``none``, ``fitting``, or how the last lesson ended.
        name: Label of the lesson, or the one that was removed.
        stream: Stream that it is about.
        number: Number of the example.
        of: Examples that are wanted.
        left_s: Whole seconds until the next prompt.
        examples: Those that were shown.
        lines: What the lesson ended with, for people.
        labels: Labels that are taught now.
        groups: Body groups that a new label may have.
        file: Name of the model file that lessons are written to.
    """

    phase: Phase | End | Literal["none", "fitting", "removed"] = "none"
    name: str = ""
    stream: str = ""
    number: int = 0
    of: int = 0
    left_s: int = 0
    examples: tuple[Judged, ...] = ()
    lines: tuple[str, ...] = ()
    labels: tuple[TaughtLabel, ...] = ()
    groups: tuple[str, ...] = tuple(group for group in body_groups() if group != "none")
    file: str = ""
