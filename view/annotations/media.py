"""The video that annotations lie beside: what annotation programs want to be told of it."""

from __future__ import annotations

import mimetypes
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError


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
    import av
    import av.error

    if not path.is_file():
        raise MarEdgeError(f"no video at {path}; --media names the file that the annotations lie beside")
    fps = length_s = 0.0
    with suppress(av.error.FFmpegError), av.open(f"file:{path}", metadata_errors="replace") as container:
        length_s = (container.duration or 0) / av.time_base
        fps = max((float(stream.average_rate or 0) for stream in container.streams.video), default=0.0)
    if not (fps > 0 and length_s > 0):
        raise MarEdgeError(f"{path} cannot be read as a video; --media takes what the annotation program plays")
    here = path.absolute()
    mime_type = mimetypes.guess_type(path.name)[0] or "video/mp4"
    return Media(here, Path(os.path.relpath(here, beside.absolute())), mime_type, fps, length_s)
