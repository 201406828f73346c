"""Camera pictures for the page (``--show-video``): the newest of each stream, reduced, as JPEG, at a limited rate.

Encoding runs on its own thread, so that the loop of a stream only hands its frame over.
"""

from __future__ import annotations

import threading

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from mar_edge.streaming.capture.frames import Frame
from mar_edge.view.feed import Feed

PERIOD_S = 1.0 / 12.0
LONG_SIDE = 960
_QUALITY = 70


class PictureHeader(msgspec.Struct, frozen=True):
    """The JSON line before the JPEG.

    Attributes:
        stream: Name of the stream.
        frame: Number of the frame in its source.
        t_capture_ns: Capture time, ns since 1970.
        width: Width of the frame, px of the camera, the unit of joints.
        height: Height of the frame, px.
    """

    stream: str
    frame: int
    t_capture_ns: int
    width: int
    height: int


class PictureEncoder:
    """Encodes frames while a browser is connected. A context manager; any thread may call ``offer``."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._changed = threading.Condition()
        self._newest: dict[str, Frame] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)

    def offer(self, stream: str, frame: Frame) -> None:
        """Hand over a frame. It replaces an older one of its stream that is not encoded yet."""
        if frame.image.size and self._feed.browsers:
            with self._changed:
                self._newest[stream] = frame
                self._changed.notify()

    def _run(self) -> None:
        while not self._stop.wait(PERIOD_S):
            with self._changed:
                while not self._newest and not self._stop.is_set():
                    self._changed.wait()
                frames, self._newest = self._newest, {}
            for stream, frame in frames.items():
                self._feed.publish_picture(stream, encode_picture(stream, frame))

    def __enter__(self) -> PictureEncoder:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        with self._changed:
            self._changed.notify()
        self._thread.join()


def encode_picture(stream: str, frame: Frame) -> bytes:
    """Return a line of JSON (``PictureHeader``) and the JPEG."""
    height, width = frame.image.shape[:2]
    header = PictureHeader(stream, frame.seq, frame.t_capture_ns, width, height)
    return msgspec.json.encode(header) + b"\n" + _jpeg(frame.image)


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    scale = LONG_SIDE / max(image.shape[:2])
    if scale < 1.0:
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return encoded.tobytes()
