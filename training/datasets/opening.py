"""Data sets by what the command line calls them: ``synth``, ``ma52:FOLDER``, ``recordings:FOLDER``, ``clips.npz``.

A synthetic set may lack something of real life, to see what that is worth: ``synth-concurrent:no-drag,no-noise``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.labels import Label
from mar_edge.training.augment import NO_AUGMENTATION, Augmentation
from mar_edge.training.datasets.archive import open_archive
from mar_edge.training.datasets.authors import SPLITS, Split, open_authors
from mar_edge.training.datasets.base import Dataset
from mar_edge.training.datasets.mma52 import open_mma52
from mar_edge.training.datasets.recordings import LABEL_FILE, open_recordings
from mar_edge.training.datasets.stored import StoredDataset, hold_out
from mar_edge.training.datasets.synthetic import SyntheticDataset
from mar_edge.training.synth.chunks import CHUNK
from mar_edge.training.synth.world import HELD_OUT, TRAINING, World

SYNTHETIC, SYNTHETIC_LIVE, SYNTHETIC_CONCURRENT = "synth", "synth-live", "synth-concurrent"
_FORMS = (
    "synth, synth-live, synth-concurrent (less something: synth-concurrent:no-drag,no-noise), ma52:FOLDER, "
    "mma52:FOLDER, imigue:FOLDER (one split: ma52-test:FOLDER), recordings:FOLDER or an .npz file of 'mar-edge synth'"
)
_PARTS = tuple(f"-{split}" for split in SPLITS)
# Seeds that no training run is given: of what a run validates on (plus its own seed), and of what models are judged on.
_VALIDATION_SEED = 1_000_003
_EVALUATION_SEED = 2_000_003
_EVALUATION_CLIPS = 4096
# Of ``synth-live``; the other half keeps what clips of one action teach.
LIVE_SHARE = 0.5
# Of ``synth-concurrent``.
CONCURRENT_SHARE = 176 / CHUNK
_LIVE = {SYNTHETIC: 0.0, SYNTHETIC_LIVE: LIVE_SHARE, SYNTHETIC_CONCURRENT: CONCURRENT_SHARE}


@dataclass(frozen=True)
class DataSpec:
    """A spec, taken apart. ``split`` is None where it names none.

    live, concurrent, lacking: of synthetic motion, as in ``SyntheticDataset``.
    """

    kind: Literal["synth", "ma52", "mma52", "imigue", "recordings", "npz"]
    path: Path
    split: Split | None
    live: float = 0.0
    concurrent: bool = False
    lacking: tuple[str, ...] = ()


def parse_spec(spec: str) -> DataSpec:
    """Raises MarEdgeError, listing the forms, where ``spec`` has none of them."""
    word, colon, path = spec.partition(":")
    kind, _, split = word.partition("-")
    lacking = path.split(",") if colon else []
    if word in _LIVE and all(name.startswith("no-") for name in lacking):
        without = tuple(name.removeprefix("no-") for name in lacking)
        return DataSpec("synth", Path(), None, _LIVE[word], word == SYNTHETIC_CONCURRENT, without)
    if colon and path and word == "recordings":
        return DataSpec("recordings", Path(path), None)
    for layout in ("ma52", "mma52", "imigue"):
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
    Synthetic sets are 4,096 clips of a world that no model was trained on.

    Raises:
        MarEdgeError: no such data set, or something is wrong with it.
    """
    parsed = parse_spec(spec)
    if parsed.kind == "synth":
        return _synthetic(parsed, _EVALUATION_SEED, _EVALUATION_CLIPS, world=HELD_OUT)
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
        learnt: Dataset = _synthetic(parsed, seed, synthetic_clips, augmentation=augmentation)
    else:
        learnt = _open_stored(parsed, parsed.split or "train", labels, augmentation)
    if validation is not None:
        given = parse_spec(validation)
        if given.kind == "synth":
            return _fitting(learnt, _synthetic(given, _VALIDATION_SEED + seed, validation_clips))
        # What the classes are is the training set's to say, where a set has only those that occur.
        return _fitting(learnt, _open_stored(given, given.split or "val", labels or learnt.labels, NO_AUGMENTATION))
    if parsed.kind == "synth":
        # Whatever the training data lack, the validation is of the whole world: runs that differ in that are compared.
        whole = replace(parsed, lacking=())
        return learnt, _synthetic(whole, _VALIDATION_SEED + seed, validation_clips)
    if parsed.kind in {"ma52", "mma52", "imigue"}:
        if parsed.split == "val":
            raise MarEdgeError(f"'{spec}' is what is validated on otherwise; name another set with --validation")
        return learnt, _open_stored(parsed, "val", labels, NO_AUGMENTATION)
    assert isinstance(learnt, StoredDataset)
    return hold_out(learnt, validation_share, seed)


def _synthetic(
    spec: DataSpec, seed: int, count: int, *, world: World = TRAINING, augmentation: Augmentation = NO_AUGMENTATION
) -> SyntheticDataset:
    return SyntheticDataset(
        seed,
        count,
        live=spec.live,
        world=world.without(*spec.lacking) if spec.lacking else world,
        augmentation=augmentation,
        concurrent=spec.concurrent,
        lacking=spec.lacking,
    )


def _open_stored(
    parsed: DataSpec, split: Split, labels: tuple[Label, ...] | None, augmentation: Augmentation
) -> StoredDataset:
    if parsed.kind == "recordings":
        return open_recordings(parsed.path, labels=labels, augmentation=augmentation)
    if parsed.kind == "npz":
        return open_archive(parsed.path, augmentation=augmentation)
    if parsed.kind == "mma52":
        return open_mma52(parsed.path, split, labels=labels, augmentation=augmentation)
    assert parsed.kind != "synth"
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
