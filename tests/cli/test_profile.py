"""``profile`` as a user runs it."""

import csv
from datetime import datetime, timezone

import pytest
from recorded_runs import NOD, SHAKE, Stream

from mar_edge.streaming.recording.corrections import Correction, write_corrections
from mar_edge.streaming.recording.timeline_reader import read_timelines


def session(run, nods):
    """Return four minutes of a person who nods at these times, and shakes the head once in the fourth minute."""
    stream = Stream(run=run * 32).hello()
    for second in range(2, 241, 2):  # of windows of 2 s
        stream.skeletons(second, second + 0.03).labels(second)
        if second in nods:
            stream.event(NOD, second - 1.5, second - 0.5)
    return stream.event(SHAKE, 200.0, 203.0).end(240.0, 119, 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a recording at rest, and one of a task."""
    folder = tmp_path_factory.mktemp("sessions")
    session("a", {10, 70, 130, 190}).write(folder / "rest.jsonl")
    session("b", {10, 70, 130, *range(190, 200, 2)}).write(folder / "task.jsonl")
    return folder


def rows_of(path, **fields):
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return [row for row in rows if fields.items() <= row.items()]


def test_minutes_against_the_first_two(cli, folder, tmp_path):
    out = tmp_path / "profile.csv"
    done = cli("profile", folder / "task.jsonl", "--out", out, "--step", 60, "--baseline-minutes", 2)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{out}: 4 moments, 9 events of 1 person in 3:58 min\n"
    nods = rows_of(out, scope="action", name="nodding")
    assert [(row["end_s"], row["count"], row["duration_s"], row["in_view_s"], row["baseline"]) for row in nods] == [
        ("60.000", "1", "1.000", "60.000", "incomplete"),
        ("120.000", "1", "1.000", "60.000", "complete"),
        ("180.000", "1", "1.000", "60.000", "complete"),
        ("240.000", "5", "5.000", "60.000", "complete"),
    ]
    assert [row["baseline_rate_per_min"] for row in nods] == ["", "1", "1", "1"]
    assert [(row["ratio"], row["difference_per_min"]) for row in nods] == [("", ""), ("1", "0"), ("1", "0"), ("5", "4")]
    assert float(nods[-1]["ratio_low"]) < 5 < float(nods[-1]["ratio_high"])
    (head,) = rows_of(out, scope="body", name="head", end_s="240.000")
    (everything,) = rows_of(out, scope="all", end_s="240.000")
    assert head["count"] == everything["count"] == "6"
    assert (head["recording"], head["stream"], head["person"]) == ("task.jsonl", "cam", "0")


def test_against_a_baseline_recording_with_selected_actions(here, folder, tmp_path):
    out = tmp_path / "profile.csv"
    arguments = ("--out", out, "--baseline", folder / "rest.jsonl", "--labels", "nodding", "--window", 240)
    done = here("profile", folder / "task.jsonl", *arguments, "--step", 240)
    assert done.returncode == 0, done.stderr
    (row,) = rows_of(out, scope="all", end_s="240.000")
    assert (row["count"], row["baseline_count"], row["ratio"], row["baseline"]) == ("8", "4", "2", "complete")
    assert {row["name"] for row in rows_of(out, scope="action")} == {"nodding"}


@pytest.fixture
def corrections(folder, tmp_path):
    """Return a file in which a coder rejects the first nod of the task and adds a shake."""
    (timeline,) = read_timelines([folder / "task.jsonl"])
    event = timeline.events[0]
    about = {
        "recording": "task.jsonl",
        "stream": "cam",
        "run": "b" * 32,
        "person": 0,
        "coder": "Anna",
        "corrected_at": datetime(2026, 11, 25, tzinfo=timezone.utc),
    }
    start_s, end_s = timeline.seconds(event.t_start_ns), timeline.seconds(event.t_end_ns)
    machine = {"machine_label": "nodding", "machine_start_s": start_s, "machine_end_s": end_s}
    no_machine = {"machine_label": "", "machine_start_s": None, "machine_end_s": None}
    rows = [
        Correction(
            **about, **machine, event_id=event.event_id, status="rejected", label="", start_s=start_s, end_s=end_s
        ),
        Correction(**about, **no_machine, event_id=-1, status="added", label="shaking head", start_s=20.0, end_s=22.0),
    ]
    write_corrections(tmp_path / "corrections.csv", rows)
    return tmp_path / "corrections.csv"


def test_events_count_as_they_are_after_correction(here, user_error, folder, tmp_path, corrections):
    out = tmp_path / "profile.csv"
    options = ("--out", out, "--step", 60, "--corrections", corrections)
    done = here("profile", folder / "task.jsonl", *options, "--coder", "Anna")
    assert done.returncode == 0, done.stderr
    first = {row["name"]: (row["count"], row["duration_s"]) for row in rows_of(out, scope="action", end_s="60.000")}
    assert first == {"nodding": ("0", "0.000"), "shaking head": ("1", "2.000")}
    assert "corrects none of these recordings" in user_error("profile", folder / "rest.jsonl", *options)
    assert "no corrections by 'Ben'" in user_error("profile", folder / "task.jsonl", *options, "--coder", "Ben")
    assert "nobody corrects a live stream" in user_error("profile", folder / "task.jsonl", *options, "--as-live")


def test_mistakes_are_named(user_error, folder, tmp_path):
    task, rest, out = folder / "task.jsonl", folder / "rest.jsonl", tmp_path / "out.csv"
    both = ("--baseline", rest, "--baseline-minutes", 2)
    assert "exclude each other" in user_error("profile", task, "--out", out, *both)
    assert "profile window is 1 to 3600 s, not 0" in user_error("profile", task, "--out", out, "--window", 0)
    assert "which would be lost" in user_error("profile", task, "--out", rest, "--baseline", rest)
    assert "--baseline: no recording at" in user_error("profile", task, "--out", out, "--baseline", tmp_path / "none")
    assert "a skeleton without media time" in user_error("profile", task, "--out", out, "--as-live")
    assert not out.exists()
