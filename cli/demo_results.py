"""The output of the demo: each event as it ends, then which actions of the script were recognized.

Knows no cameras and no sockets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from mar_edge.streaming.capture.demo import Segment
from mar_edge.streaming.wire.display import message_line
from mar_edge.streaming.wire.messages import AnyMessage, EndMessage, EventMessage, HelloMessage

NS = 1_000_000_000
# With a smaller share of its actions recognized, the cause is the machine rather than single scores.
_LEAST_SHARE = 0.5


@dataclass(frozen=True)
class DemoEvent:
    """An event that ended. start_s, end_s: onset and offset, seconds from the first frame. score: its highest."""

    label: str
    start_s: float
    end_s: float
    score: float


@dataclass(frozen=True)
class Verdict:
    """The script compared with the events.

    outcomes: each action that was played, with the event that recognized it; None if it was missed.
    wrong: events that recognize no action. unplayed: actions that the demo did not reach.
    """

    outcomes: tuple[tuple[Segment, DemoEvent | None], ...]
    wrong: tuple[DemoEvent, ...]
    unplayed: tuple[Segment, ...]

    @property
    def recognized(self) -> int:
        """Number of actions that were recognized."""
        return sum(event is not None for _, event in self.outcomes)


def compare(script: Sequence[Segment], events: Sequence[DemoEvent], played_s: float) -> Verdict:
    """Compare the events with the script.

    An action is recognized by an event of its name that overlaps it. Each event counts once, the longest overlap first.

    Args:
        played_s: seconds that were played; actions that end later are not compared.
    """
    played = [segment for segment in script if segment.end_s <= played_s]
    pairs = [
        (min(event.end_s, segment.end_s) - max(event.start_s, segment.start_s), number, place)
        for number, event in enumerate(events)
        for place, segment in enumerate(played)
        if event.label == segment.label
    ]
    event_of: dict[int, int] = {}
    for overlap_s, number, place in sorted(pairs, reverse=True):
        if overlap_s > 0 and place not in event_of and number not in event_of.values():
            event_of[place] = number
    return Verdict(
        outcomes=tuple(
            (segment, events[event_of[place]] if place in event_of else None) for place, segment in enumerate(played)
        ),
        wrong=tuple(event for number, event in enumerate(events) if number not in event_of.values()),
        unplayed=tuple(segment for segment in script if segment.end_s > played_s),
    )


def table(verdict: Verdict) -> Iterator[str]:
    """Yield a line for each action of the script and for each wrong event, by time."""
    width = max([len("expected"), *(len(segment.label) for segment, _ in verdict.outcomes)])
    yield f"  {'expected':<{width}}  {'when':<13}  result      recognized as"
    rows = [
        (segment.start_s, segment.label, _span(segment), "missed" if event is None else "recognized", event)
        for segment, event in verdict.outcomes
    ]
    rows += [(event.start_s, "", "", "wrong", event) for event in verdict.wrong]
    for _, label, when, result, event in sorted(rows, key=lambda row: row[0]):
        yield f"  {label:<{width}}  {when:<13}  {result:<10}  {'' if event is None else described(event)}".rstrip()


def described(event: DemoEvent) -> str:
    """Return an event in words: onset and offset, name, score."""
    return f"{_span(event)}  {event.label} {event.score:.2f}"


def sentence(verdict: Verdict, frames: int, dropped: int) -> str:
    """Return the verdict in one line. ``frames`` were processed, ``dropped`` were not."""
    count = len(verdict.outcomes)
    if not count:
        return "Verdict: none; the demo was stopped before its first action was over."
    text = f"Verdict: {verdict.recognized} of {count} actions recognized, {count - verdict.recognized} missed, "
    text += f"{len(verdict.wrong)} wrong {'event' if len(verdict.wrong) == 1 else 'events'}"
    if verdict.unplayed:
        text += f", {len(verdict.unplayed)} not played"
    if dropped > frames:
        return f"{text}; too slow for real time: {dropped} of {frames + dropped} frames were dropped."
    if verdict.recognized >= _LEAST_SHARE * count:
        return f"{text}; mar-edge works on this machine."
    return f"{text}; that is too few: 'mar-edge doctor' checks this machine."


def _span(part: Segment | DemoEvent) -> str:
    return f"{part.start_s:4.1f} - {part.end_s:4.1f} s"


class DemoDisplay:
    """Prints the demo: the model, each event as it ends, and at the end the table and the verdict.

    Args:
        file: to print to.
        script: actions of the person.
    """

    def __init__(self, file: TextIO, script: Sequence[Segment]) -> None:
        self._file, self._script = file, script
        self._zero_ns: int | None = None
        self._events: list[DemoEvent] = []

    def show(self, message: AnyMessage) -> None:
        """Print a message, if it is news about the demo."""
        match message:
            case HelloMessage() if self._zero_ns is None:
                self._zero_ns = message.t_zero_ns
                self._print(message_line(message))
            case EventMessage(phase="end", t_end_ns=int(end_ns)):
                event = DemoEvent(message.label.name, self._at_s(message.t_start_ns), self._at_s(end_ns), message.score)
                self._events.append(event)
                self._print(f"  {described(event)}")
            case EndMessage():
                verdict = compare(self._script, self._events, self._at_s(message.t_capture_ns))
                self._print(
                    message_line(message), "", *table(verdict), sentence(verdict, message.frames, message.dropped)
                )

    def _at_s(self, t_ns: int) -> float:
        return (t_ns - (self._zero_ns or 0)) / NS

    def _print(self, *lines: str) -> None:
        print(*lines, sep="\n", file=self._file, flush=True)
