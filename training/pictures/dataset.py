"""Clips of videos, decoded when they are asked for. numpy and OpenCV only; knows no networks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, ma52_labels
from mar_edge.edge.layout import Layout, load_layout
from mar_edge.edge.pictures import resized, small, test_indices
from mar_edge.edge.runtime.base import InputArray
from mar_edge.training.datasets.authors import Split
from mar_edge.training.datasets.stored import UNKNOWN, background_of
from mar_edge.training.pictures.augment import draw_crop, draw_indices
from mar_edge.training.pictures.lists import find_list, read_list
from mar_edge.training.pictures.videos import count_frames, read_frames

# The body that the labels of MA-52 are about, whose joints decide about events and visibility while serving.
_LAYOUT = "ma52"
_READING = 8  # files that are opened at the same time


@dataclass(frozen=True)
class PictureBatch:
    """N clips as MANet's model file takes them; a ``training.datasets.base.Batch``.

    frames: (N, 8, 224, 224, 3) uint8 RGB. labels: (N,) int64 index into the data set's labels; -1 if unknown.
    """

    frames: NDArray[np.uint8]
    labels: NDArray[np.int64]
    targets: None = None

    @property
    def inputs(self) -> Mapping[str, InputArray]:
        """See ``Batch``."""
        return {"frames": self.frames}


@dataclass(frozen=True)
class VideoDataset:
    """A ``LabeledClips`` of N videos.

    frame_counts: (N,) int64, frames of each video. clip_labels: (N,) int64 index into ``labels``, -1 if unknown.

    mirror: probability that an augmented clip is mirrored.
    """

    name: str
    labels: tuple[Label, ...]
    paths: Sequence[Path]
    clip_names: Sequence[str]
    frame_counts: NDArray[np.int64]
    clip_labels: NDArray[np.int64]
    mirror: float = 0.0

    @property
    def layout(self) -> Layout:
        """See ``LabeledClips``."""
        return load_layout(_LAYOUT)

    @property
    def background(self) -> int | None:
        """See ``LabeledClips``."""
        return background_of(self.labels)

    @property
    def groups(self) -> NDArray[np.int64]:
        """Clips of one group stay together when the set is split; whose clip is whose is not known here."""
        return np.arange(len(self))

    def __len__(self) -> int:
        return len(self.paths)

    def class_counts(self) -> NDArray[np.int64]:
        """See ``LabeledClips``; clips of unknown label are not counted."""
        known = self.clip_labels[self.clip_labels != UNKNOWN]
        return np.bincount(known, minlength=len(self.labels)).astype(np.int64)

    def label_rates(self) -> NDArray[np.float64]:
        """See ``LabeledClips``."""
        return self.class_counts().astype(np.float64)

    def clip_name(self, index: int) -> str:
        """See ``LabeledClips``."""
        return self.clip_names[index]

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None = None) -> PictureBatch:
        """See ``LabeledClips``.

        Raises:
            MarEdgeError: a video cannot be decoded, or not be read any more.
        """
        return PictureBatch(np.stack([self._clip(int(i), rng) for i in indices]), self.clip_labels[indices])

    def _clip(self, index: int, rng: np.random.Generator | None) -> NDArray[np.uint8]:
        """Return the frames (8, 224, 224, 3) of a clip."""
        count = int(self.frame_counts[index])
        picked = test_indices(count) if rng is None else draw_indices(count, rng)
        read = read_frames(self.paths[index], picked.tolist())
        if rng is None:
            seen = {number: small(picture) for number, picture in read.items()}
            return np.stack([seen[number] for number in picked.tolist()])
        frames = {number: resized(picture) for number, picture in read.items()}
        H, W, _ = frames[int(picked[0])].shape
        crop = draw_crop(W, H, self.mirror, rng)
        return np.stack([crop.of(frames[number]) for number in picked.tolist()])

    def digest(self) -> str:
        """Return a hash of its labels, and of the clips' names, labels and sizes of files, not of their content."""
        hashed = hashlib.blake2b(repr(self.labels).encode(), digest_size=16)
        hashed.update(self.clip_labels.tobytes())
        for name, path in zip(self.clip_names, self.paths, strict=True):
            hashed.update(f"{name}\n{path.stat().st_size}\n".encode())
        return hashed.hexdigest()

    def only(self, indices: NDArray[np.int64], part: str) -> VideoDataset:
        """Return a data set of these clips, named as ``part`` of this one."""
        short, _, _ = self.name.partition(",")
        return replace(
            self,
            name=f"{short}, {part}, {len(indices)} videos",
            paths=[self.paths[i] for i in indices],
            clip_names=[self.clip_names[i] for i in indices],
            frame_counts=self.frame_counts[indices],
            clip_labels=self.clip_labels[indices],
        )


def open_videos(
    path: Path,
    split: Split,
    *,
    labels: tuple[Label, ...] | None = None,
    labels_required: bool = True,
    mirror: float = 0.0,
) -> VideoDataset:
    """Open the videos of a list, or of the list of a split in a folder. Each file is opened once, to count its frames.

    Args:
        labels: whose ids the list has; None for those of MA-52.
        labels_required: False accepts videos without labels, for a submission.

    Raises:
        MarEdgeError: the list is missing or invalid, or a video is missing or no video.
    """
    listed = find_list(path, split)
    classes = labels or ma52_labels()
    clips = read_list(listed, classes, path if path.is_dir() else listed.parent)
    without = [clip.name for clip in clips if clip.label is None]
    if without and labels_required:
        raise MarEdgeError(f"{listed}: {len(without)} of {len(clips)} videos have no label, such as {without[0]}")
    return VideoDataset(
        name=f"videos of {listed.name}, {len(clips)} videos",
        labels=classes,
        paths=[clip.path for clip in clips],
        clip_names=[clip.name for clip in clips],
        frame_counts=_frame_counts([clip.path for clip in clips]),
        clip_labels=np.array([UNKNOWN if clip.label is None else clip.label for clip in clips], np.int64),
        mirror=mirror,
    )


def _frame_counts(paths: Sequence[Path]) -> NDArray[np.int64]:
    def counted(path: Path) -> int | str:
        try:
            return count_frames(path)
        except MarEdgeError as error:
            return str(error)

    with ThreadPoolExecutor(_READING) as pool:
        counts = list(pool.map(counted, paths))
    faults = [count for count in counts if isinstance(count, str)]
    if faults:
        more = f" (and {len(faults) - 1} more of {len(paths)} videos)" if len(faults) > 1 else ""
        raise MarEdgeError(f"{faults[0]}{more}; remove its line from the list")
    return np.array(counts, np.int64)
