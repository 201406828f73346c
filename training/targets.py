"""What a network with a sigmoid for each label is taught: targets of a batch, without the background. numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mar_edge.training.datasets.base import ClipBatch


def targets_of(batch: ClipBatch, num_labels: int, background: int | None) -> NDArray[np.float32]:
    """(N, K) targets from 0 to 1; of clips with one label, 1 for it. ``background`` is nothing, and 0 throughout."""
    if batch.targets is not None:
        return batch.targets
    targets = np.eye(num_labels, dtype=np.float32)[batch.labels]
    targets[batch.labels < 0] = 0
    if background is not None:
        targets[:, background] = 0
    return targets


def without_background(targets: NDArray[np.float32], background: int | None) -> NDArray[np.float32]:
    """(N, K) -> (N, K - 1), or the same where there is no background."""
    return targets if background is None else np.delete(targets, background, axis=1)
