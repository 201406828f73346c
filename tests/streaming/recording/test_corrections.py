from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_runs import RUN, SHAKE, SHRUG, ZERO_NS, two_people

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import UNLISTED_ID
from mar_edge.streaming.recording.corrections import (
    COLUMNS,
    Correction,
    corrected_events,
    latest,
    read_corrections,
    write_corrections,
)
from mar_edge.streaming.recording.timeline import Timeline
from mar_edge.streaming.recording.timeline_reader import read_timelines

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
CONFIRMED = Correction(
    "cam.jsonl", "cam", RUN, 1, 0, "confirmed", "nodding", 1.0, 2.5, "nodding", 1.0, 2.5, "Anna", NOON
)
ADDED = replace(
    CONFIRMED, event_id=-1, status="added", start_s=7.0, end_s=7.5, machine_label="", machine_start_s=None,
    machine_end_s=None,
)  # fmt: skip
REVIEWED = replace(
    CONFIRMED, event_id=None, person=None, status="reviewed", label="", start_s=0.0, end_s=8.0, machine_label="",
    machine_start_s=None, machine_end_s=None,
)  # fmt: skip


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    (found,) = read_timelines([two_people().write(tmp_path / "cam.jsonl")])
    return found


def named(timeline: Timeline, rows: list[Correction], coder: str | None = None) -> list[tuple[int, str, float, str]]:
    return [
        (event.event_id, event.label.name, round(timeline.seconds(event.t_start_ns), 3), event.coder)
        for event in corrected_events(timeline, rows, coder)
    ]


def test_each_status_does_what_it_says(timeline: Timeline) -> None:
    rows = [
        CONFIRMED,
        replace(CONFIRMED, event_id=2, status="rejected", label=""),
        replace(CONFIRMED, event_id=3, status="changed", label="tilting head", start_s=2.2, end_s=4.0),
        ADDED,
        REVIEWED,
    ]
    assert named(timeline, rows) == [
        (1, "nodding", 1.0, "Anna"),
        (3, "tilting head", 2.2, "Anna"),
        (4, "humming", 5.0, ""),
        (5, "nodding", 6.0, ""),
        (-1, "nodding", 7.0, "Anna"),
    ]


def test_an_edge_that_was_not_moved_keeps_its_nanoseconds(timeline: Timeline) -> None:
    shrug = next(event for event in timeline.events if event.label == SHRUG)  # from 1.2345678 s
    row = replace(CONFIRMED, event_id=shrug.event_id, status="changed", label="bowing head", start_s=1.235, end_s=2.1)
    after = next(event for event in corrected_events(timeline, [row]) if event.event_id == shrug.event_id)
    assert (after.t_start_ns, after.t_end_ns) == (shrug.t_start_ns, ZERO_NS + 2_100_000_000)
    moved = replace(row, start_s=1.237)
    after = next(event for event in corrected_events(timeline, [moved]) if event.event_id == shrug.event_id)
    assert after.t_start_ns == ZERO_NS + 1_237_000_000


def test_a_moved_edge_ends_an_event_whose_end_was_not_recorded(timeline: Timeline) -> None:
    row = replace(CONFIRMED, event_id=5, status="changed", start_s=6.0, end_s=6.8)
    after = next(event for event in corrected_events(timeline, [row]) if event.event_id == 5)
    assert (after.is_open, after.t_end_ns) == (False, ZERO_NS + 6_800_000_000)


def test_the_last_row_about_an_event_counts_and_all_reviewed_stretches_do(timeline: Timeline) -> None:
    rejected = replace(CONFIRMED, status="rejected")
    other = replace(REVIEWED, start_s=9.0, end_s=10.0)
    assert latest([rejected, REVIEWED, CONFIRMED, other]) == [CONFIRMED, REVIEWED, other]
    assert named(timeline, [rejected, CONFIRMED])[0] == (1, "nodding", 1.0, "Anna")
    # A rotated part of the same run shows the same event again.
    assert named(timeline, [CONFIRMED, replace(rejected, recording="part.jsonl")])[0][0] == 2
    assert len(latest([ADDED, replace(ADDED, recording="part.jsonl")])) == 2


def test_the_decisions_of_one_coder_are_used(timeline: Timeline) -> None:
    rows = [CONFIRMED, replace(CONFIRMED, status="rejected", coder="Ben")]
    with pytest.raises(MarEdgeError, match="several coders; choose one with --coder: Anna, Ben"):
        corrected_events(timeline, rows)
    assert named(timeline, rows, "Ben")[0][0] == 2
    assert named(timeline, rows, "Anna")[0] == (1, "nodding", 1.0, "Anna")
    with pytest.raises(MarEdgeError, match="did you mean 'Anna'"):
        corrected_events(timeline, rows, "anna ")


def test_rows_of_other_runs_change_nothing_and_an_unknown_event_is_an_error(timeline: Timeline) -> None:
    assert corrected_events(timeline, [replace(CONFIRMED, run="another", status="rejected")]) == timeline.events
    assert corrected_events(timeline, []) == timeline.events
    with pytest.raises(MarEdgeError, match=r"event 77 of stream 'cam', which cam\.jsonl does not have"):
        corrected_events(timeline, [replace(CONFIRMED, event_id=77)])


