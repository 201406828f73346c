from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from streaming_fakes import FakeReader, read_number, wait_until, write_video

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.backoff import Backoff
from mar_edge.streaming.capture.camera import MOST_HUNG, Camera
from mar_edge.streaming.capture.frames import NS, Frame
from mar_edge.streaming.capture.readers import Reader


def camera_of(reader: FakeReader, **options: bool) -> Camera:
    return Camera("demo:", opener=lambda *_: reader, **options)


def drain(camera: Camera) -> list[Frame]:
    frames = []
    while not camera.ended:
        frame = camera.read(1.0)
        if frame is not None:
            frames.append(frame)
    return frames


def test_a_slow_reader_gets_every_frame_of_a_file(tmp_path: Path) -> None:
    with Camera(str(write_video(tmp_path / "v.mp4", 40))) as camera:
        camera.start()
        frames = []
        while not camera.ended:
            if frame := camera.read(1.0):
                frames.append(frame)
                time.sleep(0.002)
    assert [read_number(frame.image) for frame in frames] == list(range(40))
    assert [frame.seq for frame in frames] == list(range(40))
    assert [frame.media_s for frame in frames] == pytest.approx([i / 30 for i in range(40)], abs=0.002)
    assert [f.t_capture_ns - camera.t_zero_ns for f in frames] == [round(f.media_s * NS) for f in frames]
    assert (np.diff([frame.t_mono_ns for frame in frames]) > 0).all()
    assert (camera.dropped, camera.frames, camera.size, camera.fps) == (0, 40, (192, 32), 30.0)
    assert (camera.end_reason, camera.state) == ("end of file", "ended")


def test_a_file_in_real_time_plays_at_its_own_speed_with_its_own_times(tmp_path: Path) -> None:
    with Camera(str(write_video(tmp_path / "v.avi", 30, 60.0, "MJPG")), realtime=True) as camera:
        camera.start()
        start = time.monotonic()
        frames = drain(camera)
        assert time.monotonic() - start > 0.45
    assert camera.frames == 30
    assert len(frames) + camera.dropped == 30
    for frame in frames:
        assert read_number(frame.image) == frame.seq
        assert frame.media_s == pytest.approx(frame.seq / 60, abs=0.002)
        assert frame.t_mono_ns / NS >= start + frame.media_s - 0.05


def test_a_recording_waits_for_the_start() -> None:
    reader = FakeReader(recorded=True)
    with camera_of(reader) as camera:
        assert camera.read(0.02) is None
        assert camera.frames == 0
        camera.start()
        frame = camera.read(5.0)
        assert frame is not None
        assert frame.media_s < 0.5
    assert reader.closed.is_set()


def test_the_newest_frame_is_read_and_the_others_are_counted_as_dropped() -> None:
    reader = FakeReader(recorded=False)
    reader.release()
    with camera_of(reader) as camera:
        camera.start()
        reader.release(6)
        wait_until(lambda: reader.shown[-1] == 6 and camera.dropped == camera.frames - 1)
        frame = camera.read(5.0)
        assert frame is not None
        assert frame.seq == camera.frames - 1 >= 4
        assert read_number(frame.image) == 6
        assert camera.read(0.01) is None
        reader.release(1)
        after = camera.read(5.0)
        assert after is not None
        assert after.seq == frame.seq + 1
        assert after.media_s > frame.media_s
        reader.release(10)


class Plugs:
    """Opens one source after another: each is a reader, an error, or a wait for ``hang``."""

    def __init__(self, *openings: FakeReader | str | threading.Event) -> None:
        self.readers = [each for each in openings if isinstance(each, FakeReader)]
        self.opened = 0
        self._openings = list(openings)

    def __call__(self, *_: object) -> FakeReader:
        opening = self._openings[min(self.opened, len(self._openings) - 1)]
        self.opened += 1
        if isinstance(opening, str):
            raise MarEdgeError(opening)
        if isinstance(opening, threading.Event):
            opening.wait(30)
            raise MarEdgeError("too late")
        return opening


def at_once() -> Backoff:
    return Backoff(first_s=0.01, most_s=0.02)


def live(frames: int = 1000, released: int = 10_000) -> FakeReader:
    reader = FakeReader(recorded=False, frames=frames)
    reader.release(released)
    return reader


