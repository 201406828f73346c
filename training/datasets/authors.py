"""MA-52 and iMiGUE as their authors release them: ``{train,val,test}_label.pkl`` and ``_data.pkl`` in a folder.

A label file is a list of {"file_name", "label"}; a data file is {"annotations": [{"frame_dir", "keypoint"}]} with
keypoint (M, T, V, 2) of M people, of whom the first counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge.errors import MarEdgeError
from edge.labels import Label, default_labels
from edge.layout import Layout, load_layout
from training.augment import NO_AUGMENTATION, Augmentation
from training.datasets.pickles import PickledArray, read_pickle
from training.datasets.stored import StoredDataset, checked_clip

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")

_VIDEO_SUFFIXES = {".mp4", ".avi"}
# An hour at 30 frames a second; a clip has about 60 frames.
_MAX_FRAMES = 108_000


@dataclass(frozen=True)
class _Release:
    title: str
    num_classes: int


_RELEASES = {"ma52": _Release("MA-52", 52), "imigue": _Release("iMiGUE", 32)}


def open_authors(
    folder: Path,
    layout: str,
    split: Split,
    labels_required: bool = True,
    *,
    labels: tuple[Label, ...] | None = None,
    augmentation: Augmentation = NO_AUGMENTATION,
) -> StoredDataset:
    """One split of MA-52 (layout ``ma52``) or iMiGUE (``imigue``), in the order of its data file.

    Args:
        labels_required: False takes a test split without labels, for a submission.
        labels: names of the classes, in id order, where the release's own are not wanted.

    Raises:
        MarEdgeError: a file is missing or damaged, or what it says does not fit together; the message names the file
            and the clip.
    """
    release = _RELEASES[layout]
    classes = labels or default_labels(layout, release.num_classes)
    data_file, label_file = folder / f"{split}_data.pkl", folder / f"{split}_label.pkl"
    if not data_file.is_file():
        there = [name for name in SPLITS if (folder / f"{name}_data.pkl").is_file()]
        raise MarEdgeError(
            f"{folder} has no {data_file.name}; {release.title} is a folder of train_data.pkl, train_label.pkl, "
            f"val_data.pkl, ...; here are data of: {', '.join(there) or 'no split'}"
        )
    clips = _read_clips(data_file, load_layout(layout))
    known: NDArray[np.int64] | None = None
    left_out = ""
    if labels_required or label_file.is_file():
        by_name = _read_labels(label_file, len(classes), labels_required)
        known = None if by_name is None else _match(clips, by_name, data_file, label_file)
        missing = len(by_name) - len(clips) if by_name else 0
        left_out = f", {missing} labelled ones without a skeleton left out" if missing else ""
    return StoredDataset(
        name=f"{release.title}, {split} split, {len(clips)} clips{left_out}",
        layout=load_layout(layout),
        labels=classes,
        clips=list(clips.values()),
        clip_labels=known,
        clip_names=list(clips),
        groups=np.arange(len(clips)),
        augmentation=augmentation,
    )


def _read_clips(path: Path, layout: Layout) -> dict[str, NDArray[np.float32]]:
    content = read_pickle(path)
    annotations = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(annotations, list) or not annotations:
        raise MarEdgeError(f"{path}: expected a dict with a list of clips under 'annotations'")
    clips: dict[str, NDArray[np.float32]] = {}
    for number, entry in enumerate(annotations):
        where = f"{path}, clip {number}"
        name = _text(entry, "frame_dir", where)
        keypoint = entry.get("keypoint")
        if not isinstance(keypoint, PickledArray):
            raise MarEdgeError(f"{where} ({name}): 'keypoint' is no array")
        people = keypoint.array()
        if people.ndim != 4 or len(people) < 1 or people.shape[1] > _MAX_FRAMES or people.dtype.kind not in "fiu":
            raise MarEdgeError(
                f"{where} ({name}): 'keypoint' has the shape {people.shape} of {people.dtype}; expected (M, T, "
                f"{layout.num_joints}, 2) numbers, of M >= 1 people and up to {_MAX_FRAMES} frames"
            )
        if name in clips:
            raise MarEdgeError(f"{where}: frame_dir '{name}' stands twice")
        clips[name] = checked_clip(people[0], layout, f"{where} ({name})")
    return clips


def _read_labels(path: Path, num_classes: int, required: bool) -> dict[str, int] | None:
    """Label ids by clip name; None where the file, which is not required to, says none."""
    content = read_pickle(path)
    if not isinstance(content, list) or not content:
        raise MarEdgeError(f"{path}: expected a list of {{'file_name': ..., 'label': ...}}")
    if not required and not any(isinstance(entry, dict) and "label" in entry for entry in content):
        return None
    labels: dict[str, int] = {}
    for number, entry in enumerate(content):
        where = f"{path}, entry {number}"
        name = _text(entry, "file_name", where)
        label = entry.get("label")
        if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label < num_classes:
            raise MarEdgeError(f"{where} ({name}): label {label!r:.40}; expected an id from 0 to {num_classes - 1}")
        if labels.setdefault(name, label) != label:
            raise MarEdgeError(f"{where}: '{name}' stands twice, as {labels[name]} and as {label}")
    return labels


def _text(entry: Any, key: str, where: str) -> str:
    """The name under ``key``; without a folder and a video's suffix, which one of the two files may have."""
    name = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        raise MarEdgeError(f"{where}: expected a dict with a name under '{key}'")
    path = PurePath(name)
    return path.stem if path.suffix.lower() in _VIDEO_SUFFIXES else path.name


def _match(
    clips: dict[str, NDArray[np.float32]], labels: dict[str, int], data_file: Path, label_file: Path
) -> NDArray[np.int64]:
    without = [name for name in clips if name not in labels]
    if without:
        more = f" (and {len(without) - 1} more)" if len(without) > 1 else ""
        raise MarEdgeError(f"{data_file}: clip '{without[0]}'{more} has no label in {label_file.name}")
    return np.array([labels[name] for name in clips], np.int64)
