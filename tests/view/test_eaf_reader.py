"""Documents of ELAN, as ELAN's own library (pympi) writes and edits them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pympi
import pytest
from recorded_runs import two_people

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import UNLISTED_ID
from mar_edge.streaming.recording.timeline import Timeline
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.annotations.eaf import write_eaf
from mar_edge.view.annotations.eaf_reader import read_eaf
from mar_edge.view.annotations.reading import read_annotations


def events(timeline: Timeline) -> list[tuple[str, str, float, float, str]]:
    return [
        (
            timeline.name_of(event.person),
            event.label.name,
            round(timeline.seconds(event.t_start_ns), 3),
            round(timeline.seconds(event.t_end_ns), 3),
            event.coder,
        )
        for event in timeline.events
    ]


def test_what_a_coder_edits_comes_back(tmp_path: Path) -> None:
    """Move an edge, choose another label, remove an event, add one and add a tier of another coder."""
    (machine,) = read_timelines([two_people().write(tmp_path / "cam.jsonl")])
    path = tmp_path / "session.eaf"
    path.write_bytes(write_eaf(machine))
    elan = pympi.Eaf(str(path))
    elan.remove_annotation("person 0 head", 1500)
    elan.add_annotation("person 0 head", 1100, 2600 - 100, "tilting head")
    elan.remove_annotation("person 1 body", 1500)
    elan.add_annotation("person 0 other", 7000, 7250, "scratching_legs")
    elan.add_tier("mother", ling="head", part="mother", ann="Ben")
    elan.add_annotation("mother", 200, 900, "Nodding")
    edited = tmp_path / "edited.eaf"
    elan.to_file(str(edited))
    read = read_annotations([edited], coder="Anna")
    (timeline,) = read.timelines
    assert events(timeline) == [
        ("mother", "nodding", 0.2, 0.9, "Ben"),
        ("person 0", "tilting head", 1.1, 2.5, "Anna"),
        ("person 0", "shaking head", 2.5, 4.0, "Anna"),
        ("person 0", "humming", 5.0, 5.001, "Anna"),
        ("person 1", "nodding", 6.0, 7.967, "Anna"),
        ("person 0", "scratching legs", 7.0, 7.25, "Anna"),
    ]
    assert (timeline.stream, timeline.run, timeline.zero_ns) == (machine.stream, machine.run, machine.zero_ns)
    assert {event.recording for event in timeline.events} == {"cam.jsonl"}
    assert {event.label.id for event in timeline.events} == {7, 9, 10, 50, 60}
    assert read.notes == ()


def test_a_document_of_a_coder_alone(tmp_path: Path) -> None:
    elan = pympi.Eaf(author="Anna")
    elan.add_linked_file("file:///C:/videos/P01 session.mp4", relpath="./P01 session.mp4", mimetype="video/mp4")
    elan.add_tier("head", part="P01", ann="Anna")
    elan.add_annotation("head", 100, 900, "nods")
    elan.add_annotation("head", 1000, 1900, " ")
    elan.add_linguistic_type("notes", "Symbolic_Association", timealignable=False)
    elan.add_tier("note", ling="notes", parent="head")
    elan.add_ref_annotation("note", "head", 150, "twice")
    path = tmp_path / "a.eaf"
    elan.to_file(str(path))
    read = read_eaf(path)
    (timeline,) = read.timelines
    assert events(timeline) == [("P01", "nods", 0.1, 0.9, "Anna")]
    assert timeline.events[0].label.id == UNLISTED_ID
    assert timeline.events[0].recording == "P01 session.jsonl"
    assert timeline.names == ((0, "P01"),)
    assert read.notes == ("1 empty annotation is left out", "1 annotation of a dependent tier is left out")


HEAD = """<?xml version="1.0" encoding="UTF-8"?>{doctype}
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-31T12:00:00+01:00" FORMAT="3.0" VERSION="3.0">"""
HEADER = """<HEADER MEDIA_FILE="" TIME_UNITS="{units}">
<MEDIA_DESCRIPTOR MEDIA_URL="file:///v/P1.mp4" MIME_TYPE="video/mp4" TIME_ORIGIN="5000"/></HEADER>"""
SLOTS = """<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="{start}"/>
<TIME_SLOT TIME_SLOT_ID="ts2" {end}/></TIME_ORDER>"""
TIER = """<TIER TIER_ID="person 3 head" LINGUISTIC_TYPE_REF="t"><ANNOTATION>
<ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="{slot}">
<ANNOTATION_VALUE>nodding{entity}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>"""
PARTS = {
    "doctype": "",
    "units": "milliseconds",
    "start": "1000",
    "end": 'TIME_VALUE="2000"',
    "slot": "ts2",
    "entity": "",
}


def document(path: Path, **changed: Any) -> Path:
    text = "\n".join([HEAD, HEADER, SLOTS, TIER, TIER, "</ANNOTATION_DOCUMENT>"])
    path.write_text(text.format(**PARTS | changed))
    return path


def test_a_repeated_tier_counts_once_and_times_begin_where_the_video_does(tmp_path: Path) -> None:
    read = read_annotations([document(tmp_path / "a.eaf")])
    assert events(read.timelines[0]) == [("person 3", "nodding", 6.0, 7.0, "")]
    assert read.notes == ("a.eaf: 1 repeated annotation is left out",)
    assert read_eaf(document(tmp_path / "a.eaf", end="")).notes == (
        "2 annotations without times of their own are left out",
    )


BOMB = "<!DOCTYPE x [<!ENTITY a '" + "ha" * 1000 + "'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 100}'>" for n in range(9)
) + "]>"  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"doctype": BOMB, "entity": "&j;"}, "declares a document type, which ELAN never writes"),
        ({"doctype": "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>", "entity": "&e;"}, "a document type"),
        ({"doctype": "<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'>"}, "a document type"),
        ({"entity": "&e;"}, "is not an ELAN document: undefined entity"),
        ({"start": "3000"}, "tier 'person 3 head', annotation a1: from 3000 to 2000 ms"),
        ({"start": "-5"}, "annotation a1: its time is '-5'; expected milliseconds"),
        ({"start": "9" * 40}, "annotation a1: its time is '9999"),
        ({"slot": "ts77"}, "annotation a1: there is no time slot 'ts77'"),
        ({"units": "NTSC-frames"}, "counts times in NTSC-frames"),
    ],
)
def test_a_wrong_document_is_an_error_that_names_the_place(
    tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    path = document(tmp_path / "a.eaf", **changed)
    with pytest.raises(MarEdgeError) as caught:
        read_eaf(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"no xml", b"<a/>", b"<?xml version='1.0' encoding='klingon'?><a/>", b"\xff" * 9, b"<a>" * 100_000]
)
def test_what_is_no_document_is_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.eaf").write_bytes(content)
    with pytest.raises(MarEdgeError, match=r"a\.eaf is not an ELAN document"):
        read_eaf(tmp_path / "a.eaf")
