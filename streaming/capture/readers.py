"""Readers of open sources. ``av_reader`` reads files and network streams; OpenCV reads local cameras and GStreamer.

Knows nothing of threads, pacing and dropped frames (``streaming.capture.camera``), nor of the syntax of sources
(``streaming.capture.sources``).
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.av_reader import AvReader
from mar_edge.streaming.capture.sources import READ_TIMEOUT_S, VIDEO_NODE, Source

OPEN_TIMEOUT_S = 10.0
_GSTREAMER_HINT = (
    "this OpenCV was built without GStreamer, as all pip wheels are. Use an OpenCV with it (JetPack's own, or Debian's "
    "python3-opencv), or give the camera as an index, file or URL"
)


class Reader(Protocol):
    """An open source. Used from one thread."""

    recorded: bool
    """Whether it has an end and its own clock. Otherwise it is live, and frames come at any time."""

    fps: float | None
    """Frames per second according to the source; None if it gives none."""

    @property
    def segment(self) -> int:
        """Number of segments before that of the grabbed frame; recorded sources only."""
        ...

    def grab(self) -> bool:
        """Move to the next frame; return False if there is none."""
        ...

    def media_s(self) -> float:
        """Return when a player shows the grabbed frame: seconds, strictly increasing; recorded sources only."""
        ...

    def retrieve(self) -> NDArray[np.uint8]:
        """Return the grabbed frame, (H, W, 3) BGR uint8; the array is not reused.

        Raises:
            MarEdgeError: it cannot be decoded.
        """
        ...

    def end_reason(self) -> str:
        """Return why ``grab`` returned False."""
        ...

    def close(self) -> None:
        """Close the device or file."""
        ...


def open_source(source: Source, timeout_s: float = OPEN_TIMEOUT_S, read_timeout_s: float = READ_TIMEOUT_S) -> Reader:
    """Open a source.

    Args:
        source: Result of ``parse_source``.
        timeout_s: Seconds that a network source may take to respond.
        read_timeout_s: Seconds that it may take for each frame. The source ends if one takes longer.

    Raises:
        MarEdgeError: it cannot be opened; the message gives the reason if it is known.
    """
    if source.kind == "demo":
        return DemoReader()
    if source.kind in ("file", "url"):
        return AvReader(source, timeout_s, read_timeout_s)
    _quiet_opencv()
    return CvReader(_open_capture(source), source)


def to_bgr(image: object) -> NDArray[np.uint8]:
    """Convert a decoded frame, gray, BGR or BGRA, to (H, W, 3) uint8 BGR.

    Raises:
        MarEdgeError: it is none of these.
    """
    if isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.size:
        channels = image.shape[2] if image.ndim == 3 else 1 if image.ndim == 2 else 0
        if channels == 3:
            return image
        if channels in (1, 4):
            code = cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR
            return np.asarray(cv2.cvtColor(image, code), dtype=np.uint8)
    got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
    raise MarEdgeError(f"a frame must be (H, W, 3) uint8, this one is {got}")


class CvReader:
    """A camera of this machine, or a GStreamer pipeline (see ``Reader``)."""

    recorded = False
    segment = 0

    def __init__(self, capture: cv2.VideoCapture, source: Source) -> None:
        self._capture = capture
        self._source = source
        stated = capture.get(cv2.CAP_PROP_FPS)
        self.fps: float | None = stated if 1.0 <= stated <= 240.0 else None

    def grab(self) -> bool:
        """Move to the next frame (see ``Reader``)."""
        try:
            return bool(self._capture.grab())
        except cv2.error:  # some backends throw, others return False
            return False

    def media_s(self) -> float:
        """Raise an error: the source is live and has no media time (see ``Reader``)."""
        raise NotImplementedError

    def retrieve(self) -> NDArray[np.uint8]:
        """Return the grabbed frame (see ``Reader``)."""
        try:
            ok, image = self._capture.retrieve()
        except cv2.error as error:
            raise MarEdgeError(f"a frame of {self._source.description} cannot be decoded: {error.err}") from None
        if not ok:
            raise MarEdgeError(f"a frame of {self._source.description} cannot be decoded")
        return to_bgr(image)

    def end_reason(self) -> str:
        """Return why there are no more frames (see ``Reader``)."""
        return f"{self._source.description} sends no more frames"

    def close(self) -> None:
        """Close the device or pipeline."""
        self._capture.release()


class DemoReader:
    """The built-in animated input (see ``Reader``). Renders only the frames that are retrieved."""

    recorded = True
    segment = 0

    def __init__(self) -> None:
        from mar_edge.streaming.capture.demo import DemoVideo

        self._video = DemoVideo()
        self.fps: float | None = self._video.fps
        self._index = -1

    def grab(self) -> bool:
        """Move to the next frame (see ``Reader``)."""
        if (self._index + 1) / self._video.fps >= self._video.duration_s:
            return False
        self._index += 1
        return True

    def media_s(self) -> float:
        """Return the media time of the grabbed frame (see ``Reader``)."""
        return self._index / self._video.fps

    def retrieve(self) -> NDArray[np.uint8]:
        """Return the grabbed frame (see ``Reader``)."""
        return to_bgr(self._video.frame_at(self.media_s()))

    def end_reason(self) -> str:
        """Return that it ended like a file (see ``Reader``)."""
        return "end of file"

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def _quiet_opencv() -> None:
    """Keep OpenCV from writing to standard error; our errors say the same. OpenCV 5 has moved the call."""
    set_level = getattr(cv2, "setLogLevel", None) or importlib.import_module("cv2.utils.logging").setLogLevel
    set_level(0)


def _open_capture(source: Source) -> cv2.VideoCapture:
    if source.kind == "device":
        return _in_mode(_open_device(source.target), source)
    if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        raise MarEdgeError(f"cannot open {source.description}: {_GSTREAMER_HINT}")
    capture = cv2.VideoCapture(source.target, cv2.CAP_GSTREAMER)
    if not capture.isOpened():
        capture.release()
        raise MarEdgeError(
            f"cannot open {source.description}: GStreamer does not start this pipeline; test it with gst-launch-1.0 "
            "(it must end in appsink)"
        )
    return capture


def _in_mode(capture: cv2.VideoCapture, source: Source) -> cv2.VideoCapture:
    """Request the mode, and check the result: drivers choose the nearest mode without an error."""
    mode = source.mode
    if mode.pixel_format is not None:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*mode.pixel_format))
    if mode.size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, mode.size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, mode.size[1])
    if mode.fps is not None:
        capture.set(cv2.CAP_PROP_FPS, mode.fps)
    got = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    if mode.size is not None and got != mode.size:
        capture.release()
        raise MarEdgeError(
            f"{source.description} has no mode of {mode.size[0]}x{mode.size[1]}; the nearest is {got[0]}x{got[1]}; "
            "'v4l2-ctl --list-formats-ext' lists them"
        )
    return capture


def _open_device(target: str) -> cv2.VideoCapture:
    found = sorted(str(path) for path in Path("/dev").glob("video*"))
    if target.isdigit():
        index = int(target)
    elif named := VIDEO_NODE.fullmatch(os.path.realpath(target)):
        index = int(named[1])
    else:
        raise MarEdgeError(f"no camera at {target}; found: {', '.join(found) or 'no /dev/video* at all'}")
    capture = cv2.VideoCapture(index)
    if capture.isOpened():
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # queued frames would be old
        return capture
    capture.release()
    node = Path(f"/dev/video{index}")
    if not node.exists():
        raise MarEdgeError(f"no camera with index {index}; found: {', '.join(found) or 'no /dev/video* at all'}")
    if not os.access(node, os.R_OK | os.W_OK):
        raise MarEdgeError(f"no permission for {node}; add yourself to its group: sudo usermod -aG video $USER")
    raise MarEdgeError(f"{node} gives no video; it may be in use, or not a capture device; found: {', '.join(found)}")
