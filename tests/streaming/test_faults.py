"""What goes wrong in months of service: cameras that die, hang and lie, streams that fail, strangers at the port."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from mjpeg_camera import MjpegCamera
from numpy.typing import NDArray
from streaming_fakes import ScriptedPose, nod, open_files, publishing, read_number, wait_until, write_video
from wire_messages import MESSAGES

from mar_edge import AnyMessage, EndMessage, HelloMessage, LabelSubscriber, StatusMessage
from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.backoff import Backoff
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.service import ServeSummary, serve

LABEL = MESSAGES[1]
MOTION = nod(40.0, hz=0.7)
QUICK = Backoff(first_s=0.02, most_s=0.1)


def read_after(camera: Camera, connections: int) -> bool:
    return camera.connections == connections and camera.read(0.1) is not None


def gives(camera: Camera, shape: tuple[int, ...]) -> bool:
    frame = camera.read(0.1)
    return frame is not None and frame.image.shape == shape


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.soak)])
def test_a_network_camera_that_dies_and_comes_back_is_live_again_each_time(times: int) -> None:
    server = MjpegCamera()
    files = 0
    with Camera(server.url, backoff=QUICK, stall_s=3.0) as camera:
        camera.start()
        for number in range(1, times + 1):
            wait_until(partial(read_after, camera, number), timeout_s=20)
            if number == 2:
                files = open_files()
            server.kill()
            wait_until(lambda: camera.state == "lost", timeout_s=20)
            assert "127.0.0.1" in str(camera.last_error)
            server = MjpegCamera(server.port)
        wait_until(lambda: camera.state == "live" and camera.read(0.1), timeout_s=20)
        assert camera.connections == times + 1
        assert open_files() <= files + 4
    server.kill()


def test_a_network_camera_that_stalls_is_reopened() -> None:
    with MjpegCamera() as server, Camera(server.url, backoff=QUICK, stall_s=0.5) as camera:
        camera.start()
        wait_until(lambda: camera.read(0.1))
        server.stalled.set()
        wait_until(lambda: camera.stalls == 1)
        server.stalled.clear()
        segment = camera.segment
        wait_until(lambda: (frame := camera.read(0.1)) and frame.segment >= segment, timeout_s=20)
        assert camera.state == "live"


@pytest.mark.parametrize("seed", range(2))
def test_random_bytes_among_the_pictures_do_not_end_a_stream(seed: int) -> None:
    garbage = random.Random(seed).randbytes(2000)
    with MjpegCamera(garbage=garbage) as server, Camera(server.url, backoff=QUICK, stall_s=2.0) as camera:
        camera.start()
        frames = 0

        def enough() -> bool:
            nonlocal frames
            frames += camera.read(0.1) is not None
            return frames >= 20

        wait_until(enough, timeout_s=30)
        assert camera.end_reason is None


def test_a_camera_that_comes_back_in_another_size_begins_a_new_segment() -> None:
    first = MjpegCamera()
    with Camera(first.url, backoff=QUICK) as camera:
        camera.start()
        wait_until(lambda: camera.read(0.1))
        assert camera.size == (192, 32)
        first.kill()
        with MjpegCamera(first.port, scale=2):
            wait_until(lambda: (frame := camera.read(0.1)) and frame.image.shape == (64, 384, 3), timeout_s=20)
            assert camera.size == (384, 64)
            assert camera.segment > 0


class Nobody(ScriptedPose):
    """Sees no one, in a picture of any size."""

    def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
        return []


def test_a_camera_that_changes_its_picture_is_followed_without_a_new_connection() -> None:
    with MjpegCamera() as server, Camera(server.url, backoff=QUICK) as camera:
        camera.start()
        before: Frame | None = None
        for scale, grey in ((1, False), (2, False), (2, True), (1, True)):
            server.scale, server.gray = scale, grey
            shape = (32 * scale, 192 * scale, 3)
            wait_until(partial(gives, camera, shape))
            numbers = set()
            while len(numbers) < 5:  # the picture goes on: it does not freeze
                if frame := camera.read(1.0):
                    numbers.add(read_number(frame.image[::scale, ::scale]))
                    resized = before is not None and before.image.shape != frame.image.shape
                    assert before is None or frame.segment == before.segment + resized
                    before = frame
            assert camera.size == (192 * scale, 32 * scale)
        assert camera.connections == 1


Serve = Callable[..., tuple[ServeSummary | BaseException, list[AnyMessage]]]


@pytest.fixture
def served(tiny_model: Path) -> Serve:
    def run(config: ServeConfig, *poses: ScriptedPose) -> tuple[ServeSummary | BaseException, list[AnyMessage]]:
        heard: list[AnyMessage] = []
        left = list(poses)
        try:
            summary: ServeSummary | BaseException = serve(
                config, lambda: left.pop(0), lambda: WindowRecognizer.open(tiny_model, threads=1), heard.append
            )
        except (MarEdgeError, ZeroDivisionError) as error:
            summary = error
        return summary, heard

    return run


def test_a_camera_that_fails_leaves_the_other_streams_running(tmp_path: Path, address: str, served: Serve) -> None:
    class Failing(ScriptedPose):
        def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
            if read_number(image) == 10:
                raise ZeroDivisionError("a bug")
            return super().estimate(image, t_s)

    videos = [str(write_video(tmp_path / f"{name}.mp4", 75)) for name in "abc"]
    config = ServeConfig(
        camera=videos[0],
        stream="a",
        more_cameras=(("b", videos[1]), ("c", videos[2])),
        address=address,
        pipeline=PipelineRules(motion_gate=None),
    )
    failure, heard = served(config, ScriptedPose(MOTION), Failing(MOTION), ScriptedPose(MOTION))
    assert isinstance(failure, ZeroDivisionError)
    ends = {message.stream: message for message in heard if isinstance(message, EndMessage)}
    assert {name: end.reason for name, end in ends.items()} == {
        "a": "end of file",
        "b": "failed: ZeroDivisionError",
        "c": "end of file",
    }
    assert ends["a"].frames == ends["c"].frames == 75
    assert ends["a"].inferences == ends["c"].inferences == 10
    for name in "abc":
        numbers = [message.seq for message in heard if message.stream == name]
        assert numbers == list(range(len(numbers)))


def test_a_stream_that_hangs_does_not_keep_the_process_from_stopping(
    tmp_path: Path, address: str, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mar_edge.streaming.service.STOP_S", 0.2)
    hangs, release = threading.Event(), threading.Event()

    class Hanging(ScriptedPose):
        def estimate(self, image: NDArray[np.uint8], t_s: float) -> list[Skeleton]:
            hangs.set()
            release.wait(60)
            return []

    def terminate() -> None:
        assert hangs.wait(30)
        os.kill(os.getpid(), signal.SIGTERM)

    helper = threading.Thread(target=terminate)
    helper.start()
    config = ServeConfig(camera=str(write_video(tmp_path / "clip.mp4", 75)), address=address)
    with pytest.raises(MarEdgeError, match="stream camera hangs"):
        serve(config, lambda: Hanging(MOTION), lambda: WindowRecognizer.open(tiny_model, threads=1))
    release.set()
    helper.join()


def test_videos_of_every_kind_are_streams_side_by_side(
    shared: Callable[[str], Path], address: str, served: Serve
) -> None:
    cases = {name: str(shared(f"cases/{name}")) for name in ("shrinks.ts", "rotated.mp4", "pixfmt-crash.avi")}
    (first, video), *more = cases.items()
    config = ServeConfig(camera=video, stream=first, more_cameras=tuple(more), address=address)
    summary, heard = served(config, *(Nobody(MOTION) for _ in cases))
    assert isinstance(summary, ServeSummary)
    assert summary.reason == "end of file"

    def sizes(stream: str) -> list[tuple[int, int]]:
        return [message.size for message in heard if isinstance(message, HelloMessage) and message.stream == stream]

    assert sizes("shrinks.ts") == [(128, 96), (64, 48)]
    assert sizes("rotated.mp4") == [(48, 64)]
    assert sizes("pixfmt-crash.avi") == [(1280, 720)]


def test_streams_need_names_of_their_own() -> None:
    with pytest.raises(MarEdgeError, match="a name of its own"):
        ServeConfig(camera="0", stream="a", more_cameras=(("a", "1"),))


def test_a_lost_camera_is_seen_in_status_and_its_return_in_hello(
    address: str, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mar_edge.streaming.capture.camera.Backoff", lambda: Backoff(first_s=0.05, most_s=0.1))
    server = MjpegCamera()
    heard: list[AnyMessage] = []
    done = threading.Event()
    config = ServeConfig(camera=server.url, address=address, max_seconds=60.0)

    def seen(message: AnyMessage) -> None:
        heard.append(message)
        if done.is_set():
            raise InterruptedError  # ends the stream: nobody else asks it to

    def run() -> None:
        with pytest.raises(InterruptedError):
            serve(config, lambda: Nobody(MOTION), lambda: WindowRecognizer.open(tiny_model, threads=1), seen)

    thread = threading.Thread(target=run)
    thread.start()

    def status(state: str) -> bool:
        return any(isinstance(message, StatusMessage) and message.camera == state for message in heard)

    wait_until(lambda: status("live"), timeout_s=30)
    server.kill()
    wait_until(lambda: status("lost"), timeout_s=30)
    lost = next(message for message in heard if isinstance(message, StatusMessage) and message.camera == "lost")
    assert str(server.port) in str(lost.camera_error)
    with MjpegCamera(server.port, scale=2):
        wait_until(lambda: any(isinstance(m, HelloMessage) and m.size == (384, 64) for m in heard), timeout_s=30)
        done.set()
        thread.join(20)
    assert not thread.is_alive()


PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from streaming_fakes import ScriptedPose, nod
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.service import serve
from mar_edge.streaming.recognition.thresholds import LabelChoice
config = ServeConfig(camera=sys.argv[1], address=sys.argv[2], realtime=True)
labels = iter(["nonsense", "head"])
def reread():
    choice = LabelChoice.parse(next(labels))
    return ServeConfig(camera="0", pipeline=PipelineRules(stride_s=0.4, labels=choice))
summary = serve(config, lambda: ScriptedPose(nod(40.0)), lambda: WindowRecognizer.open(Path(sys.argv[3]), threads=1),
                reread=reread)
print(summary.reason)
"""


