"""From logits to scores: how likely each label is, in [0, 1], by itself. Pure functions; run no network.

A score means the same for every activation. Several labels may be high together; when nothing happens, all are low. So
thresholds, events and messages need not know the activation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.model_file import ModelMetadata


def probs_of(logits: NDArray[np.float32], metadata: ModelMetadata) -> NDArray[np.float32]:
    """Return the probs (N, K) that a graph gives for logits (N, K): activation(logits / T)."""
    z = logits.astype(np.float64) / metadata.temperature
    return (_sigmoid(z) if metadata.activation == "sigmoid" else _softmax(z)).astype(np.float32)


def scores_of(logits: NDArray[np.float32], metadata: ModelMetadata) -> NDArray[np.float32]:
    """Return the scores (N, K) of logits (N, K).

    Sigmoid networks: sigmoid(z_k / T). Softmax networks with a background class: sigmoid((z_k - z_background) / T), the
    label against "nothing happens", whatever the other labels are. Softmax networks without one: the softmax.
    """
    if metadata.activation == "softmax" and metadata.background is None:
        return probs_of(logits, metadata)
    z = logits.astype(np.float64) / metadata.temperature
    if metadata.background is not None:
        z = z - z[:, [metadata.background]]
    return _with_background(_sigmoid(z).astype(np.float32), metadata)


def adjusted(
    scores: NDArray[np.float32], shift: NDArray[np.float64], detectable: NDArray[np.bool_], metadata: ModelMetadata
) -> NDArray[np.float32]:
    """Return scores (N, K) as if ``shift`` (K,) had been added to the logits, 0 where not ``detectable`` (N, K).

    Adding to a logit multiplies the odds.
    """
    p = scores.astype(np.float64)
    likely = p * np.exp(shift)
    if metadata.activation == "softmax" and metadata.background is None:
        p = likely / likely.sum(axis=1, keepdims=True)
    else:
        p = likely / (likely + 1.0 - p)
    return _with_background((p * detectable).astype(np.float32), metadata)


def averaged(scores: NDArray[np.float32], metadata: ModelMetadata) -> NDArray[np.float32]:
    """Return the scores (N, K) of N windows from those of S views of each, (N, S, K), the longest view first.

    The mean, except for labels with a taught head: those were fitted to, and have their thresholds for, the first view.
    """
    mean: NDArray[np.float32] = scores.mean(axis=1, dtype=np.float64).astype(np.float32)
    if metadata.taught is not None:
        heads = {head.label for head in metadata.taught.heads}
        taught = [index for index, label in enumerate(metadata.labels) if label.name in heads]
        mean[:, taught] = scores[:, 0, taught]
    return _with_background(mean, metadata)


def _with_background(p: NDArray[np.float32], metadata: ModelMetadata) -> NDArray[np.float32]:
    """Give the background, if there is one, what the surest action leaves."""
    if metadata.background is not None:
        p[:, metadata.background] = 1.0 - np.delete(p, metadata.background, axis=1).max(axis=1, initial=0.0)
    return p


def _sigmoid(z: NDArray[np.float64]) -> NDArray[np.float64]:
    half: NDArray[np.float64] = np.tanh(0.5 * z)
    return 0.5 + 0.5 * half


def _softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(z - z.max(axis=1, keepdims=True))
    probs: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return probs
