"""Scores of a model of skeletons and of a model of pictures -> one score per label. One formula.

Knows nothing of time, people or events.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import ModelMetadata

# Scores have six decimals, so 0 means less than this.
_LEAST = 1e-6


class Fusion:
    """Joins the scores of labels that two models share, by name.

    Args:
        main: model of skeletons; its labels are those of the result.
        pictures: model of pictures.
        weight: share of the latter, in [0, 1].

    Raises:
        MarEdgeError: they share no label.
    """

    def __init__(self, main: ModelMetadata, pictures: ModelMetadata, weight: float) -> None:
        places = {label.name: k for k, label in enumerate(pictures.labels) if k != pictures.background}
        shared = [
            (k, places[label.name])
            for k, label in enumerate(main.labels)
            if k != main.background and label.name in places
        ]
        if not shared:
            raise MarEdgeError(
                f"'{main.name}' and '{pictures.name}' share no label, so their scores cannot be joined; give models of "
                "the same labels, or one of them"
            )
        self._here, self._there = np.array(shared).T
        self._theirs = np.array(list(places.values()))
        self._acts = np.array([k != main.background for k in range(len(main.labels))])
        self._weight = weight

    def fused(self, scores: NDArray[np.float32], said: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores (K,) of both, for ``scores`` (K,) from skeletons and those ``said`` (L,) from pictures.

        A model of pictures without a background class says which action it is, not whether there is one. So its scores
        count relative to its best label, times the best score from skeletons. The result is the weighted mean of both
        logarithms: never above the best score from skeletons, and equal to it where both name the same label.
        Background and labels that only skeletons have stay as they are.
        """
        p, q = scores.astype(np.float64), said.astype(np.float64)
        best = q[self._theirs].max()
        if best <= 0.0:
            return scores
        relative = q[self._there] / best * p[self._acts].max()
        ours = p[self._here]
        mean = (1.0 - self._weight) * np.log(np.maximum(ours, _LEAST))
        mean += self._weight * np.log(np.maximum(relative, _LEAST))
        p[self._here] = np.where(ours > 0.0, np.exp(mean), 0.0)
        return p.astype(np.float32)
