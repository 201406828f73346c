from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from streaming_fakes import ScriptedPose, V, nod, read_number, write_video
from wire_messages import MESSAGES, stamped

from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelVersion
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.edge.taught import Head, weights_of
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.recording.recorder import RecordConfig
from mar_edge.streaming.recording.replay import Replay
from mar_edge.streaming.recording.skeletons import read_skeletons
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.service import serve
from mar_edge.streaming.wire.encoding import encode
from mar_edge.streaming.wire.messages import AnyMessage, EventMessage, HelloMessage, LabelMessage
from mar_edge.teaching.lesson import Lesson
from mar_edge.teaching.model_files import write_taught

HELLO, LABEL, EVENT, SKELETON, *_, STATUS, END = map(stamped, MESSAGES)
SKELETON = msgspec.structs.replace(SKELETON, joints=((1.5, 2.5),) * V, scores=(0.9,) * V)
EAGER = PipelineRules(on=0.15, off=0.01)
MOTION = nod(40.0, hz=0.7)


class ComesAndGoes(ScriptedPose):
    """A person who leaves the picture for a while, and whose hand is sometimes hidden."""

    def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
        number = read_number(image)
        if 80 <= number < 110:
            return []
        people = super().estimate(image, t_s)
        people[0].joints[5, :] = np.nan if number % 3 else 1.23456
        return people


def said(messages: list[AnyMessage]) -> list[Any]:
    """Return what was recognized, and when."""
    return [
        (m.frame, m.t_capture_ns, m.person, m.top, m.gated, m.t_start_ns, m.t_end_ns)
        for m in messages
        if isinstance(m, LabelMessage)
    ] + [
        (m.event_id, m.person, m.label, m.phase, m.score, m.t_start_ns, m.t_end_ns)
        for m in messages
        if isinstance(m, EventMessage)
    ]


def served(config: ServeConfig, model: Path, pose: ScriptedPose | None = None) -> list[AnyMessage]:
    heard: list[AnyMessage] = []
    serve(config, lambda: pose or ComesAndGoes(MOTION), lambda: WindowRecognizer.open(model, threads=1), heard.append)
    return heard


@pytest.mark.parametrize("most_mb", [256.0, 0.05])
def test_a_recording_gives_the_same_labels_and_events_again(
    tmp_path: Path, address: str, tiny_model: Path, most_mb: float
) -> None:
    folder = tmp_path / "recorded"
    config = ServeConfig(
        camera=str(write_video(tmp_path / "clip.mp4", 150)),
        address=address,
        pipeline=EAGER,
        record=RecordConfig(folder, most_mb=most_mb),
    )
    live = served(config, tiny_model)
    assert sum(isinstance(message, EventMessage) for message in live) > 3
    assert (len(list(folder.iterdir())) == 1) == (most_mb > 1)
    replayed = served(replace(config, record=None, replay=(folder,)), tiny_model)
    assert said(replayed) == said(live)


def always(name: str, out: Path, model: Path) -> ModelVersion:
    """Teach a model file a label whose score is high in every window."""
    head = Head(
        label=name,
        weights=weights_of(np.zeros(12)),
        bias=3.0,
        examples=1,
        views=1,
        idle_s=0.0,
        found=1.0,
        false_per_minute=0.0,
        taught_on="2026-11-25",
    )
    metadata = write_taught(model, out, Lesson(Label(1000, name, "head"), head, ()))
    return ModelVersion(metadata, sha256_of(out))


