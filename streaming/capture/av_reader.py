"""Video files and network streams, decoded by PyAV (FFmpeg). Knows no local cameras and no pacing.

FFmpeg gives each picture its own size, pixel format and orientation, and each is converted accordingly. So a camera
may change any of them while it streams.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, pairwise, repeat

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.capture_modes import ffmpeg_options
from mar_edge.streaming.capture.pacing import MediaClock
from mar_edge.streaming.capture.sources import Source

# Limit for one picture. A stream that declares a larger one is refused before memory is allocated.
MOST_PIXELS = 1 << 26
# A complete file may be this much shorter than its container says, since containers round.
_SLACK_S, _SLACK = 0.2, 0.05
# Text formats, which FFmpeg would render.
_TEXT_FORMATS = {"tty", "bin", "xbin", "adf", "idf"}
# The pose networks were measured with this color space; what a stream declares is ignored.
_COLORSPACE = Colorspace.ITU601

_Picture = VideoFrame | str
"""A picture, or the reason why it cannot be decoded."""


class AvReader:
    """A file or a network stream (see ``Reader``).

    Args:
        source: A file or a URL.
        timeout_s: Seconds that a network source may take to respond.
        read_timeout_s: Seconds that each read may take. The stream ends if one takes longer.

    Raises:
        MarEdgeError: it cannot be opened, or holds no video.
    """

    def __init__(self, source: Source, timeout_s: float, read_timeout_s: float) -> None:
        self._source = source
        self._container = _open(source, timeout_s, read_timeout_s)
        stream = self._container.streams.best("video")
        if (
            not isinstance(stream, av.VideoStream)
            or stream.codec_context is None
            or self._container.format.name in _TEXT_FORMATS
        ):
            self._container.close()
            raise MarEdgeError(f"cannot open {source.description}: it holds no video that FFmpeg can decode")
        self._stream = stream
        stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
        stated = float(stream.average_rate or 0)
        self.fps: float | None = stated if 1.0 <= stated <= 240.0 else None
        # A finite file behind http:// arrives as fast as the network allows: it is a recording, like a file on disk.
        finite = source.target.lower().startswith("http") and bool(self._container.duration)
        self.recorded = source.kind == "file" or finite
        self._zero_s = (self._container.start_time or 0) / av.time_base
        self._clock = MediaClock(stated)
        self._reformatter = VideoReformatter()
        pictures = self._decoded()
        # A recording is read one picture ahead, since the clock needs the next timestamp.
        self._pairs: Iterator[tuple[_Picture | None, _Picture | None]] = (
            pairwise(chain(pictures, (None,))) if self.recorded else zip(pictures, repeat(None), strict=False)
        )
        self._picture: _Picture | None = None
        self._media_s = 0.0
        self._undecodable = 0
        self._end_s = 0.0
        self._failure = ""

    @property
    def segment(self) -> int:
        """Segments before that of the grabbed picture (see ``Reader``)."""
        return self._clock.segment

    def grab(self) -> bool:
        """Move to the next picture (see ``Reader``)."""
        self._picture, following = next(self._pairs, (None, None))
        if self._picture is None:
            return False
        if self.recorded and isinstance(self._picture, VideoFrame):
            self._media_s = self._clock.next(self._stamp_s(self._picture), self._stamp_s(following))
        return True

    def media_s(self) -> float:
        """Return the media time of the grabbed picture (see ``Reader``)."""
        return self._media_s

    def retrieve(self) -> NDArray[np.uint8]:
        """Return the grabbed picture (see ``Reader``)."""
        picture = self._picture
        if not isinstance(picture, VideoFrame):
            raise MarEdgeError(f"a picture of {self._source.description} cannot be decoded: {picture}")
        try:
            converted = self._reformatter.reformat(
                picture, format="bgr24", src_colorspace=_COLORSPACE, dst_colorspace=_COLORSPACE
            )
            bgr = np.asarray(converted.to_ndarray(), np.uint8)
        except (av.error.FFmpegError, ValueError) as error:
            raise MarEdgeError(f"a picture of {self._source.description} cannot be converted: {error}") from None
        matrix = picture.side_data.get("DISPLAYMATRIX")
        if isinstance(matrix, SideData):
            bgr = rotated(bgr, np.frombuffer(bytes(matrix), np.int32, 9).reshape(3, 3))
        return np.ascontiguousarray(bgr, np.uint8)

    def end_reason(self) -> str:
        """Return why there are no more pictures, and what could not be read (see ``Reader``)."""
        if not self.recorded:
            return f"{self._source.description} sends no more frames{self._failure}"
        faults = []
        stream = self._stream
        if stream.duration is not None and stream.time_base is not None:
            end_s = float((stream.start_time or 0) + stream.duration) * float(stream.time_base) - self._zero_s
            if end_s - self._end_s > max(_SLACK_S, _SLACK * end_s):
                faults.append(f"damaged or truncated: {max(self._end_s, 0.0):.1f} of {end_s:.1f} s could be read")
        if self._undecodable:
            pictures = "1 picture" if self._undecodable == 1 else f"{self._undecodable} pictures"
            faults.append(f"{pictures} could not be decoded")
        return f"end of file ({'; '.join(faults)})" if faults else "end of file"

    def count(self) -> int:
        """Return the number of pictures from here to the end. They are then read, and ``grab`` finds no more."""
        count = 0
        with suppress(av.error.FFmpegError, IndexError):
            for packet in self._container.demux(self._stream):
                count += packet.size > 0
        return count

    def close(self) -> None:
        """Close the file or connection."""
        self._container.close()

    def _decoded(self) -> Iterator[_Picture]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    pictures = packet.decode()
                except av.error.EOFError:
                    return
                except av.error.FFmpegError as error:
                    self._undecodable += 1
                    yield error.strerror or "damaged"
                    continue
                if packet.pts is not None:
                    end = float((packet.pts + (packet.duration or 0)) * packet.time_base) - self._zero_s
                    self._end_s = max(self._end_s, end)
                for picture in pictures:
                    self._undecodable += picture.is_corrupt
                    yield "damaged" if picture.is_corrupt else picture
        except av.error.FFmpegError as error:
            self._failure = f": {error.strerror}"
        except IndexError:  # PyAV raises it at the end of a container to which a stream was added midway
            return

    def _stamp_s(self, picture: _Picture | None) -> float | None:
        """Return when a player shows a picture: seconds from the start of the file, with audio; None if unknown."""
        if not isinstance(picture, VideoFrame) or picture.pts is None or picture.time_base is None:
            return None
        return float(picture.pts * picture.time_base) - self._zero_s


def rotated(image: NDArray[np.uint8], matrix: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Rotate or mirror a picture (H, W, 3) as a player does.

    Args:
        image: The decoded picture.
        matrix: (3, 3) display matrix with rows (a, b, u), (c, d, v): x' = a x + c y, y' = b x + d y (ISO/IEC 14496-12).
            Angles other than quarter turns are rounded to the nearest.
    """
    (a, b), (c, d) = matrix[:2, :2].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):  # x and y change places
        image, a, d = image.transpose(1, 0, 2), c, b
    return image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


def _open(source: Source, timeout_s: float, read_timeout_s: float) -> InputContainer:
    options = {"max_pixels": str(MOST_PIXELS)}
    if source.target.lower().startswith("rtsp"):
        options |= ffmpeg_options(source.mode)
    # "12:30.mp4" is a file name, not a URL.
    target = f"file:{source.target}" if source.kind == "file" else source.target
    try:
        return av.open(target, options=options, timeout=(timeout_s, read_timeout_s), metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        why = error.strerror if isinstance(error, av.error.FFmpegError) else str(error)
        if source.kind == "file":
            hint = f"not a video that FFmpeg can read ({why})"
        else:
            hint = f"no video stream at this address ({why}); check address, credentials and that the camera is on"
        raise MarEdgeError(f"cannot open {source.description}: {hint}") from None
