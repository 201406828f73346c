"""Capture modes of cameras: the options, and the GStreamer pipelines made from them. Opens nothing.

The pipelines follow NVIDIA's Jetson guide and GStreamer's documentation. Each ends in an ``appsink`` that holds one
buffer, so that frames do not queue up unread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.choices import RtspTransport

_SINK = "videoconvert ! video/x-raw, format=(string)BGR ! appsink drop=true max-buffers=1 sync=false"
_CSI_SIZE, _CSI_FPS = (1280, 720), 30.0
_LARGEST_SIDE = 16384


@dataclass(frozen=True)
class CaptureMode:
    """Requested mode of a camera; None leaves a value to the camera (CSI: 1280x720 at 30 frames per second).

    Attributes:
        size: Width and height, px.
        fps: Frames per second.
        pixel_format: V4L2's code of four letters, such as ``MJPG``.
        rtsp_transport: Transport of an RTSP camera; TCP loses no packets.
        gstreamer: Open devices and RTSP URLs with GStreamer (``v4l2_pipeline``, ``rtsp_pipeline``).

    Raises:
        MarEdgeError: a value is out of range.
    """

    size: tuple[int, int] | None = None
    fps: float | None = None
    pixel_format: str | None = None
    rtsp_transport: RtspTransport = "tcp"
    gstreamer: bool = False

    def __post_init__(self) -> None:
        if self.size is not None and not all(1 <= side <= _LARGEST_SIDE for side in self.size):
            raise MarEdgeError(f"--size: width and height are 1 to {_LARGEST_SIDE} pixels, not {self.size}")
        if self.fps is not None and not 1.0 <= self.fps <= 240.0:
            raise MarEdgeError(f"--fps is 1 to 240 frames per second, not {self.fps}")
        if self.pixel_format is not None and not re.fullmatch(r"[A-Z0-9]{4}", self.pixel_format):
            raise MarEdgeError(f"--pixel-format is four letters such as MJPG or YUYV, not '{self.pixel_format}'")


def parse_size(text: str) -> tuple[int, int]:
    """Parse a size: ``1280x720`` -> (1280, 720).

    Raises:
        MarEdgeError: it has another form.
    """
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text.strip())
    if match is None:
        raise MarEdgeError(f"--size is WIDTHxHEIGHT, such as 1280x720, not '{text}'")
    return int(match[1]), int(match[2])


def csi_pipeline(sensor: int, mode: CaptureMode) -> str:
    """Return the pipeline of a CSI camera on Jetson, by sensor id."""
    W, H = mode.size or _CSI_SIZE
    fps = mode.fps or _CSI_FPS
    return (
        f"nvarguscamerasrc sensor-id={sensor} ! video/x-raw(memory:NVMM), width=(int){W}, height=(int){H}, "
        f"format=(string)NV12, framerate=(fraction){_fraction(fps)} ! nvvidconv ! "
        f"video/x-raw, format=(string)BGRx ! {_SINK}"
    )


def v4l2_pipeline(device: str, mode: CaptureMode) -> str:
    """Return the pipeline of a V4L2 device, such as ``/dev/video0``. MJPG is decoded, other formats are converted."""
    caps = "image/jpeg" if mode.pixel_format == "MJPG" else "video/x-raw"
    if mode.pixel_format not in (None, "MJPG"):
        caps += f", format=(string){_GSTREAMER_NAMES.get(mode.pixel_format, mode.pixel_format)}"
    if mode.size is not None:
        caps += f", width=(int){mode.size[0]}, height=(int){mode.size[1]}"
    if mode.fps is not None:
        caps += f", framerate=(fraction){_fraction(mode.fps)}"
    decode = "jpegdec ! " if mode.pixel_format == "MJPG" else ""
    return f"v4l2src device={device} ! {caps} ! {decode}{_SINK}"


def rtsp_pipeline(url: str, mode: CaptureMode, timeout_s: float) -> str:
    """Return the pipeline of an RTSP camera. GStreamer chooses the decoder: on Jetson, the hardware.

    Raises:
        MarEdgeError: the URL holds characters that a pipeline cannot.
    """
    timeout_us = round(timeout_s * 1e6)
    if '"' in url or "\\" in url:
        raise MarEdgeError("an RTSP URL for GStreamer must not hold quotes or backslashes; write them as %22 and %5C")
    return (
        f'rtspsrc location="{url}" protocols={mode.rtsp_transport} latency=100 tcp-timeout={timeout_us} '
        f"timeout={timeout_us} ! decodebin ! {_SINK}"
    )


def ffmpeg_options(mode: CaptureMode) -> dict[str, str]:
    """Return the options of FFmpeg for an RTSP camera."""
    return {"rtsp_transport": mode.rtsp_transport}


_GSTREAMER_NAMES = {"YUYV": "YUY2", "GREY": "GRAY8"}


def _fraction(fps: float) -> str:
    return f"{fps:.0f}/1" if fps == round(fps) else f"{round(fps * 1000)}/1000"