def test_a_label_that_is_taught_while_streams_run_is_used_at_once_and_a_replay_is_exact(
    tmp_path: Path, address: str, tiny_model: Path
) -> None:
    model, taught = tiny_model, tmp_path / "taught.onnx"
    version = always("anything", taught, model)
    clip = str(write_video(tmp_path / "clip.mp4", 240))
    config = ServeConfig(
        camera=clip,
        more_cameras=(("other", clip),),
        address=address,
        pipeline=EAGER,
        record=RecordConfig(tmp_path / "recorded"),
    )
    heard: list[AnyMessage] = []
    half, given = threading.Event(), threading.Event()

    def on_message(message: AnyMessage) -> None:
        heard.append(message)
        if isinstance(message, LabelMessage) and message.frame > 140:
            half.set()
            assert given.wait(20)

    def new_model() -> ModelVersion | None:
        if not half.is_set() or given.is_set():
            return None
        given.set()
        return version

    serve(
        config,
        lambda: ComesAndGoes(MOTION),
        lambda: WindowRecognizer.open(model, threads=1),
        on_message,
        new_model=new_model,
    )
    for stream in {message.stream for message in heard}:
        live = [message for message in heard if message.stream == stream]
        first, second = (m for m in live if isinstance(m, HelloMessage))
        assert (first.model_sha256, second.model_sha256) == (sha256_of(model), version.sha256)
        assert second.labels[:-1] == first.labels
        assert live[-2].model_changes == 1  # type: ignore[union-attr]
        before, after = live[: live.index(second)], live[live.index(second) :]
        begun = [m.event_id for m in before if isinstance(m, EventMessage) and m.phase == "begin"]
        assert begun
        assert begun == sorted(m.event_id for m in before if isinstance(m, EventMessage) and m.phase == "end")
        assert {m.label.name for m in before if isinstance(m, EventMessage)} <= {label.name for label in first.labels}
        assert "anything" in {m.label.name for m in after if isinstance(m, EventMessage)}
        (path,) = (tmp_path / "recorded").glob(f"{stream}*")
        again = ServeConfig(camera="", address=address, pipeline=EAGER, replay=(path,))
        for file, stretch in ((model, slice(0, live.index(second))), (taught, slice(live.index(second), None))):
            replayed = served(again, file)
            _, break_of = (n for n, m in enumerate(replayed) if isinstance(m, HelloMessage))
            same = replayed[:break_of] if file == model else replayed[break_of:]
            assert without_ids(same) == without_ids(live[stretch])


def without_ids(messages: list[AnyMessage]) -> list[Any]:
    """Return what was recognized. The ids of events count from the beginning, where another model may have spoken."""
    return [fields if isinstance(fields[3], tuple) else fields[1:] for fields in said(messages)]


def test_a_replay_in_real_time_gives_the_same_and_lasts_as_long(tmp_path: Path, address: str, tiny_model: Path) -> None:
    config = ServeConfig(
        camera=str(write_video(tmp_path / "clip.mp4", 40)),
        address=address,
        pipeline=EAGER,
        record=RecordConfig(tmp_path / "recorded"),
    )
    live = served(config, tiny_model)
    start_s = time.monotonic()
    again = replace(config, record=None, replay=(tmp_path / "recorded",), realtime=True)
    assert said(served(again, tiny_model)) == said(live)
    assert time.monotonic() - start_s > 1.3


def test_a_replay_of_a_stopped_stream_ends_where_it_was_stopped(tmp_path: Path, address: str, tiny_model: Path) -> None:
    config = ServeConfig(
        camera=str(write_video(tmp_path / "clip.mp4", 90)),
        address=address,
        pipeline=EAGER,
        record=RecordConfig(tmp_path / "recorded"),
        max_seconds=2.0,
    )
    live = served(config, tiny_model)
    replayed = served(replace(config, record=None, replay=(tmp_path / "recorded",), max_seconds=None), tiny_model)
    assert said(replayed) == said(live)


def test_recordings_are_what_training_reads(tmp_path: Path, address: str, tiny_model: Path) -> None:
    config = ServeConfig(
        camera=str(write_video(tmp_path / "clip.mp4", 120)),
        address=address,
        record=RecordConfig(tmp_path / "recorded"),
    )
    served(config, tiny_model)
    (path,) = (tmp_path / "recorded").iterdir()
    track = read_skeletons(path).tracks[0]
    assert len(track.times_s) == 90  # no person was seen in the others
    np.testing.assert_allclose(track.times_s[:3], [0, 1 / 30, 2 / 30], atol=0.002)


