"""The file that names the participant of each recording."""

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.participants import (
    PARTICIPANTS_FILE,
    Participant,
    add_participants,
    read_participants,
)


def test_what_is_written_is_read(tmp_path):
    add_participants(tmp_path, {})
    assert read_participants(tmp_path) == {}
    assert not list(tmp_path.iterdir())
    first = {"day1, cam.2": Participant("P 01", "baseline"), "b": Participant("Ünal")}
    add_participants(tmp_path, first)
    assert read_participants(tmp_path) == first
    add_participants(tmp_path, {"b": Participant("Özil"), "c": Participant("P3")})
    assert read_participants(tmp_path) == {**first, "b": Participant("Özil"), "c": Participant("P3")}


def test_the_list_of_videos_serves_too(tmp_path):
    text = "file;participant;condition\nvideos/b.mp4;P02;\nC:\\lab\\a.mov;P01;stress\n"
    (tmp_path / PARTICIPANTS_FILE).write_bytes(text.encode("cp1252"))
    assert read_participants(tmp_path) == {"b": Participant("P02"), "a": Participant("P01", "stress")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("recording,participant\na,P1\n", "has the columns recording,participant; expected file,participant,condition"),
        ("file,participant\na.mp4,\n", "line 2: expected a file and a participant"),
        ("file,participant\na.mp4,P1\na.mov,P2\n", "line 3: a is of 'P2' here and of 'P1' above"),
    ],
)
def test_faults_name_the_line(tmp_path, text, expected):
    (tmp_path / PARTICIPANTS_FILE).write_text(text)
    with pytest.raises(MarEdgeError, match=expected):
        read_participants(tmp_path)
