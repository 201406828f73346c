"""Metrics of a classifier on labeled clips: of classes, of body groups, and of its probabilities. numpy only.

Conventions, those of the published figures on MA-52 (scikit-learn's defaults):

- A class counts in macro F1 if it occurs or was predicted. If it was predicted but never occurs, its F1 is 0. A class
  that neither occurs nor was predicted is left out; in the arrays its precision, recall and F1 are 0.
- Micro F1 equals accuracy, since each clip has one true and one predicted class.
- The predicted body group is that of the most probable action, not the group with the largest summed probability.
  MA-52 derives body labels from action ids, so the two levels cannot contradict each other.
- "No action" is a class and a group like any other. Published figures have no such class. ``without_background`` leaves
  out its clips and never predicts it.
- Equal logits are ranked by index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.labels import Label

CONFIDENCE_BINS = 15


@dataclass(frozen=True)
class ClassScores:
    """Metrics that follow from a confusion matrix.

    confusion: (K, K) int64; [i, j] counts clips of class i predicted as class j.
    precision, recall, f1: (K,) float64 in [0, 1]. support: (K,) int64, clips of each class.
    """

    confusion: NDArray[np.int64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]
    f1_macro: float
    f1_micro: float


@dataclass(frozen=True)
class Scores(ClassScores):
    """Metrics of single classes. topK: share of clips whose class is among the K most probable."""

    top1: float
    top3: float
    top5: float
    mean_ap: None = None

    @property
    def best(self) -> float:
        """The figure by which the best checkpoint is chosen."""
        return self.f1_macro

    def figures(self, labels: Sequence[Label]) -> dict[str, float]:
        """Return figures by name, for a checkpoint's description."""
        figures = {"top1": self.top1, "top3": self.top3, "f1_macro": self.f1_macro}
        return figures | {f"f1 {label.name}": float(value) for label, value in zip(labels, self.f1, strict=True)}


@dataclass(frozen=True)
class Reliability:
    """Confidence, the largest probability of a clip, compared with accuracy, in equal bins over [0, 1].

    counts: (bins,) clips in each bin. confidence, accuracy: (bins,) their means; 0 in an empty bin.

    error: expected calibration error, the mean of |confidence - accuracy| over all clips, in [0, 1].
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    error: float


def score(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Scores:
    """Compare logits (N, K), or any scores of the same order, with labels (N,) in [0, K), N >= 1."""
    K = logits.shape[1]
    ranked = rank(logits)
    hit = ranked == labels[:, None]
    top1, top3, top5 = (float(hit[:, :k].any(axis=1).mean()) for k in (1, 3, 5))
    tally = score_confusion(count_confusion(labels, ranked[:, 0], K))
    return Scores(**vars(tally), top1=top1, top3=top3, top5=top5)


def rank(logits: NDArray[np.float32]) -> NDArray[np.intp]:
    """Rank the classes of logits (N, K): indices (N, K), most probable first."""
    return np.argsort(-logits, axis=1, kind="stable")


def count_confusion(labels: NDArray[np.int64], predicted: NDArray[np.intp], num_classes: int) -> NDArray[np.int64]:
    """Count true (N,) and predicted (N,) classes in a matrix (K, K) with a row for each true class."""
    confusion = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    return confusion


def score_confusion(confusion: NDArray[np.int64]) -> ClassScores:
    """Compute precision, recall and F1 from a confusion matrix (K, K) of at least one clip."""
    hits = np.diag(confusion)
    predicted, true = confusion.sum(axis=0), confusion.sum(axis=1)
    f1 = 2 * hits / np.maximum(predicted + true, 1)
    return ClassScores(
        confusion=confusion,
        precision=hits / np.maximum(predicted, 1),
        recall=hits / np.maximum(true, 1),
        f1=f1,
        support=true,
        f1_macro=float(f1[predicted + true > 0].mean()),
        f1_micro=float(hits.sum() / confusion.sum()),
    )


def fold_confusion(confusion: NDArray[np.int64], groups: Sequence[int]) -> NDArray[np.int64]:
    """Sum a matrix (K, K) over groups to (G, G), where class k belongs to group ``groups[k]`` of 0 to G-1."""
    member = np.eye(max(groups) + 1, dtype=np.int64)[list(groups)]  # (K, G)
    folded: NDArray[np.int64] = member.T @ confusion @ member
    return folded


def f1_mean(action: ClassScores, body: ClassScores) -> float:
    """Return MA-52's main figure: the mean of macro and micro F1 of actions and of body groups."""
    return (action.f1_macro + action.f1_micro + body.f1_macro + body.f1_micro) / 4


def without_background(
    logits: NDArray[np.float32], labels: NDArray[np.int64], background: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Leave out clips of the background from logits (N, K) and labels (N,), and make it the least probable class.

    Returns:
        Logits (M, K) and labels (M,). Class indices keep their meaning.
    """
    acting = labels != background
    logits = logits[acting].copy()
    logits[:, background] = -np.inf
    return logits, labels[acting]


def score_reliability(
    probs: NDArray[np.float32], labels: NDArray[np.int64], bins: int = CONFIDENCE_BINS
) -> Reliability:
    """Compare probabilities (N, K), N >= 1, with accuracy (Guo et al., On Calibration of Modern Neural Networks)."""
    largest = probs.max(axis=1).astype(np.float64)
    correct = (rank(probs)[:, 0] == labels).astype(np.float64)
    # A bin holds its upper edge and not its lower one.
    place = np.clip(np.ceil(largest * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    confidence = np.bincount(place, largest, minlength=bins) / np.maximum(counts, 1)
    accuracy = np.bincount(place, correct, minlength=bins) / np.maximum(counts, 1)
    error = float((counts * np.abs(confidence - accuracy)).sum() / len(labels))
    return Reliability(counts, confidence, accuracy, error)
