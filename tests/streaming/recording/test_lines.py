"""How a recording may end, and that every reader takes every such end alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from recorded_runs import Stream

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.lines import MAX_LINE_BYTES, recorded_lines
from mar_edge.streaming.recording.replay import Replay
from mar_edge.streaming.recording.skeletons import read_recording
from mar_edge.streaming.wire.messages import MAX_BYTES
from mar_edge.view.index import index_recording
from mar_edge.view.timeline import read_timelines


def replayed(path: Path) -> int:
    with Replay([path]) as replay:
        frames = 0
        while not replay.ended:
            frames += replay.read(0.0) is not None
        return frames


READERS: dict[str, Callable[[Path], int]] = {
    "training": lambda path: sum(len(track.times_s) for track in read_recording(path).tracks),
    "replay": replayed,
    "page": lambda path: index_recording(path).frames,
    "timeline": lambda path: round((read_timelines([path])[0].last_ns - read_timelines([path])[0].zero_ns) * 30e-9) + 1,
}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return Stream().hello().skeletons(0, 1).write(tmp_path / "run.jsonl")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("nuls", [1, 4096, 2 * MAX_BYTES + 5])
def test_nuls_that_a_power_cut_leaves_are_left_out(whole: Path, reader: str, nuls: int) -> None:
    content = whole.read_bytes()
    for end, frames in ((content, 30), (content[:-50], 29), (content[:-1], 30)):
        whole.write_bytes(end + bytes(nuls))
        assert READERS[reader](whole) == frames


@pytest.mark.parametrize("reader", READERS)
def test_what_stands_behind_nuls_or_is_too_long_is_no_end(whole: Path, reader: str) -> None:
    content = whole.read_bytes()
    whole.write_bytes(content + bytes(100) + content)
    with pytest.raises(MarEdgeError, match="line 32: not a message"):
        READERS[reader](whole)
    whole.write_bytes(content + b" " * MAX_BYTES + content)
    with pytest.raises(MarEdgeError, match="line 32: longer than 1048576 bytes"):
        READERS[reader](whole)


def test_lines_say_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one\n\n  two \r\nthree")
    assert [(line.number, line.start, line.content, line.whole) for line in recorded_lines(path)] == [
        (1, 0, b"one", True),
        (3, 5, b"two", True),
        (4, 13, b"three", False),
    ]
    assert MAX_LINE_BYTES == MAX_BYTES
    with pytest.raises(MarEdgeError, match="cannot read recording"):
        list(recorded_lines(tmp_path / "none"))
