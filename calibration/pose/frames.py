"""Frames to calibrate on: videos and pictures, as files or in folders. Runs no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.folders import listed
from mar_edge.streaming.capture.readers import open_source
from mar_edge.streaming.capture.sources import parse_source

_SUFFIXES = {".avi", ".bmp", ".jpeg", ".jpg", ".m4v", ".mkv", ".mov", ".mp4", ".png", ".ts", ".webm"}


@dataclass(frozen=True)
class Shot:
    """A frame. image: (H, W, 3) BGR. t_s: seconds from the start of its file. first: whether it is the file's first."""

    image: NDArray[np.uint8]
    t_s: float
    first: bool


def files_in(paths: Sequence[Path]) -> list[Path]:
    """Return the files that are named, and the videos and pictures in folders that are named.

    Raises:
        MarEdgeError: a folder has none.
    """
    files = []
    for path in paths:
        found = [path]
        if path.is_dir():
            found = [one for one in listed(path) if one.suffix.lower() in _SUFFIXES]
        if not found:
            raise MarEdgeError(f"{path} has no video and no picture; expected files such as .mp4, .mkv, .png or .jpg")
        files += found
    return files


def shots(files: Sequence[Path], most: int) -> Iterator[Shot]:
    """Yield ``most`` frames at most, in order, as many of each file as of any other if they are long enough.

    Raises:
        MarEdgeError: a file cannot be read.
    """
    left = most
    for index, file in enumerate(files):
        share = -(-left // (len(files) - index))
        reader = open_source(parse_source(str(file)))
        try:
            taken = 0
            while taken < share and reader.grab():
                yield Shot(reader.retrieve(), reader.media_s(), taken == 0)
                taken += 1
        finally:
            reader.close()
        left -= taken