def test_a_live_source_that_ends_reconnects_and_reports_why() -> None:
    plugs = Plugs(live(frames=40), "not yet", "still not", live(frames=30), live(frames=1_000_000))
    with Camera("demo:", opener=plugs, backoff=at_once()) as camera:
        camera.start()
        frames: list[Frame] = []
        while camera.connections < 3 or camera.state != "live":
            if frame := camera.read(0.5):
                frames.append(frame)
        wait_until(lambda: (last := camera.read(1.0)) and last.segment == camera.segment)
        assert camera.last_error == "camera lost: unplugged"
        assert camera.state == "live"
        assert plugs.opened == 5
    assert camera.end_reason == "stopped"
    assert all(reader.closed.is_set() for reader in plugs.readers)
    segments = [frame.segment for frame in frames]
    assert segments == sorted(segments)
    assert all(later.seq > earlier.seq and later.media_s > earlier.media_s for earlier, later in pairwise(frames))


def test_a_source_that_hangs_is_abandoned_and_reopened() -> None:
    hanging, after = live(released=3), live(frames=1_000_000)
    with Camera("demo:", opener=Plugs(hanging, after), backoff=at_once(), stall_s=0.2) as camera:
        camera.start()
        segment = camera.segment
        wait_until(lambda: camera.stalls == 1)
        wait_until(lambda: camera.state == "live" and (frame := camera.read(0.1)) and frame.segment > segment)
        assert camera.last_error == "demo: sent no frame for 0.2 s"
        shown = len(hanging.shown)
        hanging.release(10)  # the driver returns, after its reader was abandoned
        assert hanging.closed.wait(5)
        assert len(hanging.shown) <= shown + 1
        assert camera.connections == 2


def test_attempts_that_hang_do_not_accumulate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mar_edge.streaming.capture.camera.OPEN_SLACK_S", 0.0)
    never = threading.Event()
    plugs = Plugs(never)
    with Camera("0", opener=plugs, backoff=at_once(), open_timeout_s=0.05, wait_for_source=True) as camera:
        wait_until(lambda: plugs.opened == MOST_HUNG)
        wait_until(lambda: "cannot be interrupted" in str(camera.last_error))
        assert plugs.opened == MOST_HUNG
        never.set()
        wait_until(lambda: plugs.opened > MOST_HUNG)


def test_with_wait_for_source_a_source_may_open_later() -> None:
    with Camera("0", opener=Plugs("no such camera", live()), backoff=at_once(), wait_for_source=True) as camera:
        camera.start()
        wait_until(lambda: camera.read(0.1))
        assert (camera.state, camera.connections, camera.size) == ("live", 1, (192, 32))


def test_a_camera_that_opens_late_begins_a_segment() -> None:
    switched_on = threading.Event()

    def opener(*_: object) -> FakeReader:
        switched_on.wait(10)
        return live()

    with Camera("0", opener=opener, wait_for_source=True) as camera:
        camera.start()
        assert (camera.state, camera.size, camera.segment) == ("connecting", (0, 0), 0)
        switched_on.set()
        wait_until(lambda: (frame := camera.read(0.1)) and frame.segment == 1)
        assert camera.size == (192, 32)


def test_frames_that_cannot_be_decoded_are_skipped_and_counted() -> None:
    class Spotted(FakeReader):
        def retrieve(self) -> NDArray[np.uint8]:
            if self._index in {3, 4, 7}:
                raise MarEdgeError("a frame cannot be decoded")
            return super().retrieve()

    reader = Spotted(recorded=False, frames=1_000_000)
    reader.release()
    with Camera("demo:", opener=lambda *_: reader, backoff=at_once()) as camera:
        camera.start()
        reader.release(20)
        wait_until(lambda: reader.shown and reader.shown[-1] > 8)
        assert camera.corrupt == len({3, 4, 7} - set(reader.shown))
        assert camera.connections == 1
        reader.release(100)


def test_a_new_size_begins_a_segment() -> None:
    class Resized(FakeReader):
        def retrieve(self) -> NDArray[np.uint8]:
            image = super().retrieve()
            return image if self._index < 5 else np.ascontiguousarray(image[:, :96])

    reader = Resized(recorded=False)
    reader.release()
    with camera_of(reader) as camera:
        camera.start()
        reader.release(4)
        first = camera.read(5.0)
        reader.release(10)
        wait_until(lambda: camera.size == (96, 32))
        wait_until(lambda: (last := camera.read(0.1)) and last.segment == first.segment + 1)
        reader.release(100)


