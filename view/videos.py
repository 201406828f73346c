"""The videos of recordings: which file belongs to which recording, and when its first picture is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.folders import listed
from mar_edge.streaming.capture.av_reader import AvReader
from mar_edge.streaming.capture.sources import parse_source
from mar_edge.streaming.recording.reader import read_messages
from mar_edge.streaming.wire.messages import HelloMessage

_OPEN_S = 10.0
# Suffixes of video files. Of several videos of one recording, the first kind counts: browsers play that most often.
_SUFFIXES = (
    ".mp4", ".webm", ".m4v", ".mov", ".ogv", ".mkv", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".3gp",
)  # fmt: skip


@dataclass(frozen=True)
class Recorded:
    """Where a recording came from.

    path: its file.
    stream, run: of its messages; "" if its beginning cannot be read. The error is reported when it is opened.
    source: the text of its source: for a video, the path at that time.
    """

    path: Path
    stream: str = ""
    run: str = ""
    source: str = ""

    @classmethod
    def read(cls, path: Path) -> Recorded:
        """Read the first message of a recording."""
        try:
            first = next(read_messages([path]), None)
        except MarEdgeError:
            return cls(path)
        if first is None or not isinstance(first.message, HelloMessage):
            return cls(path)
        hello = first.message
        return cls(path, hello.stream, hello.run, hello.source)

    @property
    def video_name(self) -> str | None:
        """The file name of the video that it was made from; None if it was made from something else."""
        name = PureWindowsPath(self.source).name  # which takes both kinds of slashes
        return name if _is_video(Path(name)) else None

    def owns(self, video: Path) -> bool:
        """Return whether a video has the name of the recording, of its source or of its stream."""
        own = {self.path.stem, self.stream, Path(self.video_name or "").stem}
        return video.stem in own - {""}

    def video_among(self, videos: Iterable[Path]) -> Path | None:
        """Return the video that belongs to the recording by its name; None if there is none."""
        found = sorted((video for video in videos if self.owns(video)), key=_preference)
        return found[0] if found else None


def names_of(recordings: Sequence[Recorded]) -> list[str]:
    """Return the names that people see: that of the video, where only one recording was made from it, else the file."""
    names = [each.video_name or each.path.name for each in recordings]
    return [
        name if names.count(name) == 1 or name == each.path.name else f"{name} · {each.path.name}"
        for name, each in zip(names, recordings, strict=True)
    ]


def videos_of(recordings: Sequence[Recorded], media: Sequence[Path], nearby: bool) -> dict[Path, Path]:
    """Return the video of each recording that has one, by the recording's path.

    Args:
        recordings: the recordings.
        media: videos, and folders of videos. One video of one run needs no matching name.
        nearby: look for videos in the folders of the recordings as well.

    Raises:
        MarEdgeError: there is no such file or folder, or a video belongs to no recording.
    """
    given = [video for path in media for video in _expanded(path)]
    named = {each.path: each.video_among(given) for each in recordings}
    if len(given) == 1 and len({each.run for each in recordings}) == 1:
        named = dict.fromkeys(named, given[0])
    for path in media:
        if path.is_file() and path not in named.values() and not any(each.owns(path) for each in recordings):
            raise MarEdgeError(
                f"--media: no recording belongs to {path}; a video has the file name of its recording, of the video "
                "that was recorded, or of the stream"
            )
    if nearby:
        for each in recordings:
            named[each.path] = named[each.path] or each.video_among(_in_folder(each.path.parent))
    return {path: video for path, video in named.items() if video is not None}


def first_picture_s(video: Path) -> float:
    """Return the media time of the first picture, as it was recorded: seconds from where the file begins, with sound.

    0 if it cannot be read; a browser cannot play it either then.
    """
    try:
        reader = AvReader(parse_source(str(video.absolute())), _OPEN_S, _OPEN_S)
    except MarEdgeError:
        return 0.0
    with closing(reader):
        return reader.media_s() if reader.grab() else 0.0


def _expanded(path: Path) -> list[Path]:
    if path.is_dir():
        if not (found := _in_folder(path)):
            raise MarEdgeError(f"--media: {path} holds no video")
        return found
    if not path.is_file():
        raise MarEdgeError(f"--media: no video at {path}; give the video of a recording, or a folder of videos")
    return [path]


def _in_folder(folder: Path) -> list[Path]:
    return [path for path in listed(folder) if _is_video(path) and path.is_file()]


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES


def _preference(video: Path) -> int:
    return _SUFFIXES.index(video.suffix.lower()) if _is_video(video) else len(_SUFFIXES)
