"""Markers of other programs in files of annotations: where they are, and that they come back."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pympi
import pytest
from lxml import etree
from recorded_runs import NOD, ZERO_NS, Stream

from mar_edge.cli.options.selection import count_text
from mar_edge.streaming.recording.timeline import NS_A_MS, Timeline
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.training.datasets.recordings import open_recordings
from mar_edge.view.annotations.formats import format_of
from mar_edge.view.annotations.reading import read_annotations
from mar_edge.view.annotations.table import trainable

SCHEMA = Path(__file__).parents[1] / "data" / "eaf.xsd"


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    """Return a nod and three markers: two at one moment, and one of another stream before the first frame."""
    stream = Stream().hello().skeletons(0, 4).event(NOD, 1.0, 2.5).marker("stimulus 7; left", 1.25).marker("go", 1.25)
    (found,) = read_timelines([stream.marker("ready", -0.2, "buttons").write(tmp_path / "cam.jsonl")])
    return found


def written(timeline: Timeline, suffix: str) -> bytes:
    return format_of(suffix).write([timeline], None)


def test_elan_has_a_tier_for_each_source(timeline: Timeline, tmp_path: Path) -> None:
    content = written(timeline, ".eaf")
    etree.XMLSchema(etree.parse(str(SCHEMA))).assertValid(etree.parse(io.BytesIO(content)))
    path = tmp_path / "read.eaf"
    path.write_bytes(content)
    elan = pympi.Eaf(str(path))
    tiers = {tier: elan.get_annotation_data_for_tier(tier) for tier in elan.get_tier_names()}
    assert tiers == {
        "person 0 head": [(1000, 2500, "nodding")],
        "LSL marker buttons": [(0, 1, "ready")],  # ELAN has no time before the document
        "LSL marker stimuli": [(1250, 1251, "stimulus 7; left")],
        "LSL marker stimuli 2": [(1250, 1251, "go")],
    }


def test_boris_has_point_events(timeline: Timeline) -> None:
    project = json.loads(written(timeline, ".boris"))
    (behavior,) = [each for each in project["behaviors_conf"].values() if each["type"] == "Point event"]
    assert behavior["code"] == "LSL marker"
    (observation,) = project["observations"].values()
    points = [event for event in observation["events"] if event[2] == "LSL marker"]
    assert points == [
        [-0.2, "", "LSL marker", "", "ready; coder buttons"],
        [1.25, "", "LSL marker", "", "stimulus 7; left; coder stimuli"],
        [1.25, "", "LSL marker", "", "go; coder stimuli"],
    ]
    rows = list(csv.DictReader(io.StringIO(written(timeline, ".tsv").decode()), delimiter="\t"))
    assert [(row["Subject"], row["Behavior type"]) for row in rows] == [
        ("No focal subject", "POINT"),
        ("person 0", "START"),
        ("No focal subject", "POINT"),
        ("No focal subject", "POINT"),
        ("person 0", "STOP"),
    ]


def test_csv_has_rows_among_the_events(timeline: Timeline) -> None:
    rows = list(csv.DictReader(io.StringIO(written(timeline, ".csv").decode())))
    assert [(row["start_s"], row["label"], row["body"], row["person"], row["score"], row["coder"]) for row in rows] == [
        ("-0.200", "ready", "LSL marker", "", "", "buttons"),
        ("1.000", "nodding", "head", "0", "0.800", ""),
        ("1.250", "stimulus 7; left", "LSL marker", "", "", "stimuli"),
        ("1.250", "go", "LSL marker", "", "", "stimuli"),
    ]


@pytest.mark.parametrize("suffix", [".csv", ".boris", ".tsv", ".eaf"])
def test_they_come_back_apart_from_events(timeline: Timeline, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"session{suffix}"
    path.write_bytes(written(timeline, suffix))
    read = read_annotations([path])
    (back,) = read.timelines
    # In whole milliseconds; ELAN has none before the document.
    exact = [
        replace(each, t_ns=max(each.t_ns, ZERO_NS) if suffix == ".eaf" else each.t_ns) for each in timeline.markers
    ]
    assert [(each.text, each.source) for each in back.markers] == [(each.text, each.source) for each in exact]
    assert [each.t_ns for each in back.markers] == pytest.approx([each.t_ns for each in exact], abs=NS_A_MS)
    assert [event.label for event in back.events] == [NOD]
    assert back.people == (0,)
    assert read.notes == ()
    assert len(written(back, suffix)) == len(path.read_bytes())


def test_the_command_counts_them(timeline: Timeline) -> None:
    assert count_text([timeline]).endswith("; markers of other programs: 3")


def test_training_takes_none_for_a_label(timeline: Timeline, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(written(timeline, ".csv"))
    assert [label.name for label in open_recordings(tmp_path).labels] == ["nodding"]
    assert trainable([timeline], tmp_path)[0][0].markers == ()
