from __future__ import annotations

from pathlib import Path

import pytest
from recorded_runs import NS, two_people

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.timeline import Timeline
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.annotations.table import write_csv
from mar_edge.view.annotations.table_reader import read_events


def events(timeline: Timeline) -> list[tuple[str, str, float, float]]:
    return [
        (
            timeline.name_of(event.person),
            event.label.name,
            timeline.seconds(event.t_start_ns),
            timeline.seconds(event.t_end_ns),
        )
        for event in timeline.events
    ]


def read(tmp_path: Path, content: str, name: str = "P01.csv", encoding: str = "utf-8") -> Timeline:
    (tmp_path / name).write_bytes(content.encode(encoding))
    (timeline,) = read_events(tmp_path / name).timelines
    return timeline


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_that_excel_saved_in_german(tmp_path: Path, encoding: str) -> None:
    text = "label;start_s;end_s;person;coder\r\nnodding;1,5;2,75;Jörg;Änne\r\nwaving;0:01:02,5;63;;\r\n;;;;\r\n"
    timeline = read(tmp_path, text, encoding=encoding)
    assert events(timeline) == [("Jörg", "nodding", 1.5, 2.75), ("person 1", "waving", 62.5, 63.0)]
    assert [event.coder for event in timeline.events] == ["Änne", ""]
    assert {event.recording for event in timeline.events} == {"P01.jsonl"}


def test_edited_seconds_win_over_nanoseconds(tmp_path: Path) -> None:
    (machine,) = read_timelines([two_people().write(tmp_path / "cam.jsonl")])
    text = write_csv([machine]).decode()
    timeline = read(tmp_path, text.replace("cam.jsonl,1.235,", "cam.jsonl,1.300,"))
    moved = {event.event_id: event for event in timeline.events}
    for event in machine.events:
        start_ns = machine.zero_ns + 1_300_000_000 if event.event_id == 2 else event.t_start_ns
        assert (moved[event.event_id].t_start_ns, moved[event.event_id].t_end_ns) == (start_ns, event.t_end_ns)
    # The end of an open event that a coder moved is known.
    assert moved[5].is_open
    ended = read(tmp_path, text.replace(",7.967,", ",7.500,"))
    assert [event.is_open for event in ended.events if event.event_id == 5] == [False]
    # A spreadsheet that rounds the nanoseconds loses no time.
    rounded = text.replace("1795288668909371342", "1.79528866890937E+18")
    assert [round(s, 3) for _, _, s, _ in events(read(tmp_path, rounded))] == [1.0, 1.235, 2.5, 5.0, 6.0]


def test_each_recording_of_a_table_is_a_timeline(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "recording,start_s,end_s,label\na,1,2,nodding\nb.jsonl,3,4,nodding\nc.mp4,5,6,waving\na,7,8,waving\n"
    )
    timelines = read_events(tmp_path / "labels.csv").timelines
    assert [(each.stream, len(each.events), each.events[0].recording) for each in timelines] == [
        ("a", 2, "a.jsonl"),
        ("b", 1, "b.jsonl"),
        ("c", 1, "c.jsonl"),
    ]


def test_events_of_bids(tmp_path: Path) -> None:
    timeline = read(tmp_path, "onset\tduration\ttrial_type\tscore\n1.5\t0.5\tnodding\t0.75\n2\tn/a\twaving\tn/a\n")
    assert events(timeline) == [("person 0", "nodding", 1.5, 2.0), ("person 0", "waving", 2.0, 2.0)]
    assert [(event.score, event.is_open) for event in timeline.events] == [(0.75, False), (1.0, True)]


def test_both_exports_of_boris(tmp_path: Path) -> None:
    columns = ["Observation id", "Observation date", "Description", "Time offset (s)", "Media file name", "Subject"]
    columns += ["Behavior", "Behavioral category", "Modifier #1", "Behavior type", "Time", "Comment"]
    rows = [
        "Ann,nodding,head,,START,11.0,",
        "Ann,sneeze,,,POINT,11.5,NA",
        "Ann,nodding,head,,STOP,12.0,",
        "No focal subject,waving,,,STOP,12.5,",
        "Ann,waving,,big,START,13.0,",
    ]
    lines = [",".join(columns), *(f"one,2026-01-31 12:00:00,,10.0,P01.mp4,{row}" for row in rows)]
    tabular = "\n".join(lines)
    (tmp_path / "a.csv").write_text(tabular)
    found = read_events(tmp_path / "a.csv")
    assert events(found.timelines[0]) == [
        ("Ann", "nodding", 1.0, 2.0),
        ("Ann", "sneeze", 1.5, 1.5),
        ("Ann", "waving", 3.0, 3.0),
    ]
    assert found.timelines[0].zero_ns == 1_769_860_800 * NS
    assert found.notes == (
        "observation 'one': 1 START without a STOP is kept as open",
        "observation 'one': 1 STOP without a START is left out",
        "observation 'one': 1 modifier is left out",
    )
    aggregated = "Observation id,Media file name,Subject,Behavior,Behavioral category,Start (s),Stop (s)\n"
    timeline = read(tmp_path, aggregated + "one,v/P01.mp4,Ann,nodding,head,1.0,2.0\none,NA,Ann,sneeze,,3.0,NA\n")
    assert [event.recording for event in timeline.events] == ["P01.jsonl", "one.jsonl"]
    assert events(timeline) == [("Ann", "nodding", 1.0, 2.0), ("Ann", "sneeze", 3.0, 3.0)]


def test_an_export_of_an_old_boris_has_facts_above_its_header(tmp_path: Path) -> None:
    text = (
        "Observation id\tone\n\nMedia file(s)\nPlayer #1\tP01.mp4\n\n"
        "Time\tMedia file path\tSubject\tBehavior\tComment\tStatus\n"
        "1.0\tvideos/P01.mp4\tAnn\tnodding\t\tSTART\n2.5\tvideos/P01.mp4\tAnn\tnodding\t\tSTOP\n"
    )
    timeline = read(tmp_path, text, "a.tsv")
    assert events(timeline) == [("Ann", "nodding", 1.0, 2.5)]
    assert timeline.events[0].recording == "P01.jsonl"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,,nodding,0.5", None),
        ("1,0.5,nodding,0.5", "line 2: an event from 1 to 0.5 s"),
        ("one,2,nodding,0.5", "line 2: start_s is 'one'; expected seconds"),
        ("1,2,,0.5", "line 2: label is empty"),
        ("1,2,nodding,1.5", "line 2: score is 1.5; expected 0 to 1"),
        ("nan,2,nodding,0.5", "line 2: start_s is 'nan'"),
    ],
)
def test_a_wrong_row_is_an_error_that_names_the_line(tmp_path: Path, row: str, message: str | None) -> None:
    text = f"start_s,end_s,label,score\n{row}\n"
    if message is None:
        assert read(tmp_path, text).events[0].is_open
        return
    with pytest.raises(MarEdgeError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)


def test_a_table_of_something_else_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,value\n1,2\n")
    with pytest.raises(MarEdgeError, match=r"has the columns time, value; expected start_s, end_s, label; Start"):
        read_events(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("Time,Behavior\n1,nodding\n")
    with pytest.raises(MarEdgeError, match="no column 'Behavior type'"):
        read_events(tmp_path / "a.csv")
