"""Data sets by their names on the command line: ``synth``, ``ma52:FOLDER``, ``recordings:FOLDER``, ``clips.npz``.

For ablations, parts of the synthetic world can be left out: ``synth-concurrent:no-drag,no-noise``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.labels import Label
from mar_edge.streaming.recording.corrections import CORRECTIONS_FILE
from mar_edge.training.augment import NO_AUGMENTATION, Augmentation
from mar_edge.training.datasets.archive import open_archive
from mar_edge.training.datasets.authors import SPLITS, Split, open_authors
from mar_edge.training.datasets.base import Dataset
from mar_edge.training.datasets.corrected import corrected_folder
from mar_edge.training.datasets.corrections import open_corrections
from mar_edge.training.datasets.mma52 import open_mma52
from mar_edge.training.datasets.recordings import LABEL_FILE, open_recordings
from mar_edge.training.datasets.stored import StoredDataset, hold_out
from mar_edge.training.datasets.synthetic import SyntheticDataset
from mar_edge.training.synth.chunks import CHUNK
from mar_edge.training.synth.world import HELD_OUT, TRAINING, World

SYNTHETIC, SYNTHETIC_LIVE, SYNTHETIC_CONCURRENT = "synth", "synth-live", "synth-concurrent"
_FORMS = (
    "synth, synth-live, synth-concurrent (without parts: synth-concurrent:no-drag,no-noise). Or ma52:FOLDER, "
    "mma52:FOLDER, imigue:FOLDER (one split: ma52-test:FOLDER), recordings:FOLDER, corrections:FOLDER, "
    "videos:LIST, videos:FOLDER, an .npz file of 'mar-edge synth'"
)
_PARTS = tuple(f"-{split}" for split in SPLITS)
_FILES = {
    "recordings": ("*.jsonl", LABEL_FILE),
    "corrections": ("*.jsonl", CORRECTIONS_FILE),
    "mma52": ("*.csv", "skeletons/*.jsonl"),
    "videos": ("*.txt",),
}
# Seeds outside the range of training: for validation clips (plus the run's seed) and for evaluation clips.
_VALIDATION_SEED = 1_000_003
_EVALUATION_SEED = 2_000_003
_EVALUATION_CLIPS = 4096
# Share of windows in ``synth-live``; the other half is clips of one action.
LIVE_SHARE = 0.5
# Share of windows in ``synth-concurrent``.
CONCURRENT_SHARE = 176 / CHUNK
_LIVE = {SYNTHETIC: 0.0, SYNTHETIC_LIVE: LIVE_SHARE, SYNTHETIC_CONCURRENT: CONCURRENT_SHARE}


@dataclass(frozen=True)
class DataSpec:
    """A parsed spec. split: None if it names none.

    live, concurrent, lacking: of synthetic motion, as in ``SyntheticDataset``.
    """

    kind: Literal["synth", "ma52", "mma52", "imigue", "videos", "recordings", "corrections", "npz"]
    path: Path
    split: Split | None
    live: float = 0.0
    concurrent: bool = False
    lacking: tuple[str, ...] = ()


def parse_spec(spec: str) -> DataSpec:
    """Parse a spec of a data set.

    Raises:
        MarEdgeError: it has no known form; the message lists them.
    """
    word, colon, path = spec.partition(":")
    kind, _, split = word.partition("-")
    lacking = path.split(",") if colon else []
    if word in _LIVE and all(name.startswith("no-") for name in lacking):
        without = tuple(name.removeprefix("no-") for name in lacking)
        return DataSpec("synth", Path(), None, _LIVE[word], word == SYNTHETIC_CONCURRENT, without)
    if colon and path and word == "recordings":
        return DataSpec("recordings", Path(path), None)
    if colon and path and word == "corrections":
        return DataSpec("corrections", corrected_folder(Path(path)), None)
    for released in ("ma52", "mma52", "imigue", "videos"):
        for name in (None, *SPLITS):
            if colon and path and kind == released and split == (name or ""):
                return DataSpec(released, Path(path), name)
    if spec.endswith(".npz"):
        return DataSpec("npz", Path(spec), None)
    kinds = [
        "recordings",
        "corrections",
        *(f"{layout}{part}" for layout in ("ma52", "imigue", "videos") for part in ("", *_PARTS)),
    ]
    close = did_you_mean(word, kinds if colon else [SYNTHETIC, SYNTHETIC_LIVE])
    raise MarEdgeError(f"no data set '{spec}'; it is one of: {_FORMS}{close}")


def files_of(spec: str) -> list[Path]:
    """Return the existing files of a data set.

    Raises:
        MarEdgeError: no such data set.
    """
    parsed = parse_spec(spec)
    if parsed.kind == "synth":
        return []
    if parsed.path.is_file():
        return [parsed.path]
    patterns = _FILES.get(parsed.kind, ("*_data.pkl", "*_label.pkl"))
    return sorted(path for pattern in patterns for path in parsed.path.glob(pattern))


def open_dataset(spec: str, *, labels: tuple[Label, ...] | None = None) -> Dataset:
    """Open a data set for evaluation.

    For MA-52 and iMiGUE this is the validation split unless ``spec`` names another. The test split may lack labels.
    Synthetic sets are 4,096 clips of a world that is never used in training.

    Raises:
        MarEdgeError: there is no such data set, or it is invalid.
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
    participants: Collection[str] = (),
) -> tuple[Dataset, Dataset]:
    """Open a data set for training, augmented, and one for validation.

    Without ``validation``, the second is the validation split of MA-52 and iMiGUE, or other seeds of synthetic motion.
    Of any other data it is ``validation_share`` of the recordings, which are held out from training.

    Args:
        participants: whose corrections to train on; everybody's if none is named.

    Raises:
        MarEdgeError: there is no such data set, it is invalid, or the two differ in labels or skeletons.
    """
    parsed = parse_spec(spec)
    if parsed.kind == "synth":
        training: Dataset = _synthetic(parsed, seed, synthetic_clips, augmentation=augmentation)
    else:
        training = _open_stored(parsed, parsed.split or "train", labels, augmentation, participants)
    if validation is not None:
        given = parse_spec(validation)
        if given.kind == "synth":
            return _fitting(training, _synthetic(given, _VALIDATION_SEED + seed, validation_clips))
        # Recordings have only the classes that occur, so the validation set takes those of the training set.
        return _fitting(training, _open_stored(given, given.split or "val", labels or training.labels, NO_AUGMENTATION))
    if parsed.kind == "synth":
        # Ablations are compared with each other, so all validate on the complete world.
        whole = replace(parsed, lacking=())
        return training, _synthetic(whole, _VALIDATION_SEED + seed, validation_clips)
    if parsed.kind in {"ma52", "mma52", "imigue"}:
        if parsed.split == "val":
            raise MarEdgeError(f"'{spec}' is the default validation set; name another one with --validation")
        return training, _open_stored(parsed, "val", labels, NO_AUGMENTATION)
    assert isinstance(training, StoredDataset)
    learned, held = hold_out(training, validation_share, seed)
    return learned, replace(held, augmentation=NO_AUGMENTATION)


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
    parsed: DataSpec,
    split: Split,
    labels: tuple[Label, ...] | None,
    augmentation: Augmentation,
    participants: Collection[str] = (),
) -> StoredDataset:
    if parsed.kind == "recordings":
        return open_recordings(parsed.path, labels=labels, augmentation=augmentation)
    if parsed.kind == "corrections":
        return open_corrections(parsed.path, labels=labels, participants=participants, augmentation=augmentation)
    if parsed.kind == "npz":
        return open_archive(parsed.path, augmentation=augmentation)
    if parsed.kind == "mma52":
        return open_mma52(parsed.path, split, labels=labels, augmentation=augmentation)
    if parsed.kind == "videos":
        raise MarEdgeError(f"videos:{parsed.path} holds pictures; this network takes skeletons, such as ma52:FOLDER")
    assert parsed.kind != "synth"
    return open_authors(
        parsed.path, parsed.kind, split, labels_required=split != "test", labels=labels, augmentation=augmentation
    )


def _fitting(training: Dataset, validation: Dataset) -> tuple[Dataset, Dataset]:
    if training.layout != validation.layout or training.labels != validation.labels:
        raise MarEdgeError(
            f"cannot validate {training.name} ({training.layout.name}, {len(training.labels)} labels) on "
            f"{validation.name} ({validation.layout.name}, {len(validation.labels)} labels): they must have the same "
            "labels and skeletons"
        )
    return training, validation
