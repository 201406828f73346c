"""Which messages a bridge passes on. Knows no sinks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.streaming.choices import Phase
from mar_edge.streaming.wire.messages import AnyMessage, EventMessage, HelloMessage, LabelMessage


@dataclass(frozen=True)
class Selection:
    """A filter of events and labels; messages of other kinds pass. Empty fields let everything pass.

    labels: names of actions. bodies: body groups. least_score: in [0, 1]. phases: of events.

    Raises:
        MarEdgeError: the score is outside [0, 1].
    """

    labels: frozenset[str] = frozenset()
    bodies: frozenset[str] = frozenset()
    least_score: float = 0.0
    phases: frozenset[Phase] = frozenset()

    def __post_init__(self) -> None:
        if not 0.0 <= self.least_score <= 1.0:
            raise MarEdgeError(f"--score is a probability from 0 to 1, not {self.least_score:g}")

    def passes(self, message: AnyMessage) -> bool:
        """Return whether the message is passed on; a label message if one of its labels is."""
        match message:
            case EventMessage():
                phase_fits = not self.phases or message.phase in self.phases
                return phase_fits and self._fits(message.label.name, message.label.body, message.score)
            case LabelMessage():
                unfiltered = not (self.labels or self.bodies or self.least_score)
                return unfiltered or any(self._fits(each.name, each.body, each.score) for each in message.top)
        return True

    def _fits(self, label: str, body: str, score: float) -> bool:
        return (
            (not self.labels or label in self.labels)
            and (not self.bodies or body in self.bodies)
            and score >= self.least_score
        )

    def unknown(self, hello: HelloMessage) -> list[str]:
        """Return a line for each name that no label of this sender has, so that it selects nothing there."""
        return [
            *_unknown("label", self.labels, {each.name for each in hello.labels}),
            *_unknown("body group", self.bodies, {each.body for each in hello.labels}),
        ]


def _unknown(what: str, wanted: Iterable[str], known: set[str]) -> list[str]:
    return [f"the sender has no {what} '{name}'{did_you_mean(name, known)}" for name in sorted(set(wanted) - known)]
