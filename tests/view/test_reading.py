from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from recorded_runs import RUN, Stream, two_people

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.corrections import Correction, write_corrections
from mar_edge.view.annotations.formats import format_of
from mar_edge.view.annotations.reading import read_annotations, read_names

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
REJECTED = Correction("cam.jsonl", "cam", RUN, 1, 0, "rejected", "nodding", 1, 2.5, "nodding", 1, 2.5, "Anna", NOON)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    two_people().write(tmp_path / "cam.jsonl")
    return tmp_path


def test_corrections_are_the_recordings_that_they_name_after_correction(folder: Path) -> None:
    Stream("door").hello().skeletons(0, 1).write(folder / "door.jsonl")
    rows = [REJECTED, replace(REJECTED, event_id=2, coder="Ben"), replace(REJECTED, run="before", event_id=9)]
    write_corrections(folder / "corrections.csv", rows)
    read = read_annotations([folder / "corrections.csv"], coder="Anna")
    assert [each.stream for each in read.timelines] == ["cam"]
    assert [event.event_id for event in read.timelines[0].events] == [2, 3, 4, 5]
    assert read.notes == (
        "corrections.csv: 1 correction is of a run that the recordings do not hold; they were made again",
        "corrections.csv: 4 events have no decision by Anna",
    )
    with pytest.raises(MarEdgeError, match="several coders; choose one with --coder: Anna, Ben"):
        read_annotations([folder / "corrections.csv"])
    write_corrections(folder / "corrections.csv", [replace(REJECTED, recording="cam")])
    assert len(read_annotations([folder / "corrections.csv"]).timelines[0].events) == 4
    write_corrections(folder / "corrections.csv", rows)
    (folder / "cam.jsonl").unlink()
    with pytest.raises(MarEdgeError, match=r"corrects cam\.jsonl, which is not in the same folder"):
        read_annotations([folder / "corrections.csv"], coder="Anna")


def test_a_folder_without_recordings_is_its_annotation_files(folder: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for stream in ("cam", "door"):
        timelines = read_annotations([Stream(stream).hello().skeletons(0, 1).write(tmp_path / f"{stream}.jsonl")])
        (notes / f"{stream}.eaf").write_bytes(format_of(".eaf").write(timelines.timelines, None))
    assert [each.stream for each in read_annotations([notes]).timelines] == ["cam", "door"]
    assert [each.stream for each in read_annotations([notes], stream="door").timelines] == ["door"]
    with pytest.raises(MarEdgeError, match="no stream 'roof'"):
        read_annotations([notes], stream="roof")
    (notes / "more.csv").write_text("start_s,end_s,label\n1,2,nodding\n")
    with pytest.raises(MarEdgeError, match=r"holds files of \.csv, \.eaf; name those to read"):
        read_annotations([notes])


def test_names_of_a_coder_become_labels(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("start_s,end_s,label\n1,2,NOD\n3,4,?\n5,6,smile\n7,8,smile\n")
    (tmp_path / "names.csv").write_text("coder_label;label\nNOD;nodding\n?;\n")
    read = read_annotations([tmp_path / "a.csv"], names=read_names(tmp_path / "names.csv"))
    (timeline,) = read.timelines
    assert [(event.label.id, event.label.name) for event in timeline.events[:1]] == [(9, "nodding")]
    assert [event.label.name for event in timeline.events] == ["nodding", "smile", "smile"]
    assert read.notes == ("1 event is left out by its name", "labels that no label set has: smile (2)")


def test_a_misspelled_label_comes_with_the_label_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("start_s,end_s,label\n1,2,noding\n3,4,humming\n")
    (note,) = read_annotations([tmp_path / "a.csv"]).notes
    assert note == "labels that no label set has: noding (1; did you mean 'nodding'?), humming (1)"


def test_the_tables_of_a_study_are_no_annotations(tmp_path: Path) -> None:
    recordings = tmp_path / "study" / "recordings"
    recordings.mkdir(parents=True)
    two_people().write(recordings / "cam.jsonl")
    (tmp_path / "study" / "participants.csv").write_text("participant,condition\nP1,A\n")
    with pytest.raises(MarEdgeError, match=r"holds no recording .*; those of the study are in .*study/recordings"):
        read_annotations([tmp_path / "study"])
    written = format_of(".eaf").write(read_annotations([recordings]).timelines, None)
    (tmp_path / "study" / "anna.eaf").write_bytes(written)
    assert len(read_annotations([tmp_path / "study"]).timelines[0].events) == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has the columns a, b; expected coder_label,label"),
        ("coder_label,label\n,nodding\n", "line 2: coder_label '' is empty or has two labels"),
        ("coder_label,label\nx,nodding\nx,waving\n", "line 3: coder_label 'x'"),
    ],
)
def test_a_wrong_table_of_names_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "names.csv").write_text(text)
    with pytest.raises(MarEdgeError) as caught:
        read_names(tmp_path / "names.csv")
    assert message in str(caught.value)
