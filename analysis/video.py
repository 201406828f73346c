"""One video -> its recording and everything made from it, through the loop of ``serve``, every frame.

All files are made first and then put in place, the result last. A process that is killed leaves a video that is not
finished, and never one that looks so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import av
import av.error
import msgspec

from mar_edge.analysis.file_output import FileOutput
from mar_edge.analysis.inputs import Video
from mar_edge.analysis.presence import Presence
from mar_edge.analysis.result import (
    PersonSeen,
    VideoFile,
    VideoResult,
    found_events,
    read_result,
    result_path,
    run_id,
    write_result,
)
from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.files.outputs import folder_of_drafts, put_in_place
from mar_edge.edge.pose.base import PoseEstimator
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.capture.frames import NS, Frame
from mar_edge.streaming.pictures.choice import picture_stage
from mar_edge.streaming.pictures.live import PictureModel
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.recording.recorder import SUFFIX
from mar_edge.streaming.recording.timeline import Timeline
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.stream import StreamLoop
from mar_edge.view.annotations import bids, boris, eaf, table
from mar_edge.view.annotations.media import Media, probe
from mar_edge.view.plot import plot

_END = "end of file"


@dataclass(frozen=True)
class Stages:
    """What a video goes through.

    pose: of its own, since the stage remembers people. settings: of all of it.
    pictures: None if no model looks at them.
    """

    pose: PoseEstimator
    recognizer: WindowRecognizer
    rules: PipelineRules
    settings: dict[str, Any]
    pictures: PictureModel | None = None


def analyze_video(video: Video, folder: Path, stages: Stages, on_frames: Callable[[int], None]) -> VideoResult:
    """Analyze a video, and put its results into ``folder``, which exists.

    Args:
        on_frames: gets the number of frames processed so far, after each.

    Raises:
        MarEdgeError: it cannot be read, or the results cannot be written.
    """
    file = _file(video.path)
    try:
        with folder_of_drafts(folder) as drafts:
            recording = drafts / f"{video.name}{SUFFIX}"
            result = _record(video, file, recording, stages, on_frames)
            (timeline,) = read_timelines([recording])
            media, note = _media(video.path, folder)
            files = [recording, *_write_annotations(drafts, video, timeline, media, stages.settings)]
            result = _with_events(result, timeline, [path.name for path in files], note)
            _put_in_place(files, folder, result)
    except OSError as error:
        raise MarEdgeError(f"cannot write to {folder}: {error.strerror or error}") from None
    return result


def _file(path: Path) -> VideoFile:
    try:
        about = path.stat()
        return VideoFile(
            path=str(path.absolute()), size=about.st_size, mtime_ns=about.st_mtime_ns, sha256=sha256_of(path)
        )
    except OSError as error:
        raise MarEdgeError(f"cannot read {path}: {error.strerror or error}") from None


def _record(
    video: Video, file: VideoFile, recording: Path, stages: Stages, on_frames: Callable[[int], None]
) -> VideoResult:
    """Write the recording; return what is known of the video, without its events and files."""
    presence = Presence()
    taken = 0

    def on_frame(frame: Frame, people: Sequence[Skeleton]) -> None:
        nonlocal taken
        presence.take(frame, {person.person for person in people})
        taken += 1
        on_frames(taken)

    camera = Camera(file.path, zero_ns=_date_ns(video.path))
    with recording.open("wb") as lines:
        output = FileOutput(
            lines,
            stream=video.name,
            run=run_id(file, video.name, stages.settings),
            source=video.path.name,
            on_frame=on_frame,
        )
        with camera:
            summary = StreamLoop(
                ServeConfig(camera=file.path, pipeline=stages.rules),
                stop=lambda: None,
                source=camera,
                pose=stages.pose,
                pose_name=stages.pose.name,
                recognizer=stages.recognizer,
                output=output,
                pictures=picture_stage(stages.pictures, camera),
            ).run()
    presence.finish(camera.fps)
    hello = output.hello
    assert hello is not None  # the first thing that a loop sends
    note = "" if summary.reason == _END else summary.reason.removeprefix(_END).strip(" ()")
    return VideoResult(
        name=video.name,
        video=file,
        settings=stages.settings,
        model=" + ".join(dict.fromkeys(filter(None, (hello.model, hello.picture_model)))),
        pose=hello.pose,
        runtime=hello.runtime,
        files=(),
        fps=camera.fps,
        size=hello.size,
        frames=summary.frames,
        frames_dropped=summary.dropped + camera.corrupt,
        duration_ns=presence.duration_ns,
        seen_ns=presence.seen_ns,
        people=tuple(
            PersonSeen(person=person, seen_ns=seen_ns) for person, seen_ns in sorted(presence.people_ns.items())
        ),
        labels=tuple(label for label, on in zip(hello.labels, hello.on_thresholds, strict=True) if on is not None),
        events=(),
        note=note,
    )


def _date_ns(video: Path) -> int:
    """Return when a video was recorded, by its own metadata; 0 where it does not say.

    The file's modification time is no substitute: a copy has another one, and its results would differ.
    """
    with suppress(av.error.FFmpegError, ValueError), av.open(f"file:{video}", metadata_errors="replace") as container:
        stated = datetime.fromisoformat(container.metadata.get("creation_time", "").replace("Z", "+00:00"))
        if stated.tzinfo is None:
            stated = stated.replace(tzinfo=timezone.utc)
        return max(round(stated.timestamp()), 0) * NS  # cameras without a clock say 1904
    return 0


def _media(video: Path, folder: Path) -> tuple[Media | None, str]:
    """Return the video for annotation programs, or why their files are without it."""
    try:
        return probe(video, folder), ""
    except MarEdgeError:
        return None, "states no duration, so that ELAN and BORIS files do not name it"


def _write_annotations(
    folder: Path, video: Video, timeline: Timeline, media: Media | None, settings: dict[str, Any]
) -> list[Path]:
    """Write everything that is made from the recording; return the files."""
    made_with = {"Model": timeline.model, "Settings": settings}
    contents = {
        "_events.csv": table.write_csv([timeline]),
        "_events.tsv": bids.write_events(timeline),
        "_events.json": bids.write_sidecar(timeline, video.path.name, made_with),
        ".eaf": eaf.write_eaf(timeline, media),
        ".boris": boris.write_project([timeline], media),
        **_picture(timeline),
    }
    files = []
    for suffix, content in contents.items():
        file = folder / f"{video.name}{suffix}"
        file.write_bytes(content)
        files.append(file)
    return files


def _picture(timeline: Timeline) -> dict[str, bytes]:
    """Draw the timeline: PNG, or SVG where no installed font has the letters of its names."""
    try:
        return {".png": plot([timeline], ".png")}
    except MarEdgeError:
        return {".svg": plot([timeline], ".svg")}


def _with_events(result: VideoResult, timeline: Timeline, files: list[str], note: str) -> VideoResult:
    return msgspec.structs.replace(
        result,
        files=tuple(files),
        events=found_events(timeline),
        note="; ".join(filter(None, (result.note, note))),
    )


def _put_in_place(files: Sequence[Path], folder: Path, result: VideoResult) -> None:
    """Replace the results of the video; in between, it is not finished."""
    before = read_result(folder, result.name)
    result_path(folder, result.name).unlink(missing_ok=True)
    for name in set(before.files if before else ()) - set(result.files):
        (folder / name).unlink(missing_ok=True)
    for file in files:
        put_in_place(file, folder / file.name)
    write_result(folder, result)
