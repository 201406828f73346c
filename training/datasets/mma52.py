"""MMA-52: videos with several micro-actions at once, from its annotation files and skeleton recordings.

A folder holds ``train.csv``, ``val.csv`` and ``skeletons/VIDEO.jsonl``. The tables have the columns
``id,video_id,start_frame,end_frame,class,total_frames,fps``. Frames count from 0, and the end frame is included. A
skeleton file is a recording of the video by ``mar-edge serve --record``.

Source: Li et al., "MMAD: Multi-label Micro-Action Detection in Videos", ICCV 2025.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.preprocess import resample
from mar_edge.streaming.recording.skeletons import read_skeletons
from mar_edge.training.augment import NO_AUGMENTATION, Augmentation
from mar_edge.training.datasets.authors import Split
from mar_edge.training.datasets.recordings import known_labels
from mar_edge.training.datasets.stored import StoredDataset, background_of, checked_clip
from mar_edge.training.datasets.windows import MIN_FRAMES, Span, most_shown, targets_of_window

_COLUMNS = ("video_id", "start_frame", "end_frame", "class", "total_frames", "fps")
_WINDOW_S = 2.0
_STRIDE_S = 1.0


@dataclass(frozen=True)
class AnnotatedVideo:
    """A video and its annotated actions. spans: in seconds, each to the end of its last frame."""

    name: str
    duration_s: float
    fps: float
    spans: tuple[Span, ...]


def skeleton_file(folder: Path, video: AnnotatedVideo) -> Path:
    """Return the place of a video's recording."""
    return folder / "skeletons" / f"{video.name}.jsonl"


def no_skeletons(folder: Path, split: Split, count: int) -> MarEdgeError:
    """Return the error of a folder without any recording of its ``count`` videos."""
    return MarEdgeError(
        f"{folder}: none of the {count} videos of {split}.csv has a skeleton in {folder / 'skeletons'}, "
        "as VIDEO.jsonl; record them with 'mar-edge serve --record'"
    )


def open_mma52(
    folder: Path,
    split: Split,
    *,
    labels: tuple[Label, ...] | None = None,
    augmentation: Augmentation = NO_AUGMENTATION,
) -> StoredDataset:
    """Read windows of two seconds, one per second, over the videos of a split, with a target for each label.

    Videos without a skeleton file are left out and counted. Windows with too few skeletons are left out.

    Raises:
        MarEdgeError: an annotation file is missing or malformed (the message names the line), or no video has a
            skeleton.
    """
    classes = labels or known_labels()
    videos = read_videos(folder / f"{split}.csv", classes)
    clips: list[NDArray[np.float32]] = []
    names: list[str] = []
    targets: list[NDArray[np.float32]] = []
    groups: list[int] = []
    missing = 0
    layout = None
    for group, video in enumerate(videos):
        path = skeleton_file(folder, video)
        if not path.is_file():
            missing += 1
            continue
        recording = read_skeletons(path)
        if layout is not None and recording.layout != layout:
            raise MarEdgeError(f"{path} holds {recording.layout.name} skeletons, the others {layout.name} ones")
        layout = recording.layout
        for start_s in np.arange(0.0, max(video.duration_s - _WINDOW_S, 0.0) + 1e-6, _STRIDE_S):
            end_s = start_s + _WINDOW_S
            window = recording.cut(start_s, end_s)
            if window is None or len(window.times_s) < MIN_FRAMES:
                continue
            clips.append(resample(checked_clip(window.clip, layout, str(path)), window.times_s, layout))
            names.append(f"{video.name} {start_s:.1f}-{end_s:.1f} s")
            targets.append(targets_of_window(video.spans, start_s, end_s, classes))
            groups.append(group)
    if layout is None or not clips:
        raise no_skeletons(folder, split, len(videos))
    left_out = f", {missing} videos without a skeleton left out" if missing else ""
    shown = np.stack(targets)
    return StoredDataset(
        name=f"MMA-52, {split} split, {len(clips)} windows{left_out}",
        layout=layout,
        labels=classes,
        clips=clips,
        clip_labels=most_shown(shown, background_of(classes)),
        clip_names=names,
        groups=np.array(groups),
        augmentation=augmentation,
        clip_targets=shown,
    )


def read_videos(path: Path, classes: tuple[Label, ...]) -> list[AnnotatedVideo]:
    """Read an annotation file.

    Raises:
        MarEdgeError: it is missing or malformed; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise MarEdgeError(f"cannot read {path}: {reason}; MMA-52 is a folder of train.csv and val.csv") from None
    by_id = {label.id: label for label in classes}
    rows = csv.DictReader(io.StringIO(text))
    videos: dict[str, AnnotatedVideo] = {}
    try:
        if not set(_COLUMNS) <= set(rows.fieldnames or ()):
            there = ",".join(rows.fieldnames or ())
            raise MarEdgeError(f"{path} has the columns {there}; expected {','.join(_COLUMNS)}")
        for row in rows:
            where = f"{path}, line {rows.line_num}"
            video = _row(row, by_id, where)
            known = videos.get(video.name)
            videos[video.name] = replace(video, spans=(*known.spans, *video.spans)) if known else video
    except csv.Error as error:
        raise MarEdgeError(f"{path}, line {rows.line_num}: not CSV: {error}") from None
    if not videos:
        raise MarEdgeError(f"{path} lists no action")
    return list(videos.values())


def _row(row: dict[str, str | None], by_id: dict[int, Label], where: str) -> AnnotatedVideo:
    name = (row["video_id"] or "").strip()
    try:
        start, end, number, frames = (int(row[c] or "") for c in ("start_frame", "end_frame", "class", "total_frames"))
        fps = float(row["fps"] or "")
    except ValueError:
        raise MarEdgeError(f"{where}: frames and class are whole numbers, fps a number: {row}") from None
    if not name or Path(name).name != name or not 0 <= start <= end < frames or not 1 <= fps <= 1000:
        raise MarEdgeError(f"{where}: expected a video and 0 <= start_frame <= end_frame < total_frames: {row}")
    if number not in by_id:
        raise MarEdgeError(f"{where}: no class {number}; there are {min(by_id)} to {max(by_id)}")
    return AnnotatedVideo(name, frames / fps, fps, (Span(by_id[number], start / fps, (end + 1) / fps),))
