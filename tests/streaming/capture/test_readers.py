from __future__ import annotations

import http.server
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from streaming_fakes import numbered_image, read_number, write_video

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.readers import open_source, to_bgr
from mar_edge.streaming.capture.sources import parse_source


def not_a_video(tmp_path: Path, what: str) -> str:
    path = tmp_path / "clip.mp4"
    if what == "directory":
        path.mkdir()
    elif what == "text":
        path.write_text("this is not a video\n" * 50)
    elif what == "empty":
        path.touch()
    elif what == "fifo":
        os.mkfifo(path)
    return str(path)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("missing", "no such video file"),
        ("directory", "is a directory"),
        ("text", "not a video"),
        ("empty", "is empty"),
        ("fifo", "not a regular file"),
    ],
)
def test_files_that_are_not_videos_give_one_line(tmp_path: Path, what: str, says: str) -> None:
    path = not_a_video(tmp_path, what)
    with pytest.raises(MarEdgeError, match=says) as raised:
        open_source(parse_source(path))
    assert path in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unknown_camera_index_lists_the_devices() -> None:
    with pytest.raises(MarEdgeError, match=r"no camera with index 93; found: .*/dev/video"):
        open_source(parse_source("93"))


def test_a_camera_by_id_is_resolved_at_each_opening() -> None:
    source = parse_source("/dev/v4l/by-id/usb-nobody-video-index0")
    assert source.kind == "device"
    with pytest.raises(MarEdgeError, match=r"no camera at /dev/v4l/by-id/usb-nobody-video-index0; found: .*/dev/video"):
        open_source(source)


@pytest.mark.skipif(cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER), reason="this OpenCV has GStreamer")
@pytest.mark.parametrize("text", ["videotestsrc ! appsink", "csi://0"])
def test_without_gstreamer_the_error_says_how_to_get_it(text: str) -> None:
    with pytest.raises(MarEdgeError, match="built without GStreamer"):
        open_source(parse_source(text))


def test_a_url_without_a_server_is_an_error(free_port: int) -> None:
    with pytest.raises(MarEdgeError, match="no video stream at this address") as raised:
        open_source(parse_source(f"http://me:secret@127.0.0.1:{free_port}/x"))
    assert "secret" not in str(raised.value)


def test_a_url_that_accepts_and_never_responds_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(MarEdgeError, match="no video stream at this address"):
            open_source(parse_source(f"http://127.0.0.1:{port}/x"), timeout_s=0.5)


def test_opencv_writes_nothing_to_standard_error(tmp_path: Path, free_port: int) -> None:
    text = not_a_video(tmp_path, "text")
    program = (
        "import sys\n"
        "from mar_edge.edge.errors import MarEdgeError\n"
        "from mar_edge.streaming.capture.readers import open_source\n"
        "from mar_edge.streaming.capture.sources import parse_source\n"
        "for text in sys.argv[1:]:\n"
        "    try: open_source(parse_source(text))\n"
        "    except MarEdgeError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, text, "93", f"rtsp://127.0.0.1:{free_port}/x"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize(("fourcc", "suffix"), [("mp4v", "mp4"), ("MJPG", "avi")])
@pytest.mark.parametrize("fps", [15.0, 29.97, 60.0])
def test_every_frame_of_a_file_has_its_time(tmp_path: Path, fourcc: str, suffix: str, fps: float) -> None:
    reader = open_source(parse_source(str(write_video(tmp_path / f"v.{suffix}", 20, fps, fourcc))))
    seen = []
    while reader.grab():
        seen.append((read_number(reader.retrieve()), reader.media_s()))
    assert reader.recorded
    assert [number for number, _ in seen] == list(range(20))
    assert [t for _, t in seen] == pytest.approx([i / fps for i in range(20)], abs=0.002)
    assert reader.end_reason() == "end of file"
    reader.close()


def test_a_truncated_file_is_reported(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "v.avi", 60, 30.0, "MJPG")
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    reader = open_source(parse_source(str(cut)))
    while reader.grab():
        pass
    assert "damaged or truncated" in reader.end_reason()
    reader.close()


def test_a_file_behind_http_is_paced_like_a_file(tmp_path: Path) -> None:
    write_video(tmp_path / "v.avi", 10, 30.0, "MJPG")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        reader = open_source(parse_source(f"http://127.0.0.1:{server.server_port}/v.avi"))
        assert reader.recorded
        assert reader.grab()
        assert read_number(reader.retrieve()) == 0
        reader.close()
        server.shutdown()


def test_the_demo_plays_to_its_end() -> None:
    pytest.importorskip("matplotlib", reason="the demo's portrait comes with matplotlib")
    reader = open_source(parse_source("demo:"))
    assert reader.grab()
    assert reader.retrieve().shape[2] == 3
    assert reader.media_s() == 0.0
    assert reader.grab()
    assert reader.media_s() == pytest.approx(1 / (reader.fps or 0))


def test_frames_are_validated_and_converted_to_bgr() -> None:
    image = numbered_image(5)
    assert to_bgr(image) is image
    assert to_bgr(image[:, :, 0]).shape == image.shape
    assert to_bgr(image[:, :, :1]).shape == image.shape
    assert to_bgr(np.dstack([image, image[:, :, 0]])).shape == image.shape
    for wrong in (None, image.astype(np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(MarEdgeError, match="a frame must be"):
            to_bgr(wrong)
