from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from recorded_runs import NOD, Stream, two_people

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.annotations.formats import FORMATS, format_of
from mar_edge.view.annotations.media import probe


def test_every_format_writes_its_own_type(tmp_path: Path) -> None:
    timelines = read_timelines([two_people().write(tmp_path / "cam.jsonl")])
    begins = {".csv": b"recording,", ".eaf": b"<?xml", ".boris": b"{", ".tsv": b"Observation id\t"}
    assert [known.suffix for known in FORMATS] == list(begins)
    for known in FORMATS:
        assert known.write(timelines, None).startswith(begins[known.suffix])
    assert format_of(".EAF").name == "ELAN"
    with pytest.raises(MarEdgeError, match=r"\.boris \(BORIS project\).*not in '\.xml'"):
        format_of(".xml")


def test_an_elan_document_holds_one_timeline_and_the_others_several(tmp_path: Path) -> None:
    two_people().write(tmp_path / "cam.jsonl")
    Stream("door").hello().event(NOD, 1, 2).write(tmp_path / "door.jsonl")
    timelines = read_timelines([tmp_path])
    for known in FORMATS:
        if known.name == "ELAN":
            with pytest.raises(MarEdgeError, match="choose with --stream: cam, door"):
                known.write(timelines, None)
        else:
            assert b"door" in known.write(timelines, None)


def test_facts_about_a_video_are_read(tmp_path: Path) -> None:
    path = tmp_path / "films" / "clip.mp4"
    path.parent.mkdir()
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (64, 48))
    for _ in range(50):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    media = probe(path, folder=tmp_path / "notes")
    assert (media.fps, media.length_s, media.mime_type) == (25.0, 2.0, "video/mp4")
    assert media.relative == Path("../films/clip.mp4")
    assert media.path.is_absolute()
    with pytest.raises(MarEdgeError, match="no video at"):
        probe(tmp_path / "nowhere.mp4", folder=tmp_path)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(MarEdgeError, match="cannot be read as a video"):
        probe(tmp_path / "text.mp4", folder=tmp_path)