def test_a_label_of_the_coder_is_kept_by_name(timeline: Timeline) -> None:
    added = replace(ADDED, label="smiling")
    assert corrected_events(timeline, [added])[-1].label.id == UNLISTED_ID
    assert corrected_events(timeline, [replace(added, label="shaking head")])[-1].label == SHAKE
    assert corrected_events(timeline, [replace(added, label="waving")])[-1].label.body == "upper limb"  # of MA-52


_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), max_size=20).map(str.strip)
_NAMES = _WORDS.filter(bool)
_MS = st.integers(0, 10**9)


@st.composite
def corrections(draw: st.DrawFn) -> Correction:
    start_ms = draw(_MS)
    machine_s = draw(st.none() | _MS.map(lambda ms: ms / 1000))
    row = replace(
        CONFIRMED,
        recording=f"{draw(st.from_regex('[a-z0-9 ;,-]{1,9}', fullmatch=True))}.jsonl".strip(),
        stream=draw(_NAMES),
        run=draw(_NAMES),
        event_id=draw(st.integers(0, 10**9)),
        person=draw(st.integers(0, 9)),
        status=draw(st.sampled_from(["confirmed", "rejected", "changed"])),
        label=draw(_NAMES),
        start_s=start_ms / 1000,
        end_s=(start_ms + draw(_MS)) / 1000,
        machine_label=draw(_WORDS),
        machine_start_s=machine_s,
        machine_end_s=machine_s,
        coder=draw(_NAMES),
        corrected_at=NOON + timedelta(seconds=draw(st.integers(0, 10**8))),
    )
    kind = draw(st.sampled_from(["event", "added", "reviewed"]))
    if kind == "added":
        return replace(row, status="added", event_id=-1 - draw(st.integers(0, 99)))
    if kind == "reviewed":
        return replace(row, status="reviewed", event_id=None, person=None, label="")
    return row


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(corrections(), max_size=5))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[Correction]) -> None:
    path = tmp_path_factory.mktemp("corrections") / "corrections.csv"
    write_corrections(path, rows)
    assert read_corrections(path) == rows


def test_a_file_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    write_corrections(path, [CONFIRMED, ADDED, REVIEWED])
    text = path.read_text().replace(",", ";").replace(".0", ",0").replace(".5", ",5")
    path.write_bytes(f"\ufeff{text};;;;;;;;;;;;;\n".replace("\n", "\r\n").encode())
    assert read_corrections(path) == [CONFIRMED, ADDED, REVIEWED]


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("status", "maybe", "confirmed, rejected, changed, added, reviewed, not 'maybe'"),
        ("recording", "../../etc/passwd", "name of a file in the same folder"),
        ("recording", "C:\\cam.jsonl", "name of a file in the same folder"),
        ("recording", "", "name of a file"),
        ("run", "", "have a value in every row"),
        ("coder", "", "have a value in every row"),
        ("coder", "x" * 101, "coder is one line of at most 100 characters"),
        ("label", "", "an event that is confirmed has a label"),
        ("event_id", "-1", "expected a negative one for an added event"),
        ("event_id", "", "event_id is empty where a stretch was reviewed"),
        ("event_id", "1.5", "event_id is a whole number, not '1.5'"),
        ("person", "", "an event has a person"),
        ("person", "-1", "person is the number of a person"),
        ("start_s", "3", "from 3.0 to 2.5 s"),
        ("end_s", "nan", "end_s is 'nan'; expected seconds"),
        ("end_s", "1e99", "end_s is '1e99'; expected seconds"),
        ("machine_end_s", "soon", "machine_end_s is 'soon'; expected seconds"),
        ("corrected_at", "31.01.2026 12:00", "corrected_at is '31.01.2026 12:00'; expected"),
        ("corrected_at", "2026-01-31T12:00:00", "corrected_at is a time in UTC"),
    ],
)
def test_a_wrong_cell_is_an_error_that_names_the_line(tmp_path: Path, column: str, text: str, message: str) -> None:
    path = tmp_path / "corrections.csv"
    write_corrections(path, [CONFIRMED])
    header, line = path.read_text().splitlines()
    cells = dict(zip(COLUMNS, line.split(","), strict=True)) | {column: text}
    path.write_text(f"{header}\n{','.join(cells.values())}\n")
    with pytest.raises(MarEdgeError, match="line 2: ") as caught:
        read_corrections(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_something_else_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text("recording,start_s,end_s,label\n")
    with pytest.raises(MarEdgeError, match="no column stream, run, event_id"):
        read_corrections(path)
    with pytest.raises(MarEdgeError, match=r"cannot read .*nowhere\.csv"):
        read_corrections(tmp_path / "nowhere.csv")
    with pytest.raises(MarEdgeError, match="one line"):
        replace(CONFIRMED, coder="Anna\nBen")
