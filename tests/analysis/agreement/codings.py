"""Made-up codings of one recording."""

from __future__ import annotations

from mar_edge.edge.labels import label_named
from mar_edge.streaming.recording.timeline import NS, TimedEvent, Timeline

Coded = tuple[str, float, float] | tuple[str, float, float, int]


def coding(
    *events: Coded,
    name: str = "P01",
    end_s: float = 0.0,
    begin_s: float = 0.0,
    names: tuple[tuple[int, str], ...] = (),
    zero_ns: int = 0,
) -> Timeline:
    """Return a timeline of events: label, start and end in seconds, and the person if it is not 0."""
    timed = tuple(
        TimedEvent(
            event_id=number,
            person=person[0] if person else 0,
            label=label_named(label, body="face"),
            t_start_ns=zero_ns + round(start_s * NS),
            t_end_ns=zero_ns + round(stop_s * NS),
            score=1.0,
            is_open=False,
            recording=f"{name}.jsonl",
        )
        for number, (label, start_s, stop_s, *person) in enumerate(events)
    )
    return Timeline(
        stream=name,
        run="",
        source="",
        model="",
        labels=tuple(dict.fromkeys(event.label for event in timed)),
        zero_ns=zero_ns,
        first_ns=zero_ns + round(begin_s * NS),
        last_ns=max([zero_ns + round(end_s * NS), *(event.t_end_ns for event in timed)]),
        people=tuple(sorted({event.person for event in timed})),
        events=timed,
        recordings=((f"{name}.jsonl", zero_ns),),
        names=names,
    )
