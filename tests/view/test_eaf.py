from __future__ import annotations

import io
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pympi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from recorded_runs import NOD, NS, SHAKE, SHRUG, ZERO_NS, Stream, two_people

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.streaming.recording.timeline import TimedEvent, Timeline
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.annotations.eaf import write_eaf
from mar_edge.view.annotations.media import Media

SCHEMA = Path(__file__).parents[1] / "data" / "eaf.xsd"


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMA)))


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    (found,) = read_timelines([two_people().write(tmp_path / "cam.jsonl")])
    return found


def read(content: bytes, tmp_path: Path) -> pympi.Eaf:
    """Read a document with an independent library."""
    path = tmp_path / "read.eaf"
    path.write_bytes(content)
    return pympi.Eaf(str(path))


def test_a_tier_for_each_person_and_body_group(timeline: Timeline, schema: etree.XMLSchema, tmp_path: Path) -> None:
    content = write_eaf(timeline)
    schema.assertValid(etree.parse(io.BytesIO(content)))
    elan = read(content, tmp_path)
    assert {tier: elan.get_annotation_data_for_tier(tier) for tier in elan.get_tier_names()} == {
        "person 0 head": [(1000, 2500, "nodding"), (2500, 4000, "shaking head")],
        "person 0 other": [(5000, 5001, "humming")],  # ELAN does not show annotations without a duration
        "person 1 body": [(1235, 2000, "shrugging")],
        "person 1 head": [(6000, 7967, "nodding")],
    }
    tier = elan.get_parameters_for_tier("person 1 body")
    assert (tier["PARTICIPANT"], tier["LINGUISTIC_TYPE_REF"]) == ("person 1", "body")


def test_the_vocabulary_holds_the_labels_of_the_body_group(timeline: Timeline, tmp_path: Path) -> None:
    elan = read(write_eaf(timeline), tmp_path)
    assert elan.get_parameters_for_linguistic_type("head")["CONTROLLED_VOCABULARY_REF"] == "head"
    entries = elan.get_cv_entries("head")
    named = {key: values[0][0] for key, (values, _) in entries.items()}
    assert named["label-9"] == "nodding"
    assert len(named) == 6
    document = etree.fromstring(write_eaf(timeline))
    for annotation in document.iter("ALIGNABLE_ANNOTATION"):
        value = annotation.findtext("ANNOTATION_VALUE")
        assert document.xpath("//CV_ENTRY_ML[@CVE_ID=$id]/CVE_VALUE/text()", id=annotation.get("CVE_REF")) == [value]


def test_the_video_has_the_url_that_elan_uses(timeline: Timeline, schema: etree.XMLSchema, tmp_path: Path) -> None:
    media = Media(Path("/data/my videos/a&b.mp4"), Path("../my videos/a&b.mp4"), "video/mp4", 30.0, 12.0)
    content = write_eaf(timeline, media)
    schema.assertValid(etree.parse(io.BytesIO(content)))
    assert read(content, tmp_path).get_linked_files() == [
        {
            "MEDIA_URL": "file:///data/my videos/a&b.mp4",
            "MIME_TYPE": "video/mp4",
            "RELATIVE_MEDIA_URL": "../my videos/a&b.mp4",
        }
    ]


def test_a_recording_without_events(schema: etree.XMLSchema, tmp_path: Path) -> None:
    (timeline,) = read_timelines([Stream().hello().write(tmp_path / "cam.jsonl")])
    schema.assertValid(etree.parse(io.BytesIO(write_eaf(timeline))))


