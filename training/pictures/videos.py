"""Frames of a video file, decoded as ``serve`` decodes them. Knows nothing of clips, labels and networks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.av_reader import AvReader
from mar_edge.streaming.capture.readers import OPEN_TIMEOUT_S
from mar_edge.streaming.capture.sources import READ_TIMEOUT_S, Source


def count_frames(path: Path) -> int:
    """Return the number of frames that a video holds, without decoding them.

    Raises:
        MarEdgeError: it is not a video with at least one frame.
    """
    with closing(_reader(path)) as reader:
        frames = reader.count()
    if not frames:
        raise MarEdgeError(f"cannot open {path}: it holds no frame")
    return frames


def read_frames(path: Path, indices: Iterable[int]) -> dict[int, NDArray[np.uint8]]:
    """Return frames of a video by number, (H, W, 3) RGB each, as a player shows them.

    The next frame replaces one that cannot be decoded, the last one those after the end.

    Raises:
        MarEdgeError: it is not a video, or none of these frames can be decoded.
    """
    wanted = deque(sorted(set(indices)))
    frames: dict[int, NDArray[np.uint8]] = {}
    picture: NDArray[np.uint8] | None = None
    number = 0
    with closing(_reader(path)) as reader:
        while wanted and reader.grab():
            if number >= wanted[0]:
                try:
                    picture = np.asarray(cv2.cvtColor(reader.retrieve(), cv2.COLOR_BGR2RGB), np.uint8)
                except MarEdgeError:  # damaged
                    pass
                else:
                    while wanted and wanted[0] <= number:
                        frames[wanted.popleft()] = picture
            number += 1
    if picture is None:
        raise MarEdgeError(f"none of the wanted frames of {path} can be decoded")
    return frames | dict.fromkeys(wanted, picture)


def _reader(path: Path) -> AvReader:
    return AvReader(Source("file", str(path), str(path)), OPEN_TIMEOUT_S, READ_TIMEOUT_S)
