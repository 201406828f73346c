"""Data sets by what the command line calls them: ``synth``, ``ma52:FOLDER``, ``recordings:FOLDER``, ``clips.npz``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.errors import MarEdgeError
from edge.labels import Label
from edge.names import did_you_mean
from training.augment import NO_AUGMENTATION, Augmentation
from training.datasets.archive import open_archive
from training.datasets.authors import SPLITS, Split, open_authors
from training.datasets.base import Dataset
from training.datasets.recordings import LABEL_FILE, open_recordings
from training.datasets.stored import StoredDataset, hold_out
from training.datasets.synthetic import SyntheticDataset
from training.synth.world import HELD_OUT

SYNTHETIC, SYNTHETIC_LIVE = "synth", "synth-live"
_FORMS = (
    "synth, synth-live, ma52:FOLDER, imigue:FOLDER (one split: ma52-test:FOLDER), recordings:FOLDER or an .npz file "
    "of 'mar-edge synth'"
)
_PARTS = tuple(f"-{split}" for split in SPLITS)
# Seeds that no training run is given: of what a run validates on (plus its own seed), and of what models are judged on.
_VALIDATION_SEED = 1_000_003
_EVALUATION_SEED = 2_000_003
_EVALUATION_CLIPS = 4096
# Of ``synth-live``; the other half keeps what clips of one action teach.
LIVE_SHARE = 0.5


@dataclass(frozen=True)
class DataSpec:
    """A spec, taken apart. ``split`` is None where it names none; ``live`` is the share of ``SyntheticDataset``."""

    kind: Literal["synth", "ma52", "imigue", "recordings", "npz"]
    path: Path
    split: Split | None
    live: float = 0.0


def parse_spec(spec: str) -> DataSpec:
    """Raises MarEdgeError, listing the forms, where ``spec`` has none of them."""
    word, colon, path = spec.partition(":")
    kind, _, split = word.partition("-")
    if spec == SYNTHETIC:
        return DataSpec("synth", Path(), None)
    if spec == SYNTHETIC_LIVE:
        return DataSpec("synth", Path(), None, LIVE_SHARE)
    if colon and path and word == "recordings":
        return DataSpec("recordings", Path(path), None)
    for layout in ("ma52", "imigue"):
        for name in (None, *SPLITS):
            if colon and path and kind == layout and split == (name or ""):
                return DataSpec(layout, Path(path), name)
    if spec.endswith(".npz"):
        return DataSpec("npz", Path(spec), None)
    kinds = ["recordings", *(f"{layout}{part}" for layout in ("ma52", "imigue") for part in ("", *_PARTS))]
    close = did_you_mean(word, kinds if colon else [SYNTHETIC, SYNTHETIC_LIVE])
    raise MarEdgeError(f"no data set '{spec}'; it is one of: {_FORMS}{close}")


def files_of(spec: str) -> list[Path]:
    """The files that a data set is read from, as far as they are there.

    Raises:
        MarEdgeError: no such data set.
    """
    parsed = parse_spec(spec)
    if parsed.kind == "synth":
        return []
    if parsed.kind == "npz":
        return [parsed.path]
    patterns = ("*.jsonl", LABEL_FILE) if parsed.kind == "recordings" else ("*_data.pkl", "*_label.pkl")
    return sorted(path for pattern in patterns for path in parsed.path.glob(pattern))


def open_dataset(spec: str, *, labels: tuple[Label, ...] | None = None) -> Dataset:
    """What to judge a model on.

    Of MA-52 and iMiGUE the validation split unless ``spec`` names another; the test split's labels may be missing.
    ``synth`` and ``synth-live`` are 4,096 clips of a world that no model was trained on.

    Raises:
        MarEdgeError: no such data set, or something is wrong with it.
    """
    parsed = parse_spec(spec)
    if parsed.kind == "synth":
        return SyntheticDataset(_EVALUATION_SEED, _EVALUATION_CLIPS, live=parsed.live, world=HELD_OUT)
    return _open_stored(parsed, parsed.split or "val", labels, NO_AUGMENTATION)


def open_training(
    spec: str,
    validation: str | None,
    *,
    seed: int,
    augmentation: Augmentation,
    synthetic_clips: int,
    validation_clips: int,
    validation_share: float,
    labels: tuple[Label, ...] | None = None,
) -> tuple[Dataset, Dataset]:
    """What to learn from, augmented, and what to choose the best checkpoint on.

    Without ``validation``: the other split of MA-52 and iMiGUE, other seeds of synthetic motion, and of anything else
    ``validation_share`` of its recordings, which are then not learned from.

    Raises:
        MarEdgeError: no such data set, something is wrong with it, or the two have other labels or skeletons.
    """
    parsed = parse_spec(spec)
    if parsed.kind == "synth":
        learnt: Dataset = SyntheticDataset(seed, synthetic_clips, live=parsed.live, augmentation=augmentation)
    else:
        learnt = _open_stored(parsed, parsed.split or "train", labels, augmentation)
    if validation is not None:
        given = parse_spec(validation)
        if given.kind == "synth":
            return _fitting(learnt, SyntheticDataset(_VALIDATION_SEED + seed, validation_clips, live=given.live))
        # What the classes are is the training set's to say, where a set has only those that occur.
        return _fitting(learnt, _open_stored(given, given.split or "val", labels or learnt.labels, NO_AUGMENTATION))
    if parsed.kind == "synth":
        return learnt, SyntheticDataset(_VALIDATION_SEED + seed, validation_clips, live=parsed.live)
    if parsed.kind in {"ma52", "imigue"}:
        if parsed.split == "val":
            raise MarEdgeError(f"'{spec}' is what is validated on otherwise; name another set with --validation")
        return learnt, _open_stored(parsed, "val", labels, NO_AUGMENTATION)
    assert isinstance(learnt, StoredDataset)
    return hold_out(learnt, validation_share, seed)


def _open_stored(
    parsed: DataSpec, split: Split, labels: tuple[Label, ...] | None, augmentation: Augmentation
) -> StoredDataset:
    if parsed.kind == "recordings":
        return open_recordings(parsed.path, labels=labels, augmentation=augmentation)
    if parsed.kind == "npz":
        return open_archive(parsed.path, augmentation=augmentation)
    return open_authors(
        parsed.path, parsed.kind, split, labels_required=split != "test", labels=labels, augmentation=augmentation
    )


def _fitting(learnt: Dataset, validation: Dataset) -> tuple[Dataset, Dataset]:
    if learnt.layout != validation.layout or learnt.labels != validation.labels:
        raise MarEdgeError(
            f"cannot validate {learnt.name} ({learnt.layout.name}, {len(learnt.labels)} labels) on {validation.name} "
            f"({validation.layout.name}, {len(validation.labels)} labels): they need the same labels and skeletons"
        )
    return learnt, validation
