from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from recorded_runs import NOD, SHAKE, Stream, two_people

from mar_edge.streaming.recording.timeline import Timeline
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.annotations.boris import TABLE_COLUMNS, write_project, write_table
from mar_edge.view.annotations.media import Media

VIDEO = Media(Path("/data/clip.mp4"), Path("clip.mp4"), "video/mp4", 30.0, 12.0)


@pytest.fixture
def timelines(tmp_path: Path) -> list[Timeline]:
    return read_timelines([two_people().write(tmp_path / "cam.jsonl")])


def only_observation(project: dict[str, Any]) -> dict[str, Any]:
    (observation,) = project["observations"].values()
    return observation


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode().splitlines(), delimiter="\t"))


def test_ethogram_and_subjects(timelines: list[Timeline]) -> None:
    project = json.loads(write_project(timelines))
    behaviors = {entry["code"]: entry for entry in project["behaviors_conf"].values()}
    assert behaviors["nodding"]["category"] == "head"
    assert {entry["type"] for entry in behaviors.values()} == {"State event"}
    assert "no action" not in behaviors
    assert project["behavioral_categories"] == ["body", "head", "other"]
    assert [subject["name"] for subject in project["subjects_conf"].values()] == ["person 0", "person 1"]


def test_state_events_are_paired_in_the_order_of_boris(timelines: list[Timeline]) -> None:
    """Pair events as BORIS does: for each subject and behavior, every other one is a STOP."""
    events = only_observation(json.loads(write_project(timelines)))["events"]
    assert [event[0] for event in events] == sorted(event[0] for event in events)
    spans = defaultdict(list)
    for time_s, subject, behavior, modifier, _ in events:
        assert modifier == ""
        spans[subject, behavior].append(time_s)
    assert spans == {
        ("person 0", "nodding"): [1.0, 2.5],
        ("person 0", "shaking head"): [2.5, 4.0],
        ("person 0", "humming"): [5.0, 5.0],
        ("person 1", "shrugging"): [1.235, 2.0],
        ("person 1", "nodding"): [6.0, 7.967],
    }
    assert [event[4] for event in events][-2:] == ["score 0.800", "end not recorded"]


def test_an_observation_is_live_without_a_video(timelines: list[Timeline]) -> None:
    live = only_observation(json.loads(write_project(timelines)))
    assert (live["type"], live["file"]["1"], live["media_info"]) == ("LIVE", [], {})
    filmed = only_observation(json.loads(write_project(timelines, VIDEO)))
    assert (filmed["type"], filmed["file"]["1"]) == ("MEDIA", ["/data/clip.mp4"])
    assert filmed["media_info"]["fps"] == {"/data/clip.mp4": 30.0}
    assert filmed["events"][0][5] == 31  # the frame that is shown at 1.0 s, from 1


def test_each_timeline_is_an_observation(timelines: list[Timeline], tmp_path: Path) -> None:
    door = read_timelines([Stream("door").hello().event(SHAKE, 1, 2).write(tmp_path / "door.jsonl")])
    project = json.loads(write_project([*timelines, *door]))
    assert [name.split()[0] for name in project["observations"]] == ["cam", "door"]
    assert {row["Observation id"] for row in table(write_table([*timelines, *door]))} == set(project["observations"])


def test_tabular_events(timelines: list[Timeline]) -> None:
    rows = table(write_table(timelines, VIDEO))
    assert tuple(rows[0]) == TABLE_COLUMNS
    assert len(rows) == 10
    nod = [row for row in rows if (row["Behavior"], row["Subject"]) == ("nodding", "person 0")]
    assert [(row["Behavior type"], row["Time"], row["Image index"]) for row in nod] == [
        ("START", "1.000", "31"),
        ("STOP", "2.500", "76"),
    ]
    assert {row["Behavioral category"] for row in nod} == {"head"}
    assert rows[0]["Source"] == "player #1:/data/clip.mp4"
    assert rows[0]["Observation duration"] == "6.967"


def test_a_label_that_restarts_as_it_ends_stops_first(tmp_path: Path) -> None:
    stream = Stream().hello().event(NOD, 1, 2).event(NOD, 2, 3)
    rows = table(write_table(read_timelines([stream.write(tmp_path / "cam.jsonl")])))
    assert [row["Behavior type"] for row in rows] == ["START", "STOP", "START", "STOP"]


def test_state_events_of_one_subject_may_overlap(tmp_path: Path) -> None:
    stream = Stream().hello().event(NOD, 1, 5).event(SHAKE, 2, 3).event(NOD, 5, 6).event(SHAKE, 4, 5)
    timelines = read_timelines([stream.write(tmp_path / "cam.jsonl")])
    rows = [(float(row["Time"]), row["Behavior"], row["Behavior type"]) for row in table(write_table(timelines))]
    assert [time_s for time_s, *_ in rows] == sorted(time_s for time_s, *_ in rows)
    for label in (NOD, SHAKE):
        assert [kind for _, name, kind in rows if name == label.name] == ["START", "STOP"] * 2
    assert [time_s for time_s, name, _ in rows if name == NOD.name] == [1, 5, 5, 6]


def test_a_recording_without_events(tmp_path: Path) -> None:
    timelines = read_timelines([Stream().hello().write(tmp_path / "cam.jsonl")])
    assert only_observation(json.loads(write_project(timelines)))["events"] == []
    assert write_table(timelines) == ("\t".join(TABLE_COLUMNS) + "\n").encode()


def test_a_rezeroed_timeline_refers_to_the_same_pictures_of_its_video(tmp_path: Path) -> None:
    path = Stream().hello().skeletons(10, 14).event(NOD, 11, 12).write(tmp_path / "run.jsonl")
    media = Media(Path("/data/clip.mp4"), Path("clip.mp4"), "video/mp4", 30.0, 20.0)
    (whole,) = read_timelines([path])
    for timeline in (whole, whole.rezeroed()):  # BORIS uses the times of the player in both cases
        (observation,) = json.loads(write_project([timeline], media))["observations"].values()
        assert observation["media_info"]["offset"] == {"1": 0.0}
        time_s, *_, frame = observation["events"][0]
        assert (time_s, frame) == (11.0, 331)
        (start, _) = table(write_table([timeline], media))
        assert (start["Time"], start["Image index"]) == ("11.000", "331")
