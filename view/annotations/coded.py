"""Events as annotation files hold them, and the timeline that they make. Knows no file format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from mar_edge.edge.labels import Label, label_named
from mar_edge.streaming.recording.recorder import SUFFIX
from mar_edge.streaming.recording.timeline import MARKER, TimedEvent, TimedMarker, Timeline
from mar_edge.view.annotations.facts import Facts

PROGRAM = "mar-edge"
"""The annotator of what the model reported."""
_NUMBERED = re.compile(r"(?:person )?(\d{1,9})", re.ASCII)


@dataclass(frozen=True)
class CodedEvent:
    """One event in a file.

    Attributes:
        label, body: Names of the label and its body group.
        person: Name of the person; "" if the file names none.
        start_ns, end_ns: From the beginning of the file's times.
        coder: Who coded it; "" if the file does not say.
        score: Highest probability, in [0, 1]; 1 for a human's.
        is_open: Whether its end was not recorded.
        recording: The file in which it begins; "" where the format has no place for it.
        event_id: As it was recorded, if the format has a place for it.
    """

    label: str
    person: str
    start_ns: int
    end_ns: int
    coder: str = ""
    body: str = ""
    score: float = 1.0
    is_open: bool = False
    recording: str = ""
    event_id: int | None = None


@dataclass(frozen=True)
class ReadFile:
    """What a file of annotations holds.

    notes: what was left out or understood in a way that its author may not expect, a phrase each.
    """

    timelines: tuple[Timeline, ...]
    notes: tuple[str, ...] = ()


def timeline_of(
    coded: Iterable[CodedEvent],
    facts: Facts,
    *,
    labels: Sequence[Label] = (),
    people: Sequence[str] = (),
) -> Timeline:
    """Return a timeline of events.

    Args:
        facts: about the timeline; its recordings are where events are that name none.
        labels: those that the file lists.
        people: names that the file lists.
    """
    listed = sorted(coded, key=lambda event: (event.start_ns, event.end_ns))
    events = [event for event in listed if event.body != MARKER]
    numbers = _numbers([*people, *(event.person for event in events)], facts)
    meant = {(event.label, event.body): label_named(event.label, labels, event.body) for event in events}
    ids = [event.event_id for event in events]
    if None in ids or len(set(ids)) < len(ids):
        ids = list(range(1, len(events) + 1))
    end_ns = max([facts.last_ns, *(facts.zero_ns + event.end_ns for event in events)])
    start_ns = min([facts.first_ns, *(facts.zero_ns + event.start_ns for event in events)])
    timeline = Timeline(
        stream=facts.stream,
        run=facts.run,
        source=facts.source,
        model=facts.model,
        labels=tuple(dict.fromkeys((*labels, *meant.values()))),
        zero_ns=facts.zero_ns,
        first_ns=start_ns,
        last_ns=end_ns,
        people=tuple(sorted({*facts.people, *numbers.values()})),
        events=(),
        media_zero_ns=facts.media_zero_ns,
        frames=facts.frames,
        dropped=facts.dropped,
        recordings=facts.recordings,
        markers=tuple(
            TimedMarker(facts.zero_ns + event.start_ns, event.label, event.coder)
            for event in listed
            if event.body == MARKER
        ),
        names=tuple(sorted({*facts.names, *((numbers[name], name) for name in numbers if _is_own(name))})),
    )
    return replace(
        timeline,
        events=tuple(
            TimedEvent(
                event_id=number or 0,
                person=numbers[event.person],
                label=meant[event.label, event.body],
                t_start_ns=(t_start_ns := facts.zero_ns + event.start_ns),
                t_end_ns=facts.zero_ns + event.end_ns,
                score=event.score,
                is_open=event.is_open,
                recording=event.recording or timeline.recording_at(t_start_ns),
                coder="" if event.coder == PROGRAM else event.coder,
            )
            for number, event in zip(ids, events, strict=True)
        ),
    )


def foreign_facts(name: str, zero_ns: int = 0, end_ns: int = 0, stream: str = "") -> Facts:
    """Return the facts about a timeline of another program.

    Args:
        name: of the recording: that of its video or of the file.
        zero_ns, end_ns: beginning of its times, ns since 1970, and their end, from there.
        stream: name of the stream; "" takes that of the recording.
    """
    return Facts(
        stream=stream or name,
        run="",
        zero_ns=zero_ns,
        first_ns=zero_ns,
        last_ns=zero_ns + end_ns,
        recordings=((f"{name}{SUFFIX}", zero_ns),),
    )


def counted(number: int, one: str, several: str) -> tuple[str, ...]:
    """Return a note about a number of things, or none if there is nothing to note."""
    return (f"{number} {one if number == 1 else several}",) if number else ()


def _is_own(name: str) -> bool:
    """Return whether a person's name says more than a number."""
    return bool(name) and not _NUMBERED.fullmatch(name)


def _numbers(names: Sequence[str], facts: Facts) -> dict[str, int]:
    """Return a number for each name: the known one, the one that it states, else the first free one."""
    known = {name: number for number, name in facts.names}
    known |= {name: int(found[1]) for name in names if (found := _NUMBERED.fullmatch(name))}
    taken = {*known.values(), *facts.people}
    free = (number for number in count() if number not in taken)
    return {name: known[name] if name in known else next(free) for name in dict.fromkeys(names)}
