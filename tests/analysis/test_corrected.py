"""Tables of events as a coder corrected them: counted where they fit, and never where they are of another analysis."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import made_results
import msgspec
import pytest
from recorded_runs import RUN, two_people

from mar_edge.analysis.corrected import correct, read_coder
from mar_edge.analysis.result import VideoResult, found_events
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.corrections import CORRECTIONS_FILE, Correction, write_corrections
from mar_edge.streaming.recording.timeline_reader import read_timelines

CHANGED = Correction(
    recording="cam.jsonl",
    stream="cam",
    run=RUN,
    event_id=1,
    person=0,
    status="changed",
    label="shaking head",
    start_s=1.2,
    end_s=2.2,
    machine_label="nodding",
    machine_start_s=1.0,
    machine_end_s=2.5,
    coder="Anna",
    corrected_at=datetime(2026, 1, 31, tzinfo=timezone.utc),
)
REJECTED = replace(CHANGED, event_id=2, person=1, status="rejected", label="")
ADDED = replace(
    CHANGED,
    event_id=-1,
    status="added",
    label="tapping the table",
    machine_label="",
    machine_start_s=None,
    machine_end_s=None,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    two_people().write(tmp_path / "cam.jsonl")
    return tmp_path


def result(folder: Path) -> VideoResult:
    (timeline,) = read_timelines([folder / "cam.jsonl"])
    return msgspec.structs.replace(
        made_results.result(), name="cam", events=found_events(timeline), labels=timeline.labels
    )


def test_a_coder_s_events_take_the_place_of_the_model_s(folder: Path) -> None:
    others = replace(CHANGED, event_id=3, coder="Bob")
    write_corrections(folder / CORRECTIONS_FILE, [CHANGED, REJECTED, others, ADDED])
    before, said = result(folder), list[str]()
    after = correct({"cam": before}, folder, read_coder(folder, "Anna"), said.append)["cam"]
    assert not said
    assert len(before.events) == 5
    shown = [(event.label.name, event.onset_ns / 1e9, event.offset_ns / 1e9) for event in after.events]
    assert shown[:3] == [
        ("tapping the table", 1.2, 2.2),
        ("shaking head", 1.2, 2.2),
        ("shaking head", pytest.approx(2.5001), 4.0),
    ]
    assert len(shown) == 5
    assert [label.name for label in after.labels][-1] == "tapping the table"


def test_corrections_of_another_analysis_are_reported_and_left_out(folder: Path) -> None:
    write_corrections(folder / CORRECTIONS_FILE, [replace(CHANGED, run="another")])
    said: list[str] = []
    assert correct({"cam": result(folder)}, folder, read_coder(folder, "Anna"), said.append) == {}
    assert said == ["cam: 1 corrections do not count: they are of an analysis with other settings"]


def test_a_coder_without_corrections_is_a_mistake(folder: Path) -> None:
    with pytest.raises(MarEdgeError, match=r"no .*corrections.csv"):
        read_coder(folder, "Anna")
    write_corrections(folder / CORRECTIONS_FILE, [CHANGED])
    with pytest.raises(MarEdgeError, match=r"no corrections by 'Ann'; .* did you mean 'Anna'"):
        read_coder(folder, "Ann")
