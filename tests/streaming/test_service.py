from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from streaming_fakes import ScriptedPose, nod, read_number, skeleton, wait_until, write_video

from mar_edge import (
    AnyMessage,
    EndMessage,
    EventMessage,
    HelloMessage,
    LabelMessage,
    LabelSubscriber,
    SkeletonMessage,
    StatusMessage,
)
from mar_edge.edge.data import Skeleton, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.observer import HttpHandler
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.recording.recorder import RecordConfig
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.service import ServeSummary, serve
from mar_edge.streaming.wire.encoding import EncodedMessage, decode, encode
from mar_edge.view.live_page import LivePage

EAGER = PipelineRules(on=0.15, off=0.01)
MOTION = nod(40.0, hz=0.7)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", 75)


@pytest.fixture
def config(video: Path, address: str) -> ServeConfig:
    return ServeConfig(
        camera=str(video),
        address=address,
        wait_subscribers=1,
        pipeline=replace(EAGER, motion_gate=None),
    )


Run = Callable[..., tuple[ServeSummary, list[AnyMessage]]]


@pytest.fixture
def run(tiny_model: Path) -> Run:
    def served(config: ServeConfig, pose: ScriptedPose | None = None) -> tuple[ServeSummary, list[AnyMessage]]:
        """Serve in this thread, subscribe in another; what was said, and what was heard."""
        heard: list[AnyMessage] = []

        def listen() -> None:
            with LabelSubscriber(config.address, timeout_s=20, until_end=True) as subscriber:
                heard.extend(subscriber)
                assert (subscriber.lost, subscriber.malformed) == (0, 0)
                heard.append(heard[-1])  # so that a failed assertion above is seen below

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        summary = serve(
            config, lambda: pose or ScriptedPose(MOTION), lambda: WindowRecognizer.open(tiny_model, threads=1)
        )
        listener.join(20)
        assert heard.pop() == heard[-1]
        return summary, heard

    return served


def of(kind: type, messages: list[AnyMessage]) -> list[Any]:
    return [message for message in messages if isinstance(message, kind)]


def test_a_file_from_hello_to_end(run: Run, config: ServeConfig, recognizer: WindowRecognizer) -> None:
    pose = ScriptedPose(MOTION)
    summary, heard = run(config, pose)
    assert [message.seq for message in heard] == list(range(len(heard)))
    for kind in {message.kind for message in heard}:
        numbers = [message.kind_seq for message in heard if message.kind == kind]
        assert numbers == list(range(len(numbers)))
    assert {message.run for message in heard} == {heard[0].run}
    assert pose.numbers == list(range(75))

    (hello,) = of(HelloMessage, heard)
    assert heard[0] is hello
    assert (hello.source, hello.size, hello.fps) == (config.camera, (192, 32), 30.0)
    assert (hello.model, hello.layout, hello.labels) == ("tiny", "ma52", recognizer.metadata.labels)

    labels = of(LabelMessage, heard)
    clip = np.stack([MOTION(i / 30) for i in range(75)])
    assert len(labels) == summary.inferences == 10
    for label in labels:
        oldest = max(0, label.frame - 60)
        window = Window(clip[oldest : label.frame + 1], np.arange(oldest, label.frame + 1) / 30)
        probs = recognizer.predict([window])[0].probs
        best = [recognizer.metadata.labels[i] for i in np.argsort(-probs)[:5]]
        assert [scored.name for scored in label.top] == [b.name for b in best]
        assert [scored.score for scored in label.top] == pytest.approx(sorted(probs, reverse=True)[:5], abs=1e-4)
        assert label.t_capture_ns == label.t_end_ns == pytest.approx(hello.t_zero_ns + label.frame / 30 * 1e9, abs=2e6)
        assert label.t_end_ns - label.t_start_ns == pytest.approx((label.frame - oldest) / 30 * 1e9, abs=2e6)
        assert 0 < label.latency.infer_ms < label.latency.total_ms
        assert not label.gated
    assert labels[-1].frame == 74  # what came after the last stride is not lost

    events = of(EventMessage, heard)
    assert next(event.phase for event in events if event.event_id == 1) == "begin"
    for event_id in {event.event_id for event in events}:
        assert [event.phase for event in events if event.event_id == event_id][-1] == "end"
    assert all((event.t_end_ns is None) == (event.phase != "end") for event in events)

    statuses = of(StatusMessage, heard)
    assert statuses[-1].seq == heard[-1].seq - 1
    assert (statuses[-1].frames, statuses[-1].dropped, statuses[-1].inferences) == (75, 0, 10)
    assert statuses[-1].latency_ms.keys() == {"pose", "wait", "window", "infer", "total"}
    assert statuses[-1].subscribers == 1

    (end,) = of(EndMessage, heard)
    assert heard[-1] is end
    assert (end.reason, end.last_seq, end.frames) == ("end of file", end.seq, 75)
    assert sum(end.sent.values()) == end.seq
    assert (summary.reason, summary.signal, summary.last_seq) == ("end of file", None, end.seq)
    assert "pose" in summary.report