def test_an_interruption_of_the_camera_interrupts_the_replay(tmp_path: Path, address: str, tiny_model: Path) -> None:
    skeletons = [
        msgspec.structs.replace(
            SKELETON, frame=frame, t_media_ns=frame * 33_000_000, t_capture_ns=frame * 33_000_000, segment=frame // 20
        )
        for frame in range(60)
    ]
    path = write(tmp_path / "a.jsonl", HELLO, *skeletons)
    heard = served(ServeConfig(camera="", address=address, replay=(path,)), tiny_model)
    assert heard[-2].resets == 2  # type: ignore[union-attr]
    assert sum(isinstance(message, HelloMessage) for message in heard) == 3
    assert not any(isinstance(message, LabelMessage) for message in heard)  # no stretch is long enough


def test_a_replay_announces_the_recorded_size(tmp_path: Path, address: str, tiny_model: Path) -> None:
    frames = [
        msgspec.structs.replace(
            SKELETON, frame=n, t_media_ns=n * 1_000_000_000, t_capture_ns=n * 1_000_000_000, segment=n // 3
        )
        for n in range(6)
    ]
    smaller = msgspec.structs.replace(HELLO, size=(64, 48))
    path = write(tmp_path / "a.jsonl", HELLO, *frames[:3], smaller, *frames[3:])
    heard = served(ServeConfig(camera="", address=address, replay=(path,)), tiny_model)
    assert [message.size for message in heard if isinstance(message, HelloMessage)] == [HELLO.size, (64, 48)]


def write(path: Path, *messages: AnyMessage | bytes) -> Path:
    path.write_bytes(b"\n".join(m if isinstance(m, bytes) else encode(m) for m in messages) + b"\n")
    return path


def numbered(frame: int, **fields: Any) -> AnyMessage:
    fields = {"frame": frame, "t_media_ns": frame * 1000, "t_capture_ns": 5 + frame * 1000, **fields}
    return msgspec.structs.replace(SKELETON, **fields)


def drain(*paths: Path) -> int:
    with Replay(paths) as replay:
        frames = 0
        while not replay.ended:
            frames += replay.read(0.0) is not None
    return frames


def test_the_people_of_one_frame_are_read_together(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", HELLO, numbered(1), numbered(1, person=2), numbered(2))
    with Replay([path]) as replay:
        first, second = replay.read(0.0), replay.read(0.0)
        assert first is not None
        assert second is not None
        assert [person.person for person in first.people or ()] == [SKELETON.person, 2]
        assert len(second.people or ()) == 1
        assert replay.read(0.0) is None
        assert replay.ended


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ((SKELETON,), "has no 'hello'"),
        ((HELLO, b"nonsense", SKELETON), "line 2"),
        ((HELLO, numbered(1), numbered(2, run="other")), "line 3: another run"),
        ((HELLO, numbered(1), numbered(2, joints=((1.0, 2.0),))), "line 3: a skeleton of 1 joints"),
        ((HELLO, numbered(5), numbered(4)), "line 3: frame 4 comes after a later one"),
        ((msgspec.structs.replace(HELLO, layout="coco"), SKELETON), "unknown layout"),
        ((HELLO, numbered(1), msgspec.structs.replace(HELLO, layout="imigue")), "another layout"),
    ],
)
def test_each_mistake_is_a_one_line_error(tmp_path: Path, messages: tuple[Any, ...], says: str) -> None:
    with pytest.raises(MarEdgeError, match=says) as raised:
        drain(write(tmp_path / "a.jsonl", *messages))
    assert "\n" not in str(raised.value)


def test_a_missing_recording_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MarEdgeError, match="holds no recording"):
        Replay([tmp_path])
    with pytest.raises(MarEdgeError, match="no recording at"):
        Replay([tmp_path / "nowhere.jsonl"])


WHOLE = b"\n".join([encode(HELLO), *(encode(numbered(frame)) for frame in range(5)), encode(END)]) + b"\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cut=st.integers(0, len(WHOLE)), at=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255))
def test_damage_gives_a_shorter_recording_or_one_clear_error(tmp_path: Path, cut: int, at: int, byte: int) -> None:
    path = tmp_path / "a.jsonl"
    for damaged in (WHOLE[:cut], WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :]):
        path.write_bytes(damaged)
        try:
            assert drain(path) <= 5
        except MarEdgeError as error:
            assert str(path) in str(error)  # noqa: PT017 - either outcome is right
