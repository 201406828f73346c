"""Metrics of a network that predicts several labels at once, over windows with targets. numpy only.

A window shows a label if its target is 0.5 or more. With a target between 0 and 0.5, or an unknown one, it is ignored
for that label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.labels import Label

_SHOWN = 0.5


@dataclass(frozen=True)
class LabelScores:
    """Metrics of windows.

    average_precision, f1: (K,) float64 in [0, 1]; NaN for labels that no window shows. f1 is for a threshold of 0.5.

    top1, top3: share of windows whose label is the most probable, or among the three most probable. Only windows that
    show exactly one label count.
    """

    average_precision: NDArray[np.float64]
    f1: NDArray[np.float64]
    mean_ap: float
    f1_macro: float
    top1: float
    top3: float

    @property
    def best(self) -> float:
        """The figure by which the best checkpoint is chosen."""
        return self.mean_ap

    def figures(self, labels: tuple[Label, ...]) -> dict[str, float]:
        """Return figures by name, for a checkpoint's description."""
        figures = {"mean_ap": self.mean_ap, "top1": self.top1, "top3": self.top3, "f1_macro": self.f1_macro}
        named = zip(labels, self.average_precision, strict=True)
        return figures | {f"ap {label.name}": float(value) for label, value in named if not np.isnan(value)}


def score_labels(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> LabelScores:
    """Compare logits (N, K), whose sigmoids are probabilities, with targets (N, K) from 0 to 1, NaN if unknown."""
    shown = targets >= _SHOWN
    counted = shown | (targets <= 0)
    K = targets.shape[1]
    precision = np.array([_average_precision(logits[counted[:, k], k], shown[counted[:, k], k]) for k in range(K)])
    predicted = (logits > 0) & counted
    hits = (predicted & shown).sum(axis=0)
    f1 = np.where(shown.any(axis=0), 2 * hits / np.maximum(predicted.sum(axis=0) + shown.sum(axis=0), 1), np.nan)
    alone = np.flatnonzero(shown.sum(axis=1) == 1)
    ranked = np.argsort(-logits[alone], axis=1, kind="stable")
    hit = np.take_along_axis(shown[alone], ranked, axis=1)
    top1, top3 = (float(hit[:, :k].any(axis=1).mean()) if len(alone) else 0.0 for k in (1, 3))
    return LabelScores(precision, f1, _mean(precision), _mean(f1), top1, top3)


def _average_precision(scores: NDArray[np.float32], shown: NDArray[np.bool_]) -> float:
    """Return the mean precision at each window that shows the label; NaN if none does."""
    if not shown.any():
        return float("nan")
    ranked = shown[np.argsort(-scores, kind="stable")]
    found = np.cumsum(ranked)
    places = np.flatnonzero(ranked)
    return float((found[places] / (places + 1)).mean())


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0
