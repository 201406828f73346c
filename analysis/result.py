"""What is known of an analyzed video: the file that marks it as finished, and that the tables are made from."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from mar_edge.analysis.inputs import Video, as_files_compare
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.labels import Label
from mar_edge.streaming.recording.timeline import Timeline

SUFFIX = "_analysis.json"
SCHEMA = 1
MISSING = "results are missing"


class VideoFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file that was analyzed. path: absolute. size: bytes. mtime_ns: when it was changed last, ns since 1970."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


class PersonSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A person, and for how long the pose stage found it, in ns."""

    person: int
    seen_ns: int


class FoundEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event. onset_ns, offset_ns: on the media clock of the video."""

    event_id: int
    person: int
    label: Label
    onset_ns: int
    offset_ns: int
    score: float


class VideoResult(msgspec.Struct, frozen=True, kw_only=True):
    """An analyzed video.

    settings: all that decides about the events (``analysis.settings``). model, pose, runtime: names, for people.
    files: names of the other results. fps: as the file states it; None if it does not. size: of the pictures, px.
    frames: processed. frames_dropped: not processed, since they could not be decoded.
    duration_ns: that the frames last. seen_ns: that at least one person was found for. people: by id.
    labels: those that an event may have. events: by onset. note: "" or what was wrong with the file.
    """

    schema: int = SCHEMA
    name: str
    video: VideoFile
    settings: dict[str, Any]
    model: str
    pose: str
    runtime: str
    files: tuple[str, ...]
    fps: float | None
    size: tuple[int, int]
    frames: int
    frames_dropped: int
    duration_ns: int
    seen_ns: int
    people: tuple[PersonSeen, ...]
    labels: tuple[Label, ...]
    events: tuple[FoundEvent, ...]
    note: str = ""


def found_events(timeline: Timeline) -> tuple[FoundEvent, ...]:
    """Return the events of a video's recording."""
    return tuple(
        FoundEvent(
            event_id=event.event_id,
            person=event.person,
            label=event.label,
            onset_ns=event.t_start_ns - timeline.zero_ns,
            offset_ns=event.t_end_ns - timeline.zero_ns,
            score=event.score,
        )
        for event in timeline.events
    )


def result_path(folder: Path, name: str) -> Path:
    """Return the path of a video's result."""
    return folder / f"{name}{SUFFIX}"


def write_result(folder: Path, result: VideoResult) -> None:
    """Write the result of a video. It is written last: with it, the video is finished."""
    write_whole(result_path(folder, result.name), msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")


def read_result(folder: Path, name: str) -> VideoResult | None:
    """Return the result of a video; None where there is none that this version reads."""
    try:
        result = msgspec.json.decode(result_path(folder, name).read_bytes(), type=VideoResult)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    except OSError as error:
        raise MarEdgeError(f"cannot read {result_path(folder, name)}: {error.strerror}") from None
    is_ours = (result.schema, result.name) == (SCHEMA, name) and all(Path(file).name == file for file in result.files)
    return result if is_ours else None


def run_id(file: VideoFile, name: str, settings: dict[str, Any]) -> str:
    """Return the ``run`` of a recording: the same whenever the same video is analyzed in the same way."""
    return hashlib.sha256(f"{file.sha256} {name} {settings!r}".encode("utf-8", "backslashreplace")).hexdigest()[:32]


def with_earlier_names(videos: Sequence[Video], folder: Path) -> list[Video]:
    """Return the videos, those with results in ``folder`` under another name with that name.

    A video is named after its folder, too, once another one has its name. Its corrections are under the earlier name.
    """
    earlier: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if (result := read_result(folder, path.name.removesuffix(SUFFIX))) is not None:
            earlier[os.path.realpath(result.video.path)].append(result.name)

    def named(video: Video) -> Video:
        names = earlier.get(os.path.realpath(video.path), [video.name])
        name = video.name if video.name in names else names[0]
        return replace(video, name=name, participant=name if video.participant == video.name else video.participant)

    renamed = [named(video) for video in videos]
    are_distinct = len({as_files_compare(video.name) for video in renamed}) == len(renamed)
    return renamed if are_distinct else list(videos)


def reason_to_analyze(folder: Path, result: VideoResult | None, video: Path, settings: dict[str, Any]) -> str:
    """Return why a video must be analyzed; "" where its result is up to date.

    A file that was moved or copied is known by its content.

    Raises:
        MarEdgeError: the result is of another video that still exists, and would be lost.
    """
    if result is None:
        return "new"
    about = video.stat()
    is_same = result.video.size == about.st_size and (
        result.video.mtime_ns == about.st_mtime_ns or result.video.sha256 == sha256_of(video)
    )
    other = Path(result.video.path)
    if not is_same:
        if other.is_file() and not other.samefile(video):
            raise MarEdgeError(
                f"{result_path(folder, result.name)} is of {other}, another video of that name; analyze both in one "
                "command, or into another folder"
            )
        return "the video has changed"
    if result.settings != settings:
        return f"other {', '.join(_differing(result.settings, settings))}"
    if any(not (folder / file).is_file() for file in result.files):
        return MISSING
    return ""


def _differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [name.replace("_", " ") for name in {**one, **other} if one.get(name) != other.get(name)]
