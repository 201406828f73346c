"""Scores of a network during training, on held-out clips. PyTorch; knows nothing of training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from mar_edge.edge.choices import Stream
from mar_edge.edge.network.inputs import stream_input
from mar_edge.edge.network.mmn import MMN
from mar_edge.training.datasets.base import ClipBatch, Dataset
from mar_edge.training.metrics import Scores, score
from mar_edge.training.multilabel import LabelScores, score_labels
from mar_edge.training.targets import targets_of, without_background

_BATCH = 256


class ValidationClips:
    """The clips of a data set, prepared at the first validation and kept."""

    def __init__(self, dataset: Dataset, several_labels: bool = False) -> None:
        self._dataset = dataset
        self._several_labels = several_labels
        self._starts = range(0, len(dataset), _BATCH)
        self._batches: list[ClipBatch] = []

    @torch.no_grad()
    def scores(self, network: MMN, stream: Stream, should_stop: Callable[[], bool]) -> Scores | LabelScores | None:
        """Return the scores of the network; None if ``should_stop`` returned True on the way."""
        network.eval()
        device = next(network.parameters()).device
        logits = []
        for number in range(len(self._starts)):
            if should_stop():
                return None
            batch = self._batch(number)
            x = stream_input(torch.from_numpy(batch.skeleton).to(device), self._dataset.layout, stream)
            logits.append(network(x, torch.from_numpy(batch.index_t).to(device)).float().cpu().numpy())
        if self._several_labels:
            background = self._dataset.background
            targets = [targets_of(batch, len(self._dataset.labels), background) for batch in self._batches]
            return score_labels(np.concatenate(logits), without_background(np.concatenate(targets), background))
        labels = np.concatenate([batch.labels for batch in self._batches])
        return score(np.concatenate(logits), labels)

    def _batch(self, number: int) -> ClipBatch:
        if number == len(self._batches):
            start = self._starts[number]
            self._batches.append(self._dataset.batch(np.arange(start, min(start + _BATCH, len(self._dataset)))))
        return self._batches[number]
