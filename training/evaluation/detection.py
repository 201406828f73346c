"""Detection mAP: predicted intervals compared with true ones, by the metric of multi-label micro-action detection.

Li et al., MMAD: Multi-label Micro-Action Detection in Videos, ICCV 2025; as its starter kits compute it. numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TIOUS = tuple(round(0.1 * step, 1) for step in range(1, 10))
"""Overlap thresholds; the published figure is the mean over them."""
_EPSILON_S = 1e-4  # added to a union by the starter kit, against division by zero


@dataclass(frozen=True)
class Intervals:
    """N intervals of several recordings. video, label: (N,) int64. start_s, end_s: (N,) float64.

    score: (N,) float64 of predicted ones; ignored for true ones.
    """

    video: NDArray[np.int64]
    label: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    score: NDArray[np.float64]

    @classmethod
    def of(cls, rows: NDArray[np.float64]) -> Intervals:
        """Convert rows (N, 4) or (N, 5): video, label, start, end, and the score, by default 1."""
        rows = np.asarray(rows, np.float64)
        score = rows[:, 4] if rows.shape[1] > 4 else np.ones(len(rows))
        return cls(rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2], rows[:, 3], score)

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Intervals:
        """Return a selection."""
        return Intervals(*(getattr(self, name)[which] for name in ("video", "label", "start_s", "end_s", "score")))

    def __len__(self) -> int:
        return len(self.video)


def average_precisions(
    found: Intervals, true: Intervals, num_labels: int, tious: tuple[float, ...] = TIOUS
) -> NDArray[np.float64]:
    """Compute the AP of each label at each overlap threshold.

    Predicted intervals are matched by falling score. Each takes the unmatched true one of its recording and label that
    it overlaps most, if the overlap reaches the threshold. AP is the area under precision over recall, with precision
    made non-increasing.

    Returns:
        (len(tious), num_labels); NaN for labels without a true interval, 0 for those without a predicted one.
    """
    aps = np.full((len(tious), num_labels), np.nan)
    for label in np.unique(true.label):
        mine = found.take(found.label == label)
        mine = mine.take(np.argsort(-mine.score, kind="stable"))
        theirs = true.take(true.label == label)
        overlaps = _tiou(mine, theirs)
        for row, least in enumerate(tious):
            aps[row, label] = _area(_hits(overlaps, least), len(theirs))
    return aps


def mean_ap(aps: NDArray[np.float64]) -> float | None:
    """Return the mean over labels that occur and over thresholds; None if none occurs."""
    known = aps[np.isfinite(aps)]
    return float(known.mean()) if len(known) else None


def window_precisions(scores: NDArray[np.float32], shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Compute the average precision (K,) of each label over windows (N, K); NaN if no window shows it.

    It is the mean of the precision at each window that shows the label. Windows of equal score count together.
    """
    aps = np.full(scores.shape[1], np.nan)
    for k in np.flatnonzero(shown.any(axis=0)):
        order = np.argsort(-scores[:, k], kind="stable")
        score, hit = scores[order, k], shown[order, k]
        last = np.append(score[1:] < score[:-1], True)
        found = np.cumsum(hit)[last]
        precision = found / (np.flatnonzero(last) + 1)
        aps[k] = (np.diff(found, prepend=0) * precision).sum() / hit.sum()
    return aps


def _tiou(found: Intervals, true: Intervals) -> NDArray[np.float64]:
    """Compute intersection over union, (found, true); -1 in different recordings."""
    start, end = found.start_s[:, None], found.end_s[:, None]
    together = np.clip(np.minimum(end, true.end_s) - np.maximum(start, true.start_s), 0, None)
    union = (end - start) + (true.end_s - true.start_s) - together + _EPSILON_S
    return np.where(found.video[:, None] == true.video, together / union, -1.0)


def _hits(overlaps: NDArray[np.float64], least: float) -> NDArray[np.bool_]:
    """Return which (found,) of the predicted intervals, in order, take a true one."""
    free = np.ones(overlaps.shape[1], np.bool_)
    hits = np.zeros(len(overlaps), np.bool_)
    for i in np.flatnonzero((overlaps >= least).any(axis=1)):
        best = int(np.argmax(np.where(free, overlaps[i], -2.0)))
        hits[i] = free[best] and overlaps[i, best] >= least
        free[best] &= not hits[i]
    return hits


def _area(hits: NDArray[np.bool_], count: int) -> float:
    found = np.cumsum(hits)
    precision = np.concatenate([[0.0], found / np.arange(1, len(hits) + 1), [0.0]])
    recall = np.concatenate([[0.0], found / count, [1.0]])
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * precision[1:]).sum())
