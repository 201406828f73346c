"""A video whose pictures show their number, and the recording of a figure whose place is that number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
from numpy.typing import NDArray
from view_messages import LAYOUT, ZERO_NS, Stream

from mar_edge.streaming.capture.av_reader import AvReader
from mar_edge.streaming.capture.sources import parse_source
from mar_edge.streaming.wire.encoding import encode

WIDTH, HEIGHT = 640, 480
FPS = 30
BITS, BIT_PX = 8, 60
MARK = 128
# The figure moves so far from picture to picture.
STEP_PX = 9
FIRST_PX = 40


def picture(number: int) -> NDArray[np.uint8]:
    """Return (480, 640, 3): black, the bits of the number at the top in white, from the least, and one that is set."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for bit in range(BITS):
        if (MARK + number) >> bit & 1:
            image[:BIT_PX, bit * BIT_PX : (bit + 1) * BIT_PX] = 255
    return image


def number_of(image: NDArray[np.uint8]) -> int:
    """Return the number that a picture shows."""
    middle = BIT_PX // 2
    return sum(int(image[middle, bit * BIT_PX + middle].mean() > 127) << bit for bit in range(BITS)) - MARK


def write_video(path: Path, pictures: int, codec: str = "libvpx", first: int = 0) -> Path:
    """Write a video at 30 pictures per second; the first one is shown at ``first`` thirtieths of a second."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 2_000_000
        for number in range(pictures):
            frame = av.VideoFrame.from_ndarray(picture(number), "rgb24")
            frame.pts = first + number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _undated(message: Any) -> Any:
    clocks = ("t_capture_ns", "t_publish_ns", "t_zero_ns", "t_start_ns", "t_end_ns")
    times = {name: getattr(message, name, None) for name in clocks}
    return msgspec.structs.replace(message, **{name: t_ns - ZERO_NS for name, t_ns in times.items() if t_ns})


def record_video(video: Path, path: Path) -> Path:
    """Write a recording of a video as mar-edge reads it: a frame for each picture, with a figure at its number.

    The video states no date, so it begins in 1970.
    """
    reader = AvReader(parse_source(str(video)), 10.0, 10.0)
    cam = Stream()
    messages: list[Any] = [msgspec.structs.replace(cam.hello(), source=str(video))]
    frame = 0
    while reader.grab():
        at_s, number = reader.media_s(), number_of(reader.retrieve())
        joints = tuple(
            (FIRST_PX + STEP_PX * number + 1.5 * v, 200.0 + 4 * v) if v < 20 else None for v in range(LAYOUT.num_joints)
        )
        media_ns = round(at_s * 1e9)
        message = msgspec.structs.replace(
            cam.skeleton(at_s), joints=joints, frame=frame, t_media_ns=media_ns, t_capture_ns=ZERO_NS + media_ns
        )
        messages.append(message)
        frame += 1
    reader.close()
    messages += [cam.event(0.8, 1, 0.5), cam.event(1.5, 1, 0.5, 1.2), cam.event(1.9, 2, 1.6, 1.8), cam.end(2.0)]
    path.write_bytes(b"".join(encode(_undated(message)) + b"\n" for message in messages))
    return path
