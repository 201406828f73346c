"""MA-52 and iMiGUE as their authors release them: ``{train,val,test}_label.pkl`` and ``_data.pkl`` in a folder.

A label file is a list of {"file_name", "label"}; a data file is {"annotations": [{"frame_dir", "keypoint"}]} with
keypoint (M, T, V, 2) of M people. Only the first person is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, default_labels
from mar_edge.edge.layout import Layout, load_layout
from mar_edge.training.augment import NO_AUGMENTATION, Augmentation
from mar_edge.training.datasets.pickles import PickledArray, read_pickle
from mar_edge.training.datasets.stored import StoredDataset, checked_clip, shows_nobody

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")

_VIDEO_SUFFIXES = {".mp4", ".avi", ".mov", ".mkv", ".webm"}
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
    """Read one split of MA-52 (layout ``ma52``) or iMiGUE (``imigue``), in the order of its data file.

    A clip in which the first person has no joint is left out and counted.

    Args:
        labels_required: False accepts a test split without labels, for a submission. All clips are kept, in the order
            of the label file, if there is one. Labels that are all -1, None or 0 count as missing.
        labels: names of the classes, in id order; None takes those of the release.

    Raises:
        MarEdgeError: a file is missing or damaged, or files contradict each other; the message names the file and the
            clip.
    """
    release = _RELEASES[layout]
    classes = labels or default_labels(layout, release.num_classes)
    data_file, label_file = folder / f"{split}_data.pkl", folder / f"{split}_label.pkl"
    if not data_file.is_file():
        there = [name for name in SPLITS if (folder / f"{name}_data.pkl").is_file()]
        raise MarEdgeError(
            f"{folder} has no {data_file.name}; {release.title} is a folder of train_data.pkl, train_label.pkl, "
            f"val_data.pkl, ...; found data of: {', '.join(there) or 'no split'}"
        )
    clips = _read_clips(data_file, load_layout(layout))
    names = {short: clip.name for short, clip in clips.items()}
    known: dict[str, int] | None = None
    remarks = []
    if labels_required or label_file.is_file():
        entries = _read_entries(label_file)
        known, remark = _read_labels(entries, len(classes), label_file, labels_required)
        remarks += [remark] if remark else []
        missing = len(entries.keys() - clips.keys())
        remarks += [f"{missing} labeled ones without a skeleton left out"] if missing else []
        if known is not None:
            _check_labeled(clips, known, data_file, label_file)
        if not labels_required:
            listed = [short for short in entries if short in clips]
            names = {short: names[short] for short in [*listed, *(short for short in names if short not in entries)]}
    empty = {short for short, clip in clips.items() if clip.shows_nobody}
    if empty and labels_required:
        if len(empty) == len(clips):
            raise MarEdgeError(f"{data_file}: none of its {len(clips)} clips shows a joint of its first person")
        names = {short: name for short, name in names.items() if short not in empty}
        remarks.append(f"{len(empty)} without any joint of the first person left out")
    elif empty:
        remarks.append(f"{len(empty)} of them without any joint of the first person")
    return StoredDataset(
        name=", ".join([release.title, f"{split} split", f"{len(names)} clips", *remarks]),
        layout=load_layout(layout),
        labels=classes,
        clips=[clips[short].joints for short in names],
        clip_labels=None if known is None else np.array([known[short] for short in names], np.int64),
        clip_names=list(names.values()),
        groups=np.arange(len(names)),
        augmentation=augmentation,
    )


@dataclass(frozen=True)
class _Clip:
    """One clip of a data file, under its name there."""

    name: str
    joints: NDArray[np.float32]
    shows_nobody: bool


@dataclass(frozen=True)
class _Entry:
    """One entry of a label file. label: its content, unchecked."""

    name: str
    label: object
    where: str


def _read_clips(path: Path, layout: Layout) -> dict[str, _Clip]:
    """Read the clips of a data file, by short name."""
    content = read_pickle(path)
    annotations = content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(annotations, list) or not annotations:
        raise MarEdgeError(f"{path}: expected a dict with a list of clips under 'annotations'")
    clips: dict[str, _Clip] = {}
    for number, entry in enumerate(annotations):
        name = _text(entry, "frame_dir", f"{path}, clip {number}")
        where = f"{path}, clip {number} ({name})"
        keypoint = entry.get("keypoint")
        if not isinstance(keypoint, PickledArray):
            raise MarEdgeError(f"{where}: 'keypoint' is not an array")
        people = keypoint.array()
        expected = f"expected (M, T, {layout.num_joints}, 2) numbers, of M >= 1 people and up to {_MAX_FRAMES} frames"
        if people.ndim != 4 or len(people) < 1 or people.shape[1] > _MAX_FRAMES or people.dtype.kind not in "fiu":
            raise MarEdgeError(f"{where}: 'keypoint' has the shape {people.shape} of {people.dtype}; {expected}")
        if 1 <= people.shape[1] < len(people):
            raise MarEdgeError(
                f"{where}: 'keypoint' has the shape {people.shape}, more people than frames; {expected}, so swap the "
                "first two axes"
            )
        short = _short(name)
        if short in clips:
            raise MarEdgeError(f"{path}, clip {number}: frame_dir '{name}' occurs twice")
        clips[short] = _Clip(name, checked_clip(people[0], layout, where), shows_nobody(people[0]))
    return clips


def _read_entries(path: Path) -> dict[str, _Entry]:
    """Read the entries of a label file, by short name, in the order of the file."""
    content = read_pickle(path)
    if not isinstance(content, list) or not content:
        raise MarEdgeError(f"{path}: expected a list of {{'file_name': ..., 'label': ...}}")
    entries: dict[str, _Entry] = {}
    for number, item in enumerate(content):
        name = _text(item, "file_name", f"{path}, entry {number}")
        entry = _Entry(name, item.get("label"), f"{path}, entry {number} ({name})")
        before = entries.setdefault(_short(name), entry)
        if _number(before.label) != _number(entry.label):
            raise MarEdgeError(f"{entry.where}: '{_short(name)}' occurs twice, as {before.label} and as {entry.label}")
    return entries


def _read_labels(
    entries: Mapping[str, _Entry], num_classes: int, path: Path, required: bool
) -> tuple[dict[str, int] | None, str]:
    """Return label ids by short name, and a remark; None instead of ids that are missing and not required."""
    numbers = {short: _number(entry.label) for short, entry in entries.items()}
    if not required:
        ids = set(numbers.values())
        if ids <= {None, -1} and all(entry.label is None or numbers[s] == -1 for s, entry in entries.items()):
            return None, ""
        if ids == {0} and len(numbers) > 1:
            return None, f"all labels in {path.name} are 0, taken as missing"
    labels: dict[str, int] = {}
    for short, entry in entries.items():
        number = numbers[short]
        if number is None or not 0 <= number < num_classes:
            wrong = sum(other is None or not 0 <= other < num_classes for other in numbers.values())
            more = f" (and {wrong - 1} more)" if wrong > 1 else ""
            raise MarEdgeError(
                f"{entry.where}{more}: label {entry.label!r:.40}; expected an id from 0 to {num_classes - 1}"
            )
        labels[short] = number
    return labels, ""


def _number(label: object) -> int | None:
    """Return a label's id from a whole number, text, or an array of one element; None from anything else."""
    if isinstance(label, PickledArray):
        try:
            label = label.array().item()  # a ValueError unless it has one element
        except ValueError:
            return None
    if isinstance(label, bool):
        return None
    if isinstance(label, str):
        return int(label) if re.fullmatch(r"\s*-?[0-9]{1,9}\s*", label) else None
    if isinstance(label, float):
        return int(label) if label.is_integer() else None
    return label if isinstance(label, int) else None


def _text(entry: Any, key: str, where: str) -> str:
    """Return the name under ``key``, unchanged."""
    name = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        raise MarEdgeError(f"{where}: expected a dict with a name under '{key}'")
    return name


def _short(name: str) -> str:
    """Return a name without folder and video suffix: the two files may differ in these."""
    path = PurePath(name)
    return path.stem if path.suffix.lower() in _VIDEO_SUFFIXES else path.name


def _check_labeled(clips: Mapping[str, _Clip], labels: Mapping[str, int], data_file: Path, label_file: Path) -> None:
    without = [clip.name for short, clip in clips.items() if short not in labels]
    if without:
        more = f" (and {len(without) - 1} more)" if len(without) > 1 else ""
        raise MarEdgeError(f"{data_file}: clip '{without[0]}'{more} has no label in {label_file.name}")
