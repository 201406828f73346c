"""Targets of a batch, for a network with a sigmoid for each label, without the background. numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mar_edge.training.datasets.base import ClipBatch


def targets_of(batch: ClipBatch, num_labels: int, background: int | None) -> NDArray[np.float32]:
    """Return targets (N, K) as in ``ClipBatch``; 1 for the label of a clip with one label, 0 for ``background``."""
    if batch.targets is not None:
        return batch.targets
    targets = np.eye(num_labels, dtype=np.float32)[batch.labels]
    targets[batch.labels < 0] = 0
    if background is not None:
        targets[:, background] = 0
    return targets


def without_background(targets: NDArray[np.float32], background: int | None) -> NDArray[np.float32]:
    """Return targets (N, K - 1) without the column of the background, or all (N, K) if there is none."""
    return targets if background is None else np.delete(targets, background, axis=1)
