from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from view_messages import ZERO_NS, Stream

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.recorder import RecordConfig, Recorder
from mar_edge.streaming.wire.encoding import EncodedMessage, encode
from mar_edge.streaming.wire.messages import NO_PERSON, AnyMessage
from mar_edge.view.index import CHUNK_S, index_recording
from mar_edge.view.review import Recordings


def told(cam: Stream) -> list[AnyMessage]:
    """Record twelve seconds of two people at ten frames per second, without people from 6 s to 11 s."""
    messages: list[AnyMessage] = [cam.hello()]
    for tenth in range(120):
        at_s = tenth / 10
        seen = (NO_PERSON,) if 60 <= tenth < 110 else (0, 1)
        messages += [cam.skeleton(at_s, person) for person in seen]
        if tenth % 2 == 0:
            messages.append(cam.label(at_s))
    messages += [
        cam.event(4.0, 1, 3.5),
        cam.event(4.5, 1, 3.5),
        cam.event(5.0, 1, 3.5, 4.75),
        cam.event(11.5, 2, 11.25),
    ]
    return [*messages, cam.end(11.9)]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    cam = Stream()
    with Recorder(RecordConfig(tmp_path), "cam", "a" * 32) as recorder:
        for message in told(cam):
            recorder.write(EncodedMessage(message))
        assert recorder.path is not None
        return recorder.path


def test_a_summary_is_exact_to_the_nanosecond(recording: Path) -> None:
    found: dict[str, Any] = json.loads(index_recording(recording).summary())
    assert found["hello"]["t_zero_ns"] == found["start_ns"] == ZERO_NS
    assert found["end_ns"] == ZERO_NS + 11_900_000_000
    assert (found["frames"], found["people"], found["reason"]) == (120, [0, 1], "end of file")
    # The first and the last message of each event, as they were sent.
    assert [(event["event_id"], event["phase"]) for event in found["events"]] == [
        (1, "begin"),
        (1, "end"),
        (2, "begin"),
    ]
    assert found["events"][1]["t_end_ns"] == ZERO_NS + 4_750_000_000


def test_a_summary_counts_dropped_frames(tmp_path: Path) -> None:
    path = tmp_path / "cam.jsonl"
    cam = Stream()
    messages = [cam.hello(), cam.skeleton(0.0), cam.skeleton(3.0), cam.end(3.0)]
    for count, dropped in ((3, 89), (4, 0)):  # killed, and ended in order
        path.write_bytes(b"".join(encode(each) + b"\n" for each in messages[:count]))
        assert json.loads(index_recording(path).summary())["dropped"] == dropped


def test_the_parts_together_are_the_recording(recording: Path) -> None:
    index = index_recording(recording)
    assert index.chunks == 3
    parts = [json.loads(index.chunk(number)) for number in range(index.chunks)]
    every = [json.loads(line) for line in recording.read_bytes().splitlines()]
    assert [message for part in parts for message in part] == every[1:]
    for number, part in enumerate(parts):
        times_s = [(m["t_capture_ns"] - ZERO_NS) / 1e9 for m in part if m["kind"] == "skeleton"]
        assert times_s
        assert all(number * CHUNK_S <= each < (number + 1) * CHUNK_S for each in times_s)
    with pytest.raises(MarEdgeError, match="no part 3"):
        index.chunk(3)


def test_a_truncated_line_is_ignored_and_other_damage_is_located(tmp_path: Path, recording: Path) -> None:
    whole = recording.read_bytes()
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(whole[:-40])
    assert index_recording(cut).reason is None
    cut.write_bytes(whole[:2000] + b"\n" + whole[2000:])
    with pytest.raises(MarEdgeError, match="line 2: not a message"):
        index_recording(cut)
    cut.write_bytes(whole.partition(b"\n")[2])
    with pytest.raises(MarEdgeError, match="line 1: a skeleton before the 'hello'"):
        index_recording(cut)
    cut.write_bytes(whole + encode(Stream(run="b" * 32).hello()) + b"\n")
    with pytest.raises(MarEdgeError, match="another run"):
        index_recording(cut)
    cut.write_bytes(encode(Stream().hello()) + b"\n")
    with pytest.raises(MarEdgeError, match="no skeleton"):
        index_recording(cut)
    cam = Stream()
    late = msgspec.structs.replace(cam.skeleton(1.0), t_capture_ns=ZERO_NS * 2)
    cut.write_bytes(b"\n".join(map(encode, (cam.hello(), cam.skeleton(0.0), late))) + b"\n")
    with pytest.raises(MarEdgeError, match="did a clock jump"):
        index_recording(cut)


def test_recordings_are_given_as_files_or_a_folder(tmp_path: Path, recording: Path) -> None:
    assert Recordings([tmp_path]).paths == [recording]
    assert json.loads(Recordings([recording, recording]).listing())["names"] == [recording.name] * 2
    with pytest.raises(MarEdgeError, match="no recording 1"):
        Recordings([recording]).get(1)
    with pytest.raises(MarEdgeError, match="no recording at"):
        Recordings([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(MarEdgeError, match=r"holds no recording \(\*\.jsonl\)"):
        Recordings([tmp_path / "empty"])
    (tmp_path / "study" / "recordings").mkdir(parents=True)
    shutil.copy(recording, tmp_path / "study" / "recordings")
    with pytest.raises(MarEdgeError, match=r"those of the study are in .*recordings"):
        Recordings([tmp_path / "study"])
