"""Recordings of skeletons, from lines as the wire's own encoder writes them."""

import json

import clips
import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.streaming.recording.skeletons import read_skeletons

START_NS = 1_700_000_000_000_000_000


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def with_unseen(clip):
    clip = clip.copy()
    clip[3:6, 4] = np.nan
    return clip


@pytest.mark.parametrize("layout", ["ma52", "imigue"])
def test_printed_messages_are_read_again(tmp_path, layout):
    clip = with_unseen(clips.moving(1, layout, frames=50))
    recording = read_skeletons(write(tmp_path / "take1.jsonl", *clips.skeleton_lines(clip)))
    assert (recording.name, recording.layout) == ("take1", load_layout(layout))
    (track,) = recording.tracks
    np.testing.assert_array_equal(track.clip, clip)
    assert track.clip.dtype == np.float32
    np.testing.assert_allclose(track.times_s, np.arange(50) / 25, atol=1e-9)
    assert recording.end_s == pytest.approx(49 / 25)


def test_times_count_from_media_time_zero_where_hello_says_it(tmp_path):
    lines = clips.skeleton_lines(clips.moving(0), first_ns=START_NS + 3_200_000_000)
    status = '{"kind":"mood","schema":1,"stream":"camera","run":"ab12","seq":1,"kind_seq":0}'  # of a later version
    path = write(tmp_path / "a.jsonl", clips.hello_line("imigue", START_NS), status, "", *lines)
    assert read_skeletons(path).tracks[0].times_s[0] == pytest.approx(3.2)


def test_a_cut_is_of_the_person_seen_most_or_of_the_one_asked_for(tmp_path):
    one = clips.skeleton_lines(clips.moving(0, frames=50), person=0)
    other = clips.skeleton_lines(clips.moving(1, frames=10), person=1)
    recording = read_skeletons(write(tmp_path / "a.jsonl", *one[:20], *other, *one[20:]))
    assert [track.person for track in recording.tracks] == [0, 1]
    cut = recording.cut(0.2, 0.4)
    np.testing.assert_allclose(cut.times_s, np.arange(5, 11) / 25)  # both ends included
    assert cut.person == 0
    assert len(recording.cut(0.2, 0.4, person=1).times_s) == 5
    assert recording.cut(1.0, 1.5, person=1) is None
    assert recording.cut(5, 6) is None
    assert recording.cut(0.41, 0.43) is None


def test_a_last_line_that_breaks_off_is_left_out(tmp_path):
    lines = clips.skeleton_lines(clips.moving(0, frames=20))
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines)[:-30])
    assert len(read_skeletons(path).tracks[0].times_s) == 19
    path.write_text("\n".join(lines))  # whole, and no newline behind it
    assert len(read_skeletons(path).tracks[0].times_s) == 20


LINES = clips.skeleton_lines(clips.moving(0, frames=5))


def changed(line, **fields):
    return json.dumps(json.loads(line) | fields)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([LINES[0], LINES[1][:-30], LINES[2]], "line 2: not a message of mar-edge"),
        (["hello", LINES[0]], "line 1: not a message of mar-edge"),
        ([LINES[0], changed(LINES[1], schema=2)], "line 2: a message of schema 2, this version reads 1"),
        ([LINES[0], changed(LINES[1], run="cd34")], "line 2: another run of the sender begins"),
        ([LINES[0], LINES[0]], "line 2: captured no later than the line before it of person 0"),
        ([LINES[1], LINES[0]], "line 2: captured no later"),
        ([changed(LINES[0], joints=[None] * 10)], "line 1: a skeleton of 10 joints; expected that of a known layout"),
        ([LINES[0], changed(LINES[1], joints=[None] * 44)], "line 2: a skeleton of 44 joints; expected 22 (imigue)"),
        ([clips.hello_line("ma52", START_NS), LINES[0]], "line 2: a skeleton of 22 joints; expected 44 (ma52)"),
        ([LINES[0], clips.hello_line("ma52", START_NS)], "line 2: skeletons of another layout, ma52"),
        ([clips.hello_line("ma52", 0).replace("ma52", "coco")], "line 1: skeletons of an unknown layout, coco"),
        ([changed(LINES[0], joints=[[1.0]] * 22), LINES[1]], "line 1: not a message of mar-edge"),
        ([changed(LINES[0], t_capture_ns="now"), LINES[1]], "line 1: not a message of mar-edge"),
        ([""], "holds no skeleton"),
        ([clips.hello_line("ma52", START_NS)], "holds no skeleton"),
    ],
)
def test_each_mistake_is_a_one_line_error_that_names_the_line(tmp_path, lines, expected):
    path = write(tmp_path / "a.jsonl", *lines)
    with pytest.raises(MarEdgeError) as error:
        read_skeletons(path)
    assert expected in str(error.value)
    assert str(path) in str(error.value)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(MarEdgeError, match=r"cannot read recording .*No such file"):
        read_skeletons(tmp_path / "a.jsonl")