def test_a_hangup_rereads_the_configuration_and_a_wrong_one_changes_nothing(
    tmp_path: Path, address: str, tiny_model: Path
) -> None:
    long = write_video(tmp_path / "long.avi", 900, 15.0, "MJPG")
    program = PROGRAM.format(tests=str(Path(__file__).parent))
    arguments = [sys.executable, "-c", program, str(long), address, str(tiny_model)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        with LabelSubscriber(address, timeout_s=30, kinds=("hello", "label")) as subscriber:
            assert next(subscriber).stride_s == 0.2  # type: ignore[union-attr]
            while next(subscriber).kind != "label":
                pass
            process.send_signal(signal.SIGHUP)  # names a label that there is not
            for _ in range(3):
                assert next(subscriber).kind == "label"
            process.send_signal(signal.SIGHUP)
            while (message := next(subscriber)).kind != "hello":
                pass
            assert isinstance(message, HelloMessage)
            assert message.stride_s == 0.4
            assert sum(value is not None for value in message.on_thresholds) < len(message.labels) - 1
            assert (subscriber.restarts, subscriber.lost) == (0, 0)
        process.send_signal(signal.SIGTERM)
        start_s = time.monotonic()
        out, _ = process.communicate(timeout=20)
        assert time.monotonic() - start_s < 10
    assert (process.returncode, out) == (0, "terminated\n")


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.soak)])
def test_random_bytes_at_the_port_do_not_disturb_subscribers(count: int) -> None:
    rng = random.Random(7)
    with publishing() as (publisher, publish_socket):
        port = int(publish_socket.endpoints[0].rpartition(":")[2])
        with LabelSubscriber(publish_socket.endpoints[0], timeout_s=10) as subscriber:
            wait_until(lambda: (publish_socket.poll(), publish_socket.subscriptions)[1])
            files = open_files()
            for number in range(count):
                with socket.create_connection(("127.0.0.1", port)) as stranger:
                    stranger.sendall(rng.randbytes(rng.randrange(1, 300)))
                if number % 50 == 0:
                    publish_socket.poll()
                    publisher.publish(LABEL)
                    assert next(subscriber).kind == "label"
            wait_until(lambda: (publish_socket.poll(), open_files() <= files + 5)[1], timeout_s=20)
            assert (subscriber.lost, subscriber.malformed, subscriber.restarts) == (0, 0, 0)


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.soak)])
def test_a_model_file_with_other_bytes_in_it_is_one_clear_error_or_a_model(
    tiny_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], count: int
) -> None:
    whole = tiny_model.read_bytes()
    # Text is the graph and its description; all else is weights.
    texts = [match.span() for match in re.finditer(rb"[ -~]{8,}", whole)]
    places = [place for start, end in texts for place in range(start, end)]
    rng = random.Random(3)
    path = tmp_path / "damaged.onnx"
    refused = 0
    for _ in range(count):
        content = bytearray(whole)
        for _ in range(rng.choice((1, 1, 3))):
            content[rng.choice(places)] = rng.randrange(256)
        path.write_bytes(content)
        try:
            WindowRecognizer.open(path, threads=1).__exit__(None, None, None)
        except MarEdgeError:
            refused += 1
    assert refused > count / 10
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.soak)])
def test_a_model_file_that_is_cut_anywhere_is_one_clear_error(tiny_model: Path, tmp_path: Path, count: int) -> None:
    whole = tiny_model.read_bytes()
    rng = random.Random(3)
    path = tmp_path / "cut.onnx"
    for _ in range(count):
        path.write_bytes(whole[: rng.randrange(len(whole))])
        with pytest.raises(MarEdgeError) as raised:
            WindowRecognizer.open(path, threads=1)
        assert "\n" not in str(raised.value)
