"""Scores of a classifier over a labelled set. numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scores:
    """confusion[i, j] counts clips of class i taken for class j; f1 (K,) and recall (K,) are per class, in [0, 1]."""

    top1: float
    top3: float
    f1_macro: float
    f1: NDArray[np.float64]
    recall: NDArray[np.float64]
    confusion: NDArray[np.int64]


def score(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Scores:
    """Scores of logits (N, K) against labels (N,), N >= 1. A class that never occurs and is never said has F1 0."""
    N, K = logits.shape
    ranked = np.argsort(-logits, axis=1)
    confusion = np.zeros((K, K), np.int64)
    np.add.at(confusion, (labels, ranked[:, 0]), 1)
    hits = np.diag(confusion)
    said, true = confusion.sum(axis=0), confusion.sum(axis=1)
    f1 = 2 * hits / np.maximum(said + true, 1)
    return Scores(
        top1=float(hits.sum() / N),
        top3=float((ranked[:, :3] == labels[:, None]).any(axis=1).mean()),
        f1_macro=float(f1.mean()),
        f1=f1,
        recall=hits / np.maximum(true, 1),
        confusion=confusion,
    )
