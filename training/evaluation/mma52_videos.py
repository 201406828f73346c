"""MMA-52 as whole recordings, for multi-label detection: its videos with all annotated actions, and its submission.

Source: Li et al., "MMAD: Multi-label Micro-Action Detection in Videos", ICCV 2025.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from mar_edge.edge.labels import ma52_labels
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.training.datasets.authors import Split
from mar_edge.training.datasets.mma52 import no_skeletons, read_videos, skeleton_file
from mar_edge.training.evaluation.candidates import propose
from mar_edge.training.evaluation.served import Served
from mar_edge.training.evaluation.submission import action_ids, write_zip
from mar_edge.training.evaluation.truth import RealSet, TrueAction, read_real, real_set

COLUMNS = ("", "video_id", "t_start", "t_end", "class", "score")
_DECIMALS = 4  # of times and scores, as in the published files


def open_mma52_videos(folder: Path, split: Split) -> RealSet:
    """Read the videos of a split. The rows of the published test split are placeholders: its videos have no actions.

    Raises:
        MarEdgeError: the annotation file is missing or malformed, a recording is damaged, or no video has one.
    """
    videos = read_videos(folder / f"{split}.csv", ma52_labels())
    there = [video for video in videos if skeleton_file(folder, video).is_file()]
    if not there:
        raise no_skeletons(folder, split, len(videos))
    found = [
        read_real(
            skeleton_file(folder, video),
            video.name,
            # Published intervals end where the last frame begins.
            [
                TrueAction(span.start_s, span.end_s - 1 / video.fps, span.label.name)
                for span in video.spans
                if split != "test"
            ],
        )
        for video in there
    ]
    left_out = f", {len(videos) - len(there)} videos without a skeleton left out" if len(there) < len(videos) else ""
    return real_set(f"MMA-52, {split} split, {len(there)} videos{left_out}", found)


def write_detections(path: Path, metadata: ModelMetadata, real: RealSet, served: Sequence[Served]) -> None:
    """Write the candidate intervals of all videos in the form of the challenge: a zip that holds ``prediction.csv``.

    Raises:
        MarEdgeError: the model's labels are not those of MA-52, or the file cannot be written.
    """
    ids = action_ids(metadata)
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    count = 0
    for number, (one, sent) in enumerate(zip(real.recordings, served, strict=True)):
        assert sent.windows is not None, "serve_recordings keeps windows"
        found = propose(sent.windows, metadata.window_s, number)
        for label, start_s, end_s, score in zip(found.label, found.start_s, found.end_s, found.score, strict=True):
            if ids[label] >= 0:
                times = (round(max(start_s, 0.0), _DECIMALS), round(min(end_s, one.duration_s), _DECIMALS))
                rows.writerow([count, one.name, *times, ids[label], round(float(score), _DECIMALS)])
                count += 1
    write_zip(path, text.getvalue())
