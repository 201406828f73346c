"""Clips in memory, as every reader of files returns them. Knows no file formats."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import BACKGROUND_NAME, Label
from mar_edge.edge.layout import Layout
from mar_edge.edge.preprocess import fill_missing
from mar_edge.training.augment import NO_AUGMENTATION, Augmentation, network_input
from mar_edge.training.datasets.base import ClipBatch

UNKNOWN = -1


def background_of(labels: Sequence[Label]) -> int | None:
    """Return the index of the background, "no action", if there is one."""
    return next((index for index, label in enumerate(labels) if label.name == BACKGROUND_NAME), None)


def checked_clip(clip: NDArray[Any], layout: Layout, source: str) -> NDArray[np.float32]:
    """Return a clip (T, V, 2) as a data set stores it: float32, unseen joints filled as in live use.

    Raises:
        MarEdgeError: it has another shape, no frame, or infinite coordinates; ``source`` names it in the message.
    """
    V = layout.num_joints
    if clip.ndim != 3 or clip.shape[0] < 1 or clip.shape[1:] != (V, 2):
        raise MarEdgeError(
            f"{source} has the shape {clip.shape}; a clip of the layout {layout.name} is (T, {V}, 2) with T >= 1"
        )
    frames = clip.astype(np.float32)
    if np.isinf(frames).any():
        raise MarEdgeError(f"{source} holds infinite coordinates; a joint that was not seen is NaN")
    return fill_missing(frames, layout)


def shows_nobody(clip: NDArray[Any]) -> bool:
    """Return True if no joint of a clip was seen: all are NaN, or at (0, 0), as many pose stages write it."""
    return not np.nan_to_num(np.asarray(clip, np.float64)).any()


@dataclass(frozen=True)
class StoredDataset:
    """A ``Dataset`` of N clips.

    clips: (T, V, 2) float32 each, without NaN (``checked_clip``). clip_names: one each.

    clip_labels: (N,) int64 index into ``labels``; None if they are unknown, as in a test set without labels.

    clip_targets: (N, K) float32 as in ``ClipBatch``; None if each clip has one label.

    groups: (N,) int64. Clips of one group are from one recording, and stay together when the set is split.

    clip_weights: (N,) how often each clip is drawn in training, relative to the others; None draws each once an epoch.

    recordings: fingerprints of the recordings that the clips were cut from, where there are any.

    notes: what a user should know about how the clips were chosen, a line each.
    """

    name: str
    layout: Layout
    labels: tuple[Label, ...]
    clips: Sequence[NDArray[np.float32]]
    clip_labels: NDArray[np.int64] | None
    clip_names: Sequence[str]
    groups: NDArray[np.int64]
    augmentation: Augmentation = NO_AUGMENTATION
    clip_targets: NDArray[np.float32] | None = None
    clip_weights: NDArray[np.float64] | None = None
    recordings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def background(self) -> int | None:
        """See ``Dataset``."""
        return background_of(self.labels)

    def __len__(self) -> int:
        return len(self.clips)

    def known_labels(self) -> NDArray[np.int64]:
        """Return the label (N,) of each clip.

        Raises:
            MarEdgeError: they are unknown.
        """
        if self.clip_labels is None:
            raise MarEdgeError(f"{self.name}: its labels are unknown, so it cannot be used to train or to evaluate")
        return self.clip_labels

    def class_counts(self) -> NDArray[np.int64]:
        """See ``Dataset``; clips of unknown label are not counted."""
        known = np.empty(0, np.int64) if self.clip_labels is None else self.clip_labels
        return np.bincount(known, minlength=len(self.labels)).astype(np.int64)

    def label_rates(self) -> NDArray[np.float64]:
        """See ``Dataset``; of clips that show several labels, the sum of their known targets."""
        if self.clip_targets is None:
            return self.class_counts().astype(np.float64)
        rates: NDArray[np.float64] = np.nansum(self.clip_targets, axis=0, dtype=np.float64)
        return rates

    def clip_name(self, index: int) -> str:
        """See ``Dataset``."""
        return self.clip_names[index]

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None = None) -> ClipBatch:
        """See ``Dataset``."""
        skeleton, index_t = network_input([self.clips[i] for i in indices], self.layout, self.augmentation, rng)
        known = self.clip_labels
        labels = np.full(len(indices), UNKNOWN, np.int64) if known is None else known[indices]
        targets = None if self.clip_targets is None else self.clip_targets[indices]
        return ClipBatch(skeleton, index_t, labels, targets)

    def digest(self) -> str:
        """Return a hash of its clips and labels."""
        hashed = hashlib.blake2b(repr(self.labels).encode(), digest_size=16)
        hashed.update(self.known_labels().tobytes())
        if self.clip_targets is not None:
            hashed.update(self.clip_targets.tobytes())
        for clip in self.clips:
            hashed.update(str(clip.shape).encode())
            hashed.update(clip.tobytes())
        return hashed.hexdigest()

    def only(self, indices: NDArray[np.int64], part: str) -> StoredDataset:
        """Return a data set of these clips, named as ``part`` of this one."""
        short, _, _ = self.name.partition(",")
        return replace(
            self,
            name=f"{short}, {part}, {len(indices)} clips",
            clips=[self.clips[i] for i in indices],
            clip_labels=self.known_labels()[indices],
            clip_names=[self.clip_names[i] for i in indices],
            groups=self.groups[indices],
            clip_targets=None if self.clip_targets is None else self.clip_targets[indices],
            clip_weights=None if self.clip_weights is None else self.clip_weights[indices],
        )


class Divisible(Protocol):
    """A data set that can be split. groups: (N,) int64, see ``StoredDataset``."""

    @property
    def name(self) -> str:
        """See ``LabeledClips``."""

    @property
    def groups(self) -> NDArray[np.int64]:
        """Clips of one group stay together."""

    def __len__(self) -> int: ...

    def only(self: D, indices: NDArray[np.int64], part: str) -> D:
        """Return a data set of these clips, named as ``part`` of this one."""


D = TypeVar("D", bound=Divisible)


def hold_out(dataset: D, share: float, seed: int) -> tuple[D, D]:
    """Split a set without sharing recordings: one to train on, and about ``share`` of the clips to validate on.

    Whole recordings are drawn, because neighboring clips of one person resemble each other. A set of one recording is
    split by clips.
    """
    groups = dataset.groups if len(np.unique(dataset.groups)) > 1 else np.arange(len(dataset))
    drawn = np.random.default_rng(seed).permutation(np.unique(groups))
    sizes = np.array([(groups == group).sum() for group in drawn])
    # At least one group on either side.
    count = int(np.clip(np.searchsorted(np.cumsum(sizes), share * len(dataset)) + 1, 1, max(len(drawn) - 1, 1)))
    held = np.isin(groups, drawn[:count])
    if held.all():
        raise MarEdgeError(f"{dataset.name}: a single clip cannot be split; name another set with --validation")
    return dataset.only(np.flatnonzero(~held), "train"), dataset.only(np.flatnonzero(held), "held out")
