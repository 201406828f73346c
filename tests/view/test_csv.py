from __future__ import annotations

import csv
from pathlib import Path

import pytest
from recorded_runs import NOD, NS, SHRUG, ZERO_NS, Stream, two_people

from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.annotations.table import COLUMNS, write_csv


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode().splitlines()))


def test_a_row_for_each_event_of_each_timeline(tmp_path: Path) -> None:
    two_people().write(tmp_path / "cam.jsonl")
    Stream("door").hello().event(SHRUG, 1.0, 2.0).write(tmp_path / "door.jsonl")
    found = rows(write_csv(read_timelines([tmp_path])))
    assert tuple(found[0]) == COLUMNS
    assert [row["label"] for row in found] == [
        "nodding",
        "shrugging",
        "shaking head",
        "humming",
        "nodding",
        "shrugging",
    ]
    nod, shrug, *_, last = found
    assert (nod["recording"], nod["start_s"], nod["end_s"], nod["score"]) == ("cam.jsonl", "1.000", "2.500", "0.900")
    assert (shrug["person"], shrug["body"], shrug["label_id"], shrug["open"]) == ("1", "body", "2", "0")
    assert int(shrug["t_start_ns"]) == ZERO_NS + 1_234_567_800
    assert found[4]["open"] == "1"
    assert (last["stream"], last["recording"]) == ("door", "door.jsonl")


def test_a_recording_without_events(tmp_path: Path) -> None:
    path = Stream().hello().skeletons(0, 1).write(tmp_path / "cam.jsonl")
    assert write_csv(read_timelines([path])) == (",".join(COLUMNS) + "\n").encode()


def test_training_reads_the_csv_as_labels(tmp_path: Path) -> None:
    """Write events, and train on them: times mean the same in both."""
    pytest.importorskip("torch", reason="needs the train extra")
    from mar_edge.training.datasets.recordings import open_recordings

    zero_ns = ZERO_NS - 5 * NS  # detected from the sixth second on
    (
        Stream(zero_ns=zero_ns)
        .hello()
        .skeletons(5, 9)
        .event(NOD, 5.5, 7.0)
        .event(SHRUG, 7.5, 8.5)
        .write(tmp_path / "cam.jsonl")
    )
    (tmp_path / "labels.csv").write_bytes(write_csv(read_timelines([tmp_path / "cam.jsonl"])))
    dataset = open_recordings(tmp_path)
    assert [label.name for label in dataset.labels] == ["shrugging", "nodding"]
    assert dataset.clip_names[0].startswith("cam 5.25-")
