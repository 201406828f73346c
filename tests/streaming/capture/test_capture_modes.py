from __future__ import annotations

from typing import Any

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.capture_modes import (
    CaptureMode,
    csi_pipeline,
    ffmpeg_options,
    parse_size,
    rtsp_pipeline,
    v4l2_pipeline,
)
from mar_edge.streaming.capture.sources import parse_source


def test_csi_uses_the_pipeline_of_nvidias_guide_in_the_requested_mode() -> None:
    assert csi_pipeline(1, CaptureMode()) == (
        "nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM), width=(int)1280, height=(int)720, "
        "format=(string)NV12, framerate=(fraction)30/1 ! nvvidconv ! video/x-raw, format=(string)BGRx ! "
        "videoconvert ! video/x-raw, format=(string)BGR ! appsink drop=true max-buffers=1 sync=false"
    )
    asked = csi_pipeline(0, CaptureMode(size=(1920, 1080), fps=59.94))
    assert "width=(int)1920, height=(int)1080" in asked
    assert "framerate=(fraction)59940/1000" in asked


@pytest.mark.parametrize(
    ("mode", "starts"),
    [
        (CaptureMode(), "v4l2src device=/dev/video0 ! video/x-raw ! videoconvert"),
        (
            CaptureMode(size=(1280, 720), fps=30.0, pixel_format="MJPG"),
            "v4l2src device=/dev/video0 ! image/jpeg, width=(int)1280, height=(int)720, framerate=(fraction)30/1 ! "
            "jpegdec ! videoconvert",
        ),
        (CaptureMode(pixel_format="YUYV"), "v4l2src device=/dev/video0 ! video/x-raw, format=(string)YUY2 ! video"),
    ],
)
def test_a_device_through_gstreamer(mode: CaptureMode, starts: str) -> None:
    assert v4l2_pipeline("/dev/video0", mode).startswith(starts)


def test_the_mode_changes_the_target_but_never_the_description() -> None:
    through = CaptureMode(gstreamer=True, rtsp_transport="udp")
    rtsp = parse_source("rtsp://me:secret@cam/live?k=secret", through)
    assert (rtsp.kind, rtsp.description) == ("pipeline", "rtsp://cam")
    assert rtsp.target.startswith('rtspsrc location="rtsp://me:secret@cam/live?k=secret" protocols=udp')
    assert parse_source("2", through).target.startswith("v4l2src device=/dev/video2")
    assert parse_source("http://cam/v", through).kind == "url"
    assert parse_source("rtsp://cam/live").kind == "url"
    assert ffmpeg_options(CaptureMode()) == {"rtsp_transport": "tcp"}


def test_a_url_cannot_break_out_of_its_pipeline() -> None:
    with pytest.raises(MarEdgeError, match="must not hold quotes"):
        rtsp_pipeline('rtsp://cam/x" ! filesink location=/etc/passwd', CaptureMode(), 5.0)


@pytest.mark.parametrize(
    "wrong",
    [{"size": (0, 720)}, {"size": (1280, 99999)}, {"fps": 0.0}, {"fps": float("nan")}, {"pixel_format": "mjpg ! x"}],
)
def test_invalid_modes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(MarEdgeError):
        CaptureMode(**wrong)


def test_sizes() -> None:
    assert parse_size("1280x720") == (1280, 720)
    for text in ("", "1280", "1280x", "axb", "1280x720x3", "-1x5"):
        with pytest.raises(MarEdgeError, match="WIDTHxHEIGHT"):
            parse_size(text)
