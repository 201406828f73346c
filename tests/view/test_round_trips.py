"""What each format of annotations gives back of what was written to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_runs import LABELS, NS, ZERO_NS

from mar_edge.edge.labels import UNLISTED_ID, Label
from mar_edge.streaming.recording.timeline import NS_A_MS, TimedEvent, Timeline
from mar_edge.view.annotations.formats import format_of
from mar_edge.view.annotations.reading import read_annotations

OWN = Label(UNLISTED_ID, "smiling, a little", "")
NUMBERED = Label(60, "humming", "voice")
KNOWN = (*LABELS[:11], NUMBERED, OWN)
PEOPLE = ((0, "person 0"), (1, "person 1"), (2, "Zoë; child"))
CODERS = ("", "Anna", "Ben (2nd coder)", "李雷")


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """Draw a timeline of one stream. Events of one person and label never overlap: BORIS could not tell them apart."""
    drawn = st.tuples(
        st.integers(0, 7_200_000 * NS_A_MS),
        st.integers(0, 20 * NS),
        st.sampled_from(KNOWN),
        st.sampled_from(PEOPLE),
        st.sampled_from(CODERS),
        st.integers(0, 1000),
        st.booleans(),
    )
    events: list[TimedEvent] = []
    ends: dict[tuple[int, Label], int] = {}
    rotated_ns = ZERO_NS + 3600 * NS
    for start_ns, length_ns, label, (person, _), coder, score, is_open in sorted(
        draw(st.lists(drawn, max_size=12)), key=lambda each: each[0]
    ):
        t_start_ns = max(ZERO_NS + start_ns, ends.get((person, label), 0) + NS_A_MS)
        ends[person, label] = t_start_ns + length_ns
        recording = "cam-2.jsonl" if t_start_ns >= rotated_ns else "cam-1.jsonl"
        events.append(
            TimedEvent(
                len(events), person, label, t_start_ns, t_start_ns + length_ns, score / 1000, is_open, recording, coder
            )
        )
    events.sort(key=lambda event: (event.t_start_ns, event.t_end_ns))
    last_ns = max([ZERO_NS + 7300 * NS, *(event.t_end_ns for event in events)])
    return Timeline(
        stream="cam",
        run="0123456789abcdef",
        source="clip; one.mp4",
        model="tiny model",
        labels=KNOWN,
        zero_ns=ZERO_NS,
        first_ns=ZERO_NS,
        last_ns=last_ns,
        people=(0, 1, 2),
        events=tuple(events),
        media_zero_ns=draw(st.sampled_from([ZERO_NS, ZERO_NS - 5 * NS])),
        frames=9,
        dropped=draw(st.sampled_from([0, 3])),
        recordings=(("cam-1.jsonl", ZERO_NS), ("cam-2.jsonl", rotated_ns)),
        names=((2, "Zoë; child"),),
    )


def in_milliseconds(timeline: Timeline, least_ms: int = 0) -> Timeline:
    """Return the same with times rounded to milliseconds of the timeline, as annotation programs hold them."""
    events = []
    for event in timeline.events:
        start_ms, end_ms = timeline.milliseconds(event.t_start_ns), timeline.milliseconds(event.t_end_ns)
        if end_ms - start_ms < least_ms:  # the millisecond in which it starts
            start_ms = (event.t_start_ns - timeline.zero_ns) // NS_A_MS
            end_ms = start_ms + least_ms
        start_ns, end_ns = (timeline.zero_ns + ms * NS_A_MS for ms in (start_ms, end_ms))
        events.append(replace(event, t_start_ns=start_ns, t_end_ns=end_ns))
    return replace(timeline, events=tuple(events))


def unnumbered(timeline: Timeline) -> Timeline:
    """Return the same without numbers of events, in an order that does not depend on them."""
    events = [replace(event, event_id=0) for event in timeline.events]
    return replace(
        timeline,
        events=tuple(sorted(events, key=lambda e: (e.t_start_ns, e.t_end_ns, e.person, e.label.name, e.coder))),
        last_ns=0,
    ).unshifted()


def csv_holds(timeline: Timeline) -> Timeline:
    """CSV has a row per event, and nothing about what has none: other labels, people and files, the model."""
    starts: dict[str, int] = {}
    for event in timeline.events:
        starts.setdefault(event.recording, event.t_start_ns)
    return replace(
        timeline,
        source="",
        model="",
        first_ns=timeline.zero_ns,
        last_ns=max([timeline.zero_ns, *(event.t_end_ns for event in timeline.events)]),
        people=tuple(sorted({event.person for event in timeline.events})),
        names=timeline.names if any(event.person == 2 for event in timeline.events) else (),
        media_zero_ns=None,
        recordings=tuple(starts.items()),
    )


def eaf_holds(timeline: Timeline) -> Timeline:
    """EAF has no scores, ids and open ends."""
    events = tuple(replace(event, score=1.0, is_open=False) for event in timeline.events)
    return unnumbered(in_milliseconds(replace(timeline, events=events), least_ms=1))


def boris_holds(timeline: Timeline) -> Timeline:
    """BORIS has no ids."""
    return unnumbered(in_milliseconds(timeline))


def tabular_holds(timeline: Timeline) -> Timeline:
    """Return what the export of BORIS has: no ids, also of labels."""
    events = tuple(
        replace(event, label=Label(UNLISTED_ID, "humming", "voice") if event.label == NUMBERED else event.label)
        for event in timeline.events
    )
    return unnumbered(in_milliseconds(replace(timeline, events=events)))


def check(folder: Path, timeline: Timeline, suffix: str, holds: Callable[[Timeline], Timeline]) -> None:
    path = folder / f"session{suffix}"
    path.write_bytes(format_of(suffix).write([timeline], None))
    (found,) = read_annotations([path]).timelines
    expected = holds(timeline)
    if suffix != ".csv":
        found = unnumbered(found)
    if suffix in {".csv", ".tsv"}:
        assert {event.label for event in found.events} <= set(found.labels)
        found, expected = (replace(each, labels=()) for each in (found, expected))
    assert found == expected


@pytest.mark.parametrize(
    ("suffix", "holds"),
    [(".csv", csv_holds), (".eaf", eaf_holds), (".boris", boris_holds), (".tsv", tabular_holds)],
)
def test_a_timeline_comes_back(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, holds: Callable[[Timeline], Timeline]
) -> None:
    folder = tmp_path_factory.mktemp("trip")

    @settings(max_examples=60, deadline=None)
    @given(timeline=timelines())
    def comes_back(timeline: Timeline) -> None:
        if timeline.events or suffix in {".eaf", ".boris"}:
            check(folder, timeline, suffix, holds)

    comes_back()


@pytest.mark.parametrize("suffix", [".eaf", ".boris"])
def test_a_second_trip_changes_nothing(tmp_path: Path, suffix: str) -> None:
    event = TimedEvent(1, 2, OWN, ZERO_NS + 5, ZERO_NS + NS + 7, 0.5, True, "a.jsonl", "Anna")
    timeline = Timeline(
        "cam", "run", "", "", (OWN,), ZERO_NS, ZERO_NS, ZERO_NS + 9 * NS, (2,), (event,), ZERO_NS, names=((2, "Zoë"),)
    )
    first = tmp_path / f"first{suffix}"
    first.write_bytes(format_of(suffix).write([timeline], None))
    again = tmp_path / f"again{suffix}"
    again.write_bytes(format_of(suffix).write(read_annotations([first]).timelines, None))
    assert again.read_bytes() == first.read_bytes()