def test_a_file_gives_the_same_twice(run: Run, config: ServeConfig) -> None:
    def once() -> list[object]:
        _, heard = run(replace(config, encoding="msgpack"))
        zero = of(HelloMessage, heard)[0].t_zero_ns
        return [(m.frame, m.top, m.t_start_ns - zero) for m in of(LabelMessage, heard)] + [
            (m.event_id, m.label, m.phase, m.t_start_ns - zero, m.score) for m in of(EventMessage, heard)
        ]

    assert once() == once()


def test_in_real_time_a_slow_pose_drops_frames_keeps_up_and_is_logged(
    run: Run, config: ServeConfig, caplog: pytest.LogCaptureFixture
) -> None:
    pose = ScriptedPose(MOTION, delay_s=0.08)
    summary, heard = run(replace(config, realtime=True), pose)
    assert summary.dropped > 20
    assert "stream camera is too slow" in caplog.text
    assert summary.frames + summary.dropped == 75
    assert pose.numbers == sorted(set(pose.numbers))
    labels = of(LabelMessage, heard)
    assert [label.frame for label in labels[:-1]] == [n for n in pose.numbers if n in {m.frame for m in labels[:-1]}]
    assert max(label.latency.total_ms for label in labels) < 1000


def test_skeletons_are_sent_when_asked_for(run: Run, config: ServeConfig) -> None:
    _, heard = run(replace(config, publish_skeletons=True))
    skeletons = of(SkeletonMessage, heard)
    assert [message.frame for message in skeletons] == list(range(75))
    assert [message.t_media_ns for message in skeletons] == [round(frame / 30 * 1e9) for frame in range(75)]
    np.testing.assert_allclose(np.array(skeletons[40].joints, np.float32), MOTION(40 / 30), atol=0.006)


def test_joints_that_were_not_seen_are_null(run: Run, config: ServeConfig) -> None:
    class HalfSeen(ScriptedPose):
        def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
            joints = MOTION(read_number(image) / 30)
            joints[5:20] = np.nan
            return [skeleton(joints)]

    summary, heard = run(replace(config, publish_skeletons=True), HalfSeen(MOTION))
    assert of(SkeletonMessage, heard)[0].joints[5:20] == (None,) * 15
    assert summary.inferences > 0


def test_an_empty_room_says_so_and_infers_nothing(run: Run, config: ServeConfig) -> None:
    class Nobody(ScriptedPose):
        def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
            return []

    summary, heard = run(config, Nobody(MOTION))
    assert (summary.frames, summary.inferences, summary.events) == (75, 0, 0)
    assert of(StatusMessage, heard)[-1].people == 0


