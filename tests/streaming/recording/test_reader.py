"""Every reader of recordings tolerates the same damage and reports the same errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from recorded_runs import RUN, Stream

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.reader import recorded_lines
from mar_edge.streaming.recording.replay import Replay
from mar_edge.streaming.recording.skeletons import read_skeletons
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.streaming.wire.encoding import MAX_BYTES
from mar_edge.view.index import index_recording


def replayed(path: Path) -> int:
    with Replay([path]) as replay:
        frames = 0
        while not replay.ended:
            frames += replay.read(0.0) is not None
        return frames


READERS: dict[str, Callable[[Path], int]] = {
    "training": lambda path: sum(len(track.times_s) for track in read_skeletons(path).tracks),
    "replay": replayed,
    "page": lambda path: index_recording(path).frames,
    "timeline": lambda path: round((read_timelines([path])[0].last_ns - read_timelines([path])[0].zero_ns) * 30e-9) + 1,
}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return Stream().hello().skeletons(0, 1).write(tmp_path / "run.jsonl")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("nuls", [1, 4096, 2 * MAX_BYTES + 5])
def test_nuls_after_a_power_cut_are_left_out(whole: Path, reader: str, nuls: int) -> None:
    content = whole.read_bytes()
    for end, frames in ((content, 30), (content[:-50], 29), (content[:-1], 30)):
        whole.write_bytes(end + bytes(nuls))
        assert READERS[reader](whole) == frames


@pytest.mark.parametrize("reader", READERS)
def test_lines_after_nuls_and_long_lines_are_errors(whole: Path, reader: str) -> None:
    content = whole.read_bytes()
    whole.write_bytes(content + bytes(100) + content)
    with pytest.raises(MarEdgeError, match="line 32: not a message"):
        READERS[reader](whole)
    whole.write_bytes(content + b" " * MAX_BYTES + content)
    with pytest.raises(MarEdgeError, match="line 32: longer than 1048576 bytes"):
        READERS[reader](whole)


def test_lines_have_their_number_and_position(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one\n\n  two \r\nthree")
    assert [(line.number, line.start, line.content, line.whole) for line in recorded_lines(path)] == [
        (1, 0, b"one", True),
        (3, 5, b"two", True),
        (4, 13, b"three", False),
    ]
    with pytest.raises(MarEdgeError, match="cannot read recording"):
        list(recorded_lines(tmp_path / "none"))


@pytest.mark.parametrize("reader", READERS)
def test_a_kind_of_a_later_version_is_skipped(whole: Path, reader: str) -> None:
    frames = READERS[reader](whole)
    line = json.dumps({"kind": "mood", "schema": 1, "stream": "cam", "run": RUN, "seq": 99, "kind_seq": 0})
    whole.write_text(f"{whole.read_text()}{line}\n")
    assert READERS[reader](whole) == frames


@pytest.mark.parametrize("reader", READERS)
def test_another_schema_and_damaged_fields_are_errors_that_name_the_line(whole: Path, reader: str) -> None:
    lines = whole.read_text().splitlines(keepends=True)
    lines[4] = lines[4].replace('"schema":1', '"schema":2')
    whole.write_text("".join(lines))
    with pytest.raises(MarEdgeError, match=r"run\.jsonl, line 5: a message of schema 2, this version reads 1"):
        READERS[reader](whole)
    lines[4] = lines[4].replace('"schema":2', '"schema":1').replace('"person":0', '"person":"me"')
    whole.write_text("".join(lines))
    with pytest.raises(MarEdgeError, match=r"run\.jsonl, line 5: not a message"):
        READERS[reader](whole)


@pytest.mark.parametrize("reader", sorted(READERS.keys() - {"timeline"}))
def test_a_recording_of_one_run_holds_no_other(whole: Path, reader: str) -> None:
    other = Stream(run="f" * 32).hello().skeletons(1, 2).write(whole.with_name("other.jsonl"))
    whole.write_bytes(whole.read_bytes() + other.read_bytes())
    with pytest.raises(MarEdgeError, match=r"line 32: another run of the sender begins"):
        READERS[reader](whole)


@pytest.mark.parametrize("reader", ["training", "replay"])
def test_a_joint_that_is_far_outside_every_image_counts_as_not_seen(whole: Path, reader: str) -> None:
    whole.write_text(whole.read_text().replace("[100.0,50.0]", "[1e300,50.0]"))
    assert READERS[reader](whole) == 30
    (track,) = read_skeletons(whole).tracks
    with Replay([whole]) as replay:
        frames = [replay.read(0.0) for _ in range(30)]
    joints = np.stack([frame.people[0].joints for frame in frames if frame and frame.people])
    np.testing.assert_array_equal(joints, track.clip)
    assert np.isnan(joints[:, 0]).all(axis=1).tolist() == [frame % 7 == 0 for frame in range(30)]
