"""Synthetic clips among a few real ones, so that a network does not forget what the real ones do not show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mar_edge.training.datasets.opening import CONCURRENT_SHARE
from mar_edge.training.datasets.stored import StoredDataset
from mar_edge.training.datasets.synthetic import LAYOUT
from mar_edge.training.datasets.windows import most_shown
from mar_edge.training.synth.chunks import CHUNK, make_chunk
from mar_edge.training.synth.generator import CLASSES
from mar_edge.training.synth.world import TRAINING

# 3,072 clips: enough that few hundred steps see each only a few times.
_CHUNKS = 12
# Apart from the clips of training and validation with the same seed.
_SEED = 3_000_003


def with_synthetic(dataset: StoredDataset, share: float, seed: int) -> StoredDataset:
    """Add clips as ``synth-concurrent`` has them, which training then draws with probability ``share``, in [0, 1).

    Labels that synthetic motion does not have are unknown in them. If it has none of the labels, or another layout, or
    if the data set has no targets, nothing is added.
    """
    by_name = {label.name: k for k, label in enumerate(CLASSES)}
    shared = [k for k, label in enumerate(dataset.labels) if label.name in by_name and k != dataset.background]
    if not share or dataset.clip_targets is None or dataset.layout.name != LAYOUT or not shared:
        return dataset
    N, M = len(dataset), _CHUNKS * CHUNK
    chunks = [
        make_chunk(_SEED + seed, number, live=CONCURRENT_SHARE, world=TRAINING, concurrent=True)
        for number in range(_CHUNKS)
    ]
    made = np.concatenate([chunk.targets for chunk in chunks if chunk.targets is not None])  # (M, classes of CLASSES)
    targets = np.full((M, len(dataset.labels)), np.nan, np.float32)
    targets[:, shared] = made[:, [by_name[dataset.labels[k].name] for k in shared]]
    if dataset.background is not None:
        targets[:, dataset.background] = 0
    return replace(
        dataset,
        name=f"{dataset.name}; {share:.0%} of what is drawn are synthetic clips",
        clips=[*dataset.clips, *(clip for chunk in chunks for clip in chunk.joints)],
        clip_labels=np.concatenate([dataset.known_labels(), most_shown(np.nan_to_num(targets), dataset.background)]),
        clip_names=[*dataset.clip_names, *(f"synthetic {seed}-{i}" for i in range(M))],
        groups=np.concatenate([dataset.groups, dataset.groups.max() + 1 + np.arange(M)]),
        clip_targets=np.concatenate([dataset.clip_targets, targets]),
        clip_weights=np.concatenate([np.full(N, (1 - share) / N), np.full(M, share / M)]),
    )
