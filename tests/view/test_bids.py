"""BIDS event files: what toolboxes require of them, and what we add."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from recorded_runs import two_people

from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.annotations.bids import write_events, write_sidecar


def test_events_begin_with_onset_and_duration_in_seconds(tmp_path: Path) -> None:
    (timeline,) = read_timelines([two_people().write(tmp_path / "cam.jsonl")])
    written = write_events(timeline).decode()
    assert written.splitlines()[0] == "onset\tduration\ttrial_type\tscore\tperson\tbody_group"
    rows = list(csv.reader(io.StringIO(written), delimiter="\t"))[1:]
    assert rows[0] == ["1.000", "1.500", "nodding", "0.900", "person 0", "head"]
    assert rows[1] == ["1.235", "0.765", "shrugging", "0.400", "person 1", "body"]
    assert rows[3] == ["5.000", "0.000", "humming", "0.800", "person 0", "other"]
    assert rows[4][:3] == ["6.000", "n/a", "nodding"]  # its end was not recorded
    assert [float(row[0]) for row in rows] == sorted(float(row[0]) for row in rows)


def test_the_sidecar_describes_every_column_and_level(tmp_path: Path) -> None:
    (timeline,) = read_timelines([two_people().write(tmp_path / "cam.jsonl")])
    sidecar = json.loads(write_sidecar(timeline, "clip.mp4", {"Model": "tiny"}))
    for column in write_events(timeline).decode().splitlines()[0].split("\t"):
        assert sidecar[column]["Description"]
    assert (sidecar["onset"]["Units"], sidecar["duration"]["Units"]) == ("s", "s")
    assert sidecar["trial_type"]["Levels"]["nodding"] == "label 9, body group head"
    assert sidecar["GeneratedBy"][0]["Model"] == "tiny"
    assert sidecar["Sources"] == ["clip.mp4"]