def test_overlapping_events_go_to_separate_tiers(timeline: Timeline, schema: etree.XMLSchema, tmp_path: Path) -> None:
    nod, *_ = timeline.events
    again = replace(nod, event_id=99, t_start_ns=nod.t_start_ns + NS // 2)
    content = write_eaf(replace(timeline, events=(nod, again)))
    schema.assertValid(etree.parse(io.BytesIO(content)))
    assert list(read(content, tmp_path).get_tier_names()) == ["person 0 head", "person 0 head 2"]


def test_simultaneous_events_of_a_group_go_to_tiers_of_that_group(schema: etree.XMLSchema, tmp_path: Path) -> None:
    stream = Stream().hello().event(NOD, 1, 5).event(SHRUG, 1.5, 4).event(SHAKE, 2, 3).event(SHAKE, 4, 6)
    (timeline,) = read_timelines([stream.write(tmp_path / "cam.jsonl")])
    content = write_eaf(timeline)
    schema.assertValid(etree.parse(io.BytesIO(content)))
    elan = read(content, tmp_path)
    assert {tier: elan.get_annotation_data_for_tier(tier) for tier in elan.get_tier_names()} == {
        "person 0 body": [(1500, 4000, "shrugging")],
        "person 0 head": [(1000, 5000, "nodding")],
        "person 0 head 2": [(2000, 3000, "shaking head"), (4000, 6000, "shaking head")],
    }


def test_a_timeline_longer_than_the_format_allows_is_refused(tmp_path: Path, schema: etree.XMLSchema) -> None:
    stream = Stream().hello().event(NOD, 50 * 86_400, 50 * 86_400 + 2)
    (timeline,) = read_timelines([stream.write(tmp_path / "cam.jsonl")])
    with pytest.raises(MarEdgeError, match="49 days at most; --rezero"):
        write_eaf(timeline)
    schema.assertValid(etree.fromstring(write_eaf(timeline.rezeroed())))


def test_characters_that_xml_cannot_hold_are_replaced(timeline: Timeline, schema: etree.XMLSchema) -> None:
    odd = Label(70, "<&> \x00 \"'", "tier\x0b & co")
    event = replace(timeline.events[0], label=odd)
    content = write_eaf(replace(timeline, events=(event,), labels=(odd,)))
    schema.assertValid(etree.parse(io.BytesIO(content)))
    assert "<&> \ufffd \"'" in [value.text for value in etree.fromstring(content).iter("ANNOTATION_VALUE")]


_MOMENTS = st.lists(st.integers(0, 36_000 * NS), min_size=2, max_size=12, unique=True)


@settings(max_examples=30, deadline=None)
@given(moments=_MOMENTS)
def test_times_match_the_messages_to_a_millisecond(schema: etree.XMLSchema, moments: list[int]) -> None:
    moments = sorted(moments)
    events = tuple(
        TimedEvent(number, 0, NOD if number % 2 else SHAKE, ZERO_NS + start, ZERO_NS + end, 0.5, False, "")
        for number, (start, end) in enumerate(pairwise(moments))
    )
    timeline = Timeline("cam", "r", "", "", (NOD, SHAKE), ZERO_NS, ZERO_NS, ZERO_NS + moments[-1], (0,), events)
    document = etree.fromstring(write_eaf(timeline))
    schema.assertValid(document)
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in document.iter("TIME_SLOT")}
    spans = sorted(
        (slots[annotation.get("TIME_SLOT_REF1")], slots[annotation.get("TIME_SLOT_REF2")])
        for annotation in document.iter("ALIGNABLE_ANNOTATION")
    )
    assert len(spans) == len(events)
    for (start_ms, end_ms), event in zip(spans, events, strict=True):
        assert abs(start_ms - (event.t_start_ns - ZERO_NS) / 1e6) <= 1.0
        assert abs(end_ms - (event.t_end_ns - ZERO_NS) / 1e6) <= 1.0
        assert end_ms > start_ms


def test_times_that_do_not_start_with_the_video_state_their_origin() -> None:
    from mar_edge.view.annotations.boris import write_project

    event = TimedEvent(1, 0, NOD, ZERO_NS + 5 * NS, ZERO_NS + 6 * NS, 0.9, False, "a.jsonl")
    moments = ZERO_NS, ZERO_NS + 2_500_000_000, ZERO_NS + 8 * NS
    timeline = Timeline("cam", "r", "", "", (NOD,), *moments, (0,), (event,))
    video = Media(Path("/data/clip.mp4"), Path("clip.mp4"), "video/mp4", 30.0, 10.0)
    assert b"TIME_ORIGIN" not in write_eaf(timeline, video)
    rezeroed = timeline.rezeroed()
    assert rezeroed.seconds(event.t_start_ns) == 2.5
    document = write_eaf(rezeroed, video)
    assert b'TIME_ORIGIN="2500"' in document
    assert b'TIME_VALUE="2500"' in document
    # BORIS seeks by the times of events, so they are those of the player.
    (observation,) = json.loads(write_project([rezeroed], video))["observations"].values()
    assert [mark[0] for mark in observation["events"]] == [5.0, 6.0]
    assert observation["media_info"]["offset"] == {"1": 0.0}
    (live,) = json.loads(write_project([rezeroed]))["observations"].values()
    assert [mark[0] for mark in live["events"]] == [2.5, 3.5]
