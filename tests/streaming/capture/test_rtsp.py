"""Cameras over real RTSP: GStreamer's server, PyAV's FFmpeg or OpenCV's GStreamer, and reconnection."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import cv2
import pytest
from rtsp_camera import RtspCamera, skip_unless_installed
from streaming_fakes import open_files, wait_until

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.backoff import Backoff
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.capture.capture_modes import CaptureMode

QUICK = Backoff(first_s=0.1, most_s=0.5)


@pytest.fixture
def server() -> Iterator[RtspCamera]:
    skip_unless_installed()
    with RtspCamera() as camera:
        yield camera


@pytest.fixture(params=["tcp", "udp", "tcp GStreamer", "udp GStreamer"])
def mode(request: pytest.FixtureRequest) -> CaptureMode:
    transport, _, through = request.param.partition(" ")
    if through and not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        pytest.skip("this OpenCV has no GStreamer")
    return CaptureMode(rtsp_transport=transport, gstreamer=bool(through))


@pytest.mark.slow
def test_an_rtsp_camera_gives_pictures(mode: CaptureMode, server: RtspCamera) -> None:
    url = server.url.replace("//", "//me:secret@")
    with Camera(url, mode=mode) as camera:
        camera.start()
        seen = []

        def enough() -> bool:
            frame = camera.read(0.1)
            if frame is not None:
                seen.append(frame)
            return len(seen) >= 15

        wait_until(enough, timeout_s=60)
        assert camera.size == (320, 240)
        assert {frame.image.shape for frame in seen} == {(240, 320, 3)}
        assert len({frame.image.tobytes() for frame in seen}) > 10  # the ball moves
        assert all(before.media_s < after.media_s for before, after in pairwise(seen))
        assert (camera.connections, camera.stalls) == (1, 0)
        assert "secret" not in camera.source.description


@pytest.mark.parametrize("times", [1, pytest.param(4, marks=pytest.mark.soak)])
def test_a_camera_that_is_restarted_becomes_live_again(mode: CaptureMode, server: RtspCamera, times: int) -> None:
    files, segment = 0, -1
    with Camera(server.url, mode=mode, backoff=QUICK, stall_s=2.0) as camera:
        camera.start()

        def anew() -> bool:
            frame = camera.read(0.1)
            return frame is not None and frame.segment > segment

        for _ in range(times):
            wait_until(anew, timeout_s=60)
            files = files or open_files()
            server.kill()
            wait_until(lambda: camera.state in {"lost", "stalled"}, timeout_s=60)
            assert "127.0.0.1" in str(camera.last_error)
            segment = camera.segment - 1  # the segment when the camera was lost
            server = RtspCamera(server.port)
        wait_until(anew, timeout_s=60)
        wait_until(lambda: open_files() <= files + 4, timeout_s=30)
    server.kill()


def test_a_camera_that_freezes_is_stalled_until_it_continues(mode: CaptureMode, server: RtspCamera) -> None:
    with Camera(server.url, mode=mode, backoff=QUICK, stall_s=1.0) as camera:
        camera.start()
        wait_until(lambda: camera.read(0.1), timeout_s=60)
        server.freeze()
        wait_until(lambda: camera.stalls == 1, timeout_s=60)
        assert "sent no frame for 1 s" in str(camera.last_error)
        server.thaw()
        wait_until(lambda: camera.state == "live" and camera.read(0.1), timeout_s=60)
        assert camera.end_reason is None


def test_an_unknown_path_of_a_camera_is_an_error(server: RtspCamera) -> None:
    with pytest.raises(MarEdgeError, match="no video stream at this address"), Camera(f"{server.url}2"):
        pass
