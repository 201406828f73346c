"""The video of annotations: the facts that annotation programs need about it."""

from __future__ import annotations

import mimetypes
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError


@dataclass(frozen=True)
class Media:
    """A video file.

    Attributes:
        path: Absolute path.
        relative: Path from the folder of the annotation file.
        mime_type: MIME type.
        fps: Frames per second.
        length_s: Duration, seconds.
    """

    path: Path
    relative: Path
    mime_type: str
    fps: float
    length_s: float


def probe(path: Path, folder: Path) -> Media:
    """Read the facts about a video file. ``folder`` is that of the annotation file.

    Raises:
        MarEdgeError: there is no such file, or it is not a video.
    """
    import av
    import av.error

    if not path.is_file():
        raise MarEdgeError(f"no video at {path}; --media is the video that the annotations belong to")
    fps = length_s = 0.0
    with suppress(av.error.FFmpegError), av.open(f"file:{path}", metadata_errors="replace") as container:
        length_s = (container.duration or 0) / av.time_base
        fps = max((float(stream.average_rate or 0) for stream in container.streams.video), default=0.0)
    if not (fps > 0 and length_s > 0):
        raise MarEdgeError(f"{path} cannot be read as a video; --media takes a video that the annotation program plays")
    here = path.absolute()
    mime_type = mimetypes.guess_type(path.name)[0] or "video/mp4"
    return Media(here, Path(os.path.relpath(here, folder.absolute())), mime_type, fps, length_s)
