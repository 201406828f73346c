"""The video that annotations lie beside: what annotation programs want to be told of it."""

from __future__ import annotations

import mimetypes
import os
from dataclasses import dataclass
from pathlib import Path

from edge.errors import MarEdgeError


@dataclass(frozen=True)
class Media:
    """A video file. path: absolute. relative: from the folder of the annotation file. length_s: duration in seconds."""

    path: Path
    relative: Path
    mime_type: str
    fps: float
    length_s: float


def probe(path: Path, beside: Path) -> Media:
    """Look at a video file. ``beside`` is the folder of the annotation file.

    Raises:
        MarEdgeError: there is none, or it cannot be read as a video.
    """
    import cv2

    if not path.is_file():
        raise MarEdgeError(f"no video at {path}; --media names the file that the annotations lie beside")
    video = cv2.VideoCapture(str(path.absolute()))  # 12:30.mp4 alone would be a protocol
    try:
        fps, frames = video.get(cv2.CAP_PROP_FPS), video.get(cv2.CAP_PROP_FRAME_COUNT)
    finally:
        video.release()
    if not (fps > 0 and frames > 0):
        raise MarEdgeError(f"{path} cannot be read as a video; --media takes what the annotation program plays")
    here = path.absolute()
    mime_type = mimetypes.guess_type(path.name)[0] or "video/mp4"
    return Media(here, Path(os.path.relpath(here, beside.absolute())), mime_type, fps, frames / fps)