def test_a_jump_of_the_wall_clock_begins_a_segment_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = FakeReader(recorded=False)
    reader.release()
    with camera_of(reader) as camera:
        camera.start()
        reader.release(3)
        first = camera.read(5.0)
        wait_until(lambda: reader.shown[-1] == 3)
        real = time.time_ns
        monkeypatch.setattr("mar_edge.streaming.capture.camera.time.time_ns", lambda: real() - 3600 * NS)
        reader.release(3)
        wait_until(lambda: reader.shown[-1] == 6)
        last = camera.read(1.0)
        assert (camera.clock_jumps, last.segment) == (1, first.segment + 1)
        assert 0 < last.media_s - first.media_s < 60
        assert last.t_capture_ns < first.t_capture_ns
        reader.release(100)


def test_frames_of_a_recording_that_cannot_be_decoded_are_skipped_and_counted() -> None:
    class Broken(FakeReader):
        def retrieve(self) -> NDArray[np.uint8]:
            if self._index in {0, 1, 5}:
                raise MarEdgeError("a frame is (H, W, 3) uint8, this one is float32")
            return super().retrieve()

    reader = Broken(recorded=True, frames=8)
    with camera_of(reader) as camera:
        camera.start()
        assert [read_number(frame.image) for frame in drain(camera)] == [2, 3, 4, 6, 7]
        assert (camera.corrupt, camera.end_reason) == (3, "end of file")
        assert str(camera.last_error).startswith("a frame is")
    assert reader.closed.is_set()


def test_a_recording_without_a_decodable_frame_is_refused_with_the_reason() -> None:
    class Broken(FakeReader):
        def retrieve(self) -> NDArray[np.uint8]:
            raise MarEdgeError("a picture cannot be decoded")

    with (
        pytest.raises(MarEdgeError, match="sends no frame that can be decoded"),
        camera_of(Broken(recorded=True, frames=8)),
    ):
        pass


def test_a_bug_on_the_capture_thread_is_raised_where_frames_are_read() -> None:
    class Buggy(FakeReader):
        def media_s(self) -> float:
            raise ZeroDivisionError

    with camera_of(Buggy(recorded=True)) as camera:
        camera.start()
        with pytest.raises(ZeroDivisionError):
            drain(camera)


def test_errors_on_opening_are_raised_on_entering() -> None:
    with pytest.raises(MarEdgeError, match="no such video file"), Camera("/nowhere/v.mp4"):
        pass
    with pytest.raises(MarEdgeError, match="sends no frame"), camera_of(FakeReader(recorded=True, frames=0)):
        pass


def test_opening_that_hangs_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mar_edge.streaming.capture.camera.OPEN_SLACK_S", 0.1)
    never = threading.Event()

    def hang(*_: object) -> Reader:
        never.wait(20)
        raise MarEdgeError("late")

    with pytest.raises(MarEdgeError, match="did not open"), Camera("demo:", open_timeout_s=0.1, opener=hang):
        pass
    never.set()


@pytest.mark.parametrize("moment", ["before start", "while waiting for a reader", "while paced"])
def test_a_camera_closes_from_any_state(moment: str) -> None:
    reader = FakeReader(recorded=True, fps=0.01 if moment == "while paced" else 30.0)
    with camera_of(reader, realtime=moment != "while waiting for a reader") as camera:
        if moment != "before start":
            camera.start()
            wait_until(lambda: camera.frames)
    assert reader.closed.wait(5)
    assert camera.end_reason == "stopped"


STALLED = """
import sys
from mar_edge.streaming.capture.camera import Camera
with Camera(sys.argv[1]) as camera:
    camera.start()
    print(camera.read(5.0) is not None, flush=True)
"""


def mjpeg_server(handle: Callable[[socket.socket], None]) -> socket.socket:
    """Serves the first picture of an MJPEG stream, then does ``handle``."""
    import cv2

    jpeg = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
    part = b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg)
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        client, _ = server.accept()
        client.recv(4096)
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n" + part * 300)
        handle(client)

    threading.Thread(target=run, daemon=True).start()
    return server


def test_a_read_that_hangs_does_not_hang_the_process() -> None:
    release = threading.Event()
    with mjpeg_server(lambda _client: release.wait(60) and None) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/cam"
        done = subprocess.run(
            [sys.executable, "-c", STALLED, url], capture_output=True, text=True, timeout=30, check=False
        )
    release.set()
    assert done.stdout.strip() in {"True", "False"}, done.stderr
    assert (done.returncode, done.stderr) == (0, "")
