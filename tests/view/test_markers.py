"""Markers of other programs in files of annotations: where they are, and that they come back."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pympi
import pytest
from browser import free_port, opened, page_of, review_of
from lxml import etree
from recorded_runs import NOD, ZERO_NS, Stream

from mar_edge.cli.options.selection import count_text
from mar_edge.streaming.recording.timeline import NS_A_MS, Timeline
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.training.datasets.recordings import open_recordings
from mar_edge.view.annotations import bids
from mar_edge.view.annotations.formats import format_of
from mar_edge.view.annotations.reading import read_annotations
from mar_edge.view.annotations.table import trainable
from mar_edge.view.feed import Feed

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


def test_bids_has_rows_without_duration_among_the_events(timeline: Timeline) -> None:
    rows = csv.DictReader(io.StringIO(bids.write_events(timeline).decode()), delimiter="\t")
    assert [tuple(row.values()) for row in rows] == [
        ("-0.200", "0.000", "ready", "n/a", "n/a", "LSL marker"),
        ("1.000", "1.500", "nodding", "0.800", "person 0", "head"),
        ("1.250", "0.000", "stimulus 7; left", "n/a", "n/a", "LSL marker"),
        ("1.250", "0.000", "go", "n/a", "n/a", "LSL marker"),
    ]
    levels = json.loads(bids.write_sidecar(timeline, "cam.mp4", {}))["trial_type"]["Levels"]
    assert levels["ready"] == "marker of buttons, another program"


def test_a_plot_has_a_lane_for_each_source_and_a_line_through_all(timeline: Timeline) -> None:
    pytest.importorskip("matplotlib")
    from mar_edge.view.plot import draw, plot

    drawn = plot([timeline], ".svg").decode()
    # All but "ready", which was set before the first frame.
    for text in ("LSL marker", "stimuli", "buttons", "stimulus 7; left", "go"):
        assert f">{text}</text>" in drawn
    (when, _) = draw([timeline]).axes
    lines = [line.get_xdata()[0] for line in when.lines if list(line.get_ydata()) == [0, 1]]
    assert lines == [-0.2, 1.25, 1.25]
    many = replace(timeline, markers=timeline.markers * 20)
    assert ">go</text>" not in plot([many], ".svg").decode()


@pytest.mark.parametrize("times", [1, 200])
def test_the_page_draws_a_line_with_its_text(chromium: Any, tmp_path: Path, times: int) -> None:
    stream = Stream().hello().skeletons(0, 4).event(NOD, 1.0, 2.5)
    for number in range(times):
        stream.marker(f"stimulus {number}", 1.25 + number / 1e4)
    stream.write(tmp_path / "cam.jsonl")
    with review_of([tmp_path]) as url, opened(chromium, url) as seen:
        seen.until("(times) => document.querySelectorAll('.marker').length === times", times)
        seen.says("lanes", "LSL markers")
        marker, block = (seen.page.locator(each).first for each in (".marker", ".block"))
        assert marker.get_attribute("title") == "stimuli: stimulus 0"
        assert marker.locator("span").is_visible() == (times == 1)  # no room for 200 texts
        assert seen.page.locator(".marker span").last.inner_text() == f"stimulus {times - 1}"
        line, nod = marker.bounding_box(), block.bounding_box()
        assert line["x"] - nod["x"] == pytest.approx(nod["width"] / 6, abs=1)
        assert line["y"] < nod["y"] < line["y"] + line["height"]
        assert (seen.errors, seen.foreign) == ([], [])


def test_the_live_page_draws_them_too(chromium: Any) -> None:
    feed = Feed()
    hello, *others = Stream().hello().skeletons(0, 0.2).marker("go", 0.05).end(0.2, 6, 0).messages
    feed.publish(EncodedMessage(hello))
    with page_of(feed, f"127.0.0.1:{free_port()}") as url, opened(chromium, url) as seen:
        seen.says("lanes", "head")
        for message in others:
            feed.publish(EncodedMessage(message))
        seen.until("() => document.querySelector('.marker')?.textContent === 'go'")


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
