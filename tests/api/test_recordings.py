"""``read_recording``: events and skeletons as arrays, and as DataFrames."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from recorded_runs import NOD, NS, RUN, SHAKE, ZERO_NS, Stream, two_people

import mar_edge
from mar_edge.edge.layout import load_layout
from mar_edge.streaming.recording.recorder import RecordConfig, StreamRecorders
from mar_edge.streaming.wire.messages import SkeletonMessage


def two_people_with_media_time(zero_ns: int = 0) -> Stream:
    """Return the recording of two people, with the media time that recorders write since."""
    stream = two_people()
    stream.messages = [
        msgspec.structs.replace(message, t_media_ns=message.t_capture_ns - ZERO_NS + zero_ns)
        if isinstance(message, SkeletonMessage)
        else message
        for message in stream.messages
    ]
    return stream


@pytest.fixture
def recording(tmp_path: Path) -> mar_edge.Recording:
    return mar_edge.read_recording(two_people_with_media_time().write(tmp_path / "run.jsonl"))


def test_events_have_names_and_seconds(recording: mar_edge.Recording) -> None:
    found = [(event.label, event.body, event.person, event.is_open) for event in recording.events]
    assert found == [
        ("nodding", "head", 0, False),
        ("shrugging", "body", 1, False),
        ("shaking head", "head", 0, False),
        ("humming", "", 0, False),
        ("nodding", "head", 1, True),
    ]
    nod = recording.events[0]
    assert (nod.start_s, round(nod.end_s, 4), nod.score) == (1.0, 2.5001, 0.9)
    assert recording.events[-1].end_s == pytest.approx(239 / 30)  # the end of the recording


def test_skeletons_are_arrays_on_the_clock_of_the_events(recording: mar_edge.Recording) -> None:
    first, second = recording.skeletons
    assert (first.person, second.person) == (0, 1)
    assert (first.joints.shape, first.scores.shape, first.joints.dtype) == ((120, 44, 2), (120, 44), np.float32)
    np.testing.assert_allclose(first.times_s, np.arange(120) / 30, atol=1e-8)
    np.testing.assert_allclose(second.times_s, np.arange(120, 240) / 30, atol=1e-8)
    np.testing.assert_array_equal(first.joints[1, 2], (107.0, 60.0))
    assert (first.scores == np.float32(0.9)).all()
    assert recording.joints == load_layout("ma52").joints


def test_a_recording_says_where_it_came_from(recording: mar_edge.Recording) -> None:
    assert (recording.stream, recording.run, recording.frames, recording.dropped) == ("cam", RUN, 240, 0)
    assert recording.hello is not None
    assert (recording.hello.source, recording.hello.model) == ("clip.mp4", "tiny model")


@pytest.mark.parametrize("with_media_time", [True, False])
@pytest.mark.parametrize("with_hello", [True, False])
def test_events_and_skeletons_share_a_clock_in_every_kind_of_recording(
    tmp_path: Path, with_media_time: bool, with_hello: bool
) -> None:
    """Write two seconds after media time 0; without a hello, seconds count from the first skeleton."""
    stream = Stream().hello().skeletons(2, 6).event(NOD, 3, 4)
    if with_media_time:
        stream.messages = [
            msgspec.structs.replace(message, t_media_ns=message.t_capture_ns - ZERO_NS)
            if isinstance(message, SkeletonMessage)
            else message
            for message in stream.messages
        ]
    read = mar_edge.read_recording(stream.write(tmp_path / "run.jsonl", start=0 if with_hello else 1))
    begin_s = 2.0 if with_hello else 0.0
    assert read.skeletons[0].times_s[0] == pytest.approx(begin_s)
    assert [event.start_s for event in read.events] == [pytest.approx(begin_s + 1.0)]
    assert (read.hello is not None) == with_hello


def test_markers_are_on_the_clock_of_events(tmp_path: Path) -> None:
    stream = Stream().hello().skeletons(0, 2).event(NOD, 1.0, 1.5).marker("go", 1.25)
    read = mar_edge.read_recording(stream.write(tmp_path / "run.jsonl"))
    assert read.markers == [mar_edge.Marker(time_s=1.25, text="go", source="stimuli")]


def test_rotated_parts_are_one_recording(tmp_path: Path, recording: mar_edge.Recording) -> None:
    folder = tmp_path / "parts"
    with StreamRecorders(RecordConfig(folder, most_mb=0.1)) as recorders:
        for message in two_people_with_media_time().messages:
            recorders.write(message)
    assert len(list(folder.iterdir())) == 3
    for path in (folder, sorted(folder.iterdir())):
        read = mar_edge.read_recording(path)
        assert read.events == recording.events
        for track, other in zip(read.skeletons, recording.skeletons, strict=True):
            np.testing.assert_array_equal(track.joints, other.joints)
            np.testing.assert_array_equal(track.times_s, other.times_s)


def test_one_of_several_streams(tmp_path: Path) -> None:
    path = two_people().write(tmp_path / "cam.jsonl")
    door = Stream("door", "f" * 32, ZERO_NS + 60 * NS).hello().skeletons(0, 1).event(SHAKE, 1, 2)
    path.write_bytes(path.read_bytes() + door.write(tmp_path / "door.jsonl").read_bytes())
    with pytest.raises(mar_edge.MarEdgeError, match="takes one stream; choose one: cam, door"):
        mar_edge.read_recording(path)
    read = mar_edge.read_recording(path, stream="door")
    assert [(event.label, event.start_s) for event in read.events] == [("shaking head", 1.0)]
    assert len(read.skeletons) == 1
    with pytest.raises(mar_edge.MarEdgeError, match="no stream 'dor' in it"):
        mar_edge.read_recording(path, stream="dor")


def test_events_alone_are_a_recording(tmp_path: Path) -> None:
    stream = Stream().event(NOD, 1, 2)
    read = mar_edge.read_recording(stream.write(tmp_path / "events.jsonl"))
    assert (len(read.events), read.skeletons, read.joints, read.hello) == (1, [], (), None)


def test_damage_names_the_line(tmp_path: Path) -> None:
    path = two_people().write(tmp_path / "run.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"person":0', b'"person":{}', 1))
    with pytest.raises(mar_edge.MarEdgeError, match=r"run\.jsonl, line 2: not a message"):
        mar_edge.read_recording(path)
    with pytest.raises(mar_edge.MarEdgeError, match="no recording at"):
        mar_edge.read_recording(tmp_path / "nowhere.jsonl")


def test_data_frames(recording: mar_edge.Recording) -> None:
    pandas = pytest.importorskip("pandas", reason="needs the extra pandas")
    events = recording.events_frame()
    assert list(events.columns) == ["label", "body", "start_s", "end_s", "score", "person", "event_id", "is_open"]
    assert events.label.tolist() == [event.label for event in recording.events]
    assert (events.end_s - events.start_s).min() >= 0
    skeletons = recording.skeletons_frame()
    assert list(skeletons.columns) == ["person", "time_s", "joint", "x", "y", "score"]
    assert len(skeletons) == 240 * 44
    nose = skeletons[(skeletons.person == 1) & (skeletons.joint == "nose")]
    np.testing.assert_array_equal(nose.x.to_numpy(), recording.skeletons[1].joints[:, 0, 0])
    np.testing.assert_array_equal(nose.time_s.to_numpy(), recording.skeletons[1].times_s)
    assert isinstance(skeletons, pandas.DataFrame)


def test_data_frames_of_an_empty_recording(tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="needs the extra pandas")
    empty = mar_edge.read_recording(Stream().hello().write(tmp_path / "run.jsonl"))
    assert (len(empty.events_frame()), len(empty.skeletons_frame())) == (0, 0)
    assert "joint" in empty.skeletons_frame().columns


def test_without_pandas_one_line_names_the_extra(
    recording: mar_edge.Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    for frame in (recording.events_frame, recording.skeletons_frame):
        with pytest.raises(mar_edge.MarEdgeError, match=r"pip install 'mar-edge\[pandas\]'"):
            frame()
