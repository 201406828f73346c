from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.errors import MarEdgeError
from streaming.capture_modes import CaptureMode, csi_pipeline
from streaming.sources import parse_source


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("0", "device", "0"),
        (" 07 ", "device", "7"),
        ("/dev/video2", "device", "/dev/video2"),
        ("/dev/v4l/by-id/usb-Webcam_C920-video-index0", "device", "/dev/v4l/by-id/usb-Webcam_C920-video-index0"),
        ("rtsp://10.0.0.1/stream", "url", "rtsp://10.0.0.1/stream"),
        ("demo:", "demo", "demo:"),
        ("videotestsrc ! appsink", "pipeline", "videotestsrc ! appsink"),
        ("csi://1", "pipeline", csi_pipeline(1, CaptureMode())),
    ],
)
def test_what_a_source_string_means(text: str, kind: str, target: str) -> None:
    source = parse_source(text)
    assert (source.kind, source.target) == (kind, target)


def test_a_link_to_a_device_is_that_device(tmp_path: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to("/dev/video3")
    assert parse_source(str(link)).target == "/dev/video3"


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("rtsp://me:se%40cret@cam.local:554/a/b?token=se%40cret", "rtsp://cam.local:554/a/b"),
        ("http://se@cret:x@[fe80::1]/v", "http://[fe80::1]/v"),
        ("rtspsrc location=rtsp://me:secret@cam/x?k=secret ! appsink", "rtspsrc location=rtsp://cam/x ! appsink"),
        ("rtspsrc user-id=me user-pw=secret ! appsink", "rtspsrc user-id=*** user-pw=*** ! appsink"),
    ],
)
def test_credentials_are_opened_with_but_never_shown(text: str, description: str) -> None:
    source = parse_source(text)
    assert source.target == text
    assert source.description == description


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no camera named"),
        ("ftp://somewhere/clip.mp4", "unknown kind of URL"),
        ("rtsp://", "names no host"),
        ("rtsp://me:secret@cam:99999/x", "not a URL: rtsp://cam"),
        ("http://[::1/x", "not a URL"),
        ("csi://front", "csi://0"),
        ("file://a\0b", "control characters"),
        ("two\nlines", "control characters"),
        ("x" * 5000, "cannot read"),
        ("x" * 200_000, "letters long"),
    ],
)
def test_strings_that_mean_nothing(text: str, says: str) -> None:
    with pytest.raises(MarEdgeError, match=says) as raised:
        parse_source(text)
    assert "secret" not in str(raised.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(MarEdgeError, match=r"cannot read .*Permission denied"):
        parse_source(str(path))