def test_without_motion_no_inference_runs(run: Run, config: ServeConfig) -> None:
    summary, heard = run(replace(config, pipeline=EAGER), ScriptedPose(lambda _: MOTION(0.0)))
    labels = of(LabelMessage, heard)
    assert (summary.inferences, summary.gated) == (0, len(labels))
    assert all(label.gated and label.top == () for label in labels)


def test_it_stops_when_the_time_is_up(run: Run, config: ServeConfig) -> None:
    summary, heard = run(replace(config, max_seconds=1.0))
    assert summary.frames == 31
    assert heard[-1].reason == summary.reason == "time limit of 1 s reached"  # type: ignore[union-attr]


def test_a_failure_of_the_pose_stage_is_raised_and_sent(run: Run, config: ServeConfig) -> None:
    class Failing(ScriptedPose):
        def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
            if read_number(image) == 20:
                raise ZeroDivisionError("a bug")
            return super().estimate(image, t_s)

    said: list[AnyMessage] = []
    with pytest.raises(ZeroDivisionError, match="a bug"):
        serve(
            replace(config, wait_subscribers=0),
            lambda: Failing(MOTION),
            lambda: WindowRecognizer.open(_model_of(run), threads=1),
            said.append,
        )
    assert isinstance(said[-1], EndMessage)
    assert said[-1].reason == "failed: ZeroDivisionError"


def _model_of(run: Run) -> Path:
    """Return the model file that the ``run`` fixture was made with."""
    path = run.__closure__[0].cell_contents  # type: ignore[attr-defined]
    assert isinstance(path, Path)
    return path


def never() -> Any:
    raise AssertionError("must not be opened")


def test_the_camera_is_checked_before_the_models_are_loaded(config: ServeConfig) -> None:
    with pytest.raises(MarEdgeError, match="no such video file"):
        serve(replace(config, camera="/nowhere.mp4"), never, never)
    with pytest.raises(MarEdgeError, match="not an address"):
        serve(replace(config, address="nowhere"), never, never)


def test_a_model_of_another_layout_is_refused(config: ServeConfig, tiny_model: Path) -> None:
    class Other(ScriptedPose):
        def __init__(self) -> None:
            super().__init__(MOTION)
            self.layout = load_layout("imigue")

    with pytest.raises(MarEdgeError, match="a model of another layout: 'tiny' takes ma52"):
        serve(config, Other, lambda: WindowRecognizer.open(tiny_model, threads=1))


def test_a_full_disk_is_reported_in_status_and_the_stream_goes_on(
    small_disk: Path, config: ServeConfig, run: Run
) -> None:
    (small_disk / "ballast").write_bytes(bytes(100_000))
    summary, heard = run(replace(config, record=RecordConfig(small_disk)))
    assert (summary.reason, summary.frames) == ("end of file", 75)
    last = [message for message in heard if isinstance(message, StatusMessage)][-1]
    assert last.record_error == os.strerror(errno.ENOSPC)
    assert last.recorded > 0
    assert last.record_lost > 0
    (path,) = small_disk.glob("*.jsonl")
    assert len(path.read_bytes().splitlines()) == last.recorded
    for line in path.read_bytes().splitlines():
        decode(line)


@pytest.mark.parametrize(
    "wrong",
    [
        {"top_k": 0},
        {"wait_subscribers": -1},
        {"max_seconds": 0.0},
    ],
)
def test_settings_out_of_range_are_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(MarEdgeError):
        ServeConfig(camera="0", **wrong)


PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from streaming_fakes import ScriptedPose, nod
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.service import serve
config = ServeConfig(camera=sys.argv[1], address=sys.argv[2])
summary = serve(config, lambda: ScriptedPose(nod(40.0)), lambda: WindowRecognizer.open(Path(sys.argv[3]), threads=1))
assert not {{"torch", "onnx"}} & sys.modules.keys()
print(summary.reason, summary.signal)
"""


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
def test_signals_end_the_stream_in_order(
    tmp_path: Path, address: str, tiny_model: Path, number: signal.Signals, reason: str
) -> None:
    long = write_video(tmp_path / "long.avi", 900, 15.0, "MJPG")
    program = PROGRAM.format(tests=str(Path(__file__).parent))
    arguments = [sys.executable, "-c", program, str(long), address, str(tiny_model)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        with LabelSubscriber(address, timeout_s=30, until_end=True) as subscriber:
            for message in subscriber:
                if message.kind == "label":
                    process.send_signal(number)
                    break
            rest = list(subscriber)
            assert subscriber.lost == 0
        out, err = process.communicate(timeout=20)
    assert isinstance(rest[-1], EndMessage)
    assert rest[-1].reason == reason
    assert (process.returncode, out, err) == (0, f"{reason} {int(number)}\n", "")


class Onlooker:
    """An observer (see ``streaming.observer``) that keeps what it is shown."""

    def __init__(self) -> None:
        self.failures = 0
        self.messages: list[AnyMessage] = []
        self.frames: list[tuple[Frame, Sequence[EncodedMessage[SkeletonMessage]]]] = []

    def on_message(self, message: AnyMessage) -> None:
        self.messages.append(message)

    def on_frame(self, frame: Frame, skeletons: Sequence[EncodedMessage[SkeletonMessage]]) -> None:
        self.frames.append((frame, skeletons))

    def serves_http(self, address: str, handlers: Mapping[str, HttpHandler]) -> bool:
        return False


@pytest.mark.parametrize("sent", [False, True])
def test_an_observer_gets_all_people_of_every_frame_sent_or_not(
    config: ServeConfig, tiny_model: Path, sent: bool
) -> None:
    onlooker = Onlooker()
    config = replace(config, wait_subscribers=0, publish_skeletons=sent)
    summary = serve(
        config,
        lambda: ScriptedPose(MOTION),
        lambda: WindowRecognizer.open(tiny_model, threads=1),
        observer=onlooker,
    )
    assert [read_number(frame.image) for frame, _ in onlooker.frames] == list(range(75))
    assert all(shown.message.frame == frame.seq for frame, (shown,) in onlooker.frames)
    first = onlooker.frames[0][1][0].message
    assert (first.stream, first.joints[0]) == ("camera", pytest.approx(MOTION(0.0)[0], abs=0.01))
    assert len(of(SkeletonMessage, onlooker.messages)) == (75 if sent else 0)
    assert len(of(LabelMessage, onlooker.messages)) == summary.inferences
    assert summary.last_seq == len(onlooker.messages) - 1


@pytest.mark.parametrize("sent", [False, True])
def test_each_skeleton_is_encoded_once_for_wire_recording_and_page(
    config: ServeConfig, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bool
) -> None:
    encoded: list[int] = []

    def counted(message: AnyMessage) -> bytes:
        if isinstance(message, SkeletonMessage):
            encoded.append(message.frame)
        return encode(message)

    monkeypatch.setattr("mar_edge.streaming.wire.encoding.encode", counted)
    with LivePage("127.0.0.1:*") as page:
        serve(
            replace(config, wait_subscribers=0, publish_skeletons=sent, record=RecordConfig(tmp_path / "recorded")),
            lambda: ScriptedPose(MOTION),
            lambda: WindowRecognizer.open(tiny_model, threads=1),
            observer=page,
        )
    assert encoded == list(range(75))


def test_a_page_that_fails_is_reported_in_status_and_the_stream_goes_on(
    config: ServeConfig, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no event loop")

    monkeypatch.setattr("uvicorn.Server.run", fail)
    messages: list[AnyMessage] = []
    with LivePage("127.0.0.1:*") as page:
        wait_until(lambda: page.failures)
        serve(
            replace(config, wait_subscribers=0),
            lambda: ScriptedPose(MOTION),
            lambda: WindowRecognizer.open(tiny_model, threads=1),
            messages.append,
            observer=page,
        )
    assert of(StatusMessage, messages)[-1].page_failures == 1
    assert of(EndMessage, messages)[0].frames == 75
