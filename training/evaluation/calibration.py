"""What a network's confidence is worth on clips it has not seen: a temperature, and what to reject. Pure numpy.

Fit on clips that neither trained the network nor will judge it: on those it was fitted on, every figure flatters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.confidence import Confidence
from edge.model_file import ModelMetadata

TEMPERATURES = (0.05, 20.0)
_BISECTIONS = 60


def fit_confidence(
    metadata: ModelMetadata, logits: NDArray[np.float32], labels: NDArray[np.int64], fitted_on: str
) -> Confidence:
    """Temperature and thresholds for a model file, from logits (N, K) and labels (N,), N >= 1."""
    temperature = fit_temperature(logits, labels)
    thresholds = fit_thresholds(temper(logits, temperature), labels, metadata.background)
    names = [label.name for label in metadata.labels]
    return Confidence(
        temperature=round(temperature, 4),
        thresholds={name: round(float(value), 4) for name, value in zip(names, thresholds, strict=True)},
        fitted_on=fitted_on,
    )


def temper(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """softmax(logits / temperature) of (N, K)."""
    z = logits.astype(np.float64) / temperature
    weights = np.exp(z - z.max(axis=1, keepdims=True))
    probs: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return probs


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The T for which softmax(logits / T) gives the labels the largest likelihood.

    The negative log-likelihood is convex in 1 / T, so its slope there, mean(expected logit - true logit), has one
    zero; it is found by bisection (temperature scaling: Guo et al., On Calibration of Modern Neural Networks).

    Args:
        logits: (N, K), N >= 1. labels: (N,) in [0, K).

    Returns:
        T in ``TEMPERATURES``; an end of it where there is no best one, as when every clip is told right.
    """
    z = logits.astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    true = z[np.arange(len(z)), labels].mean()

    def slope(sharpness: float) -> float:
        weights = np.exp(z * sharpness)
        return float(((weights * z).sum(axis=1) / weights.sum(axis=1)).mean() - true)

    blunt, sharp = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    for _ in range(_BISECTIONS):
        middle = (blunt + sharp) / 2
        if slope(middle) < 0:
            blunt = middle
        else:
            sharp = middle
    return 2 / (blunt + sharp)


def fit_thresholds(
    probs: NDArray[np.float32] | NDArray[np.float64],
    labels: NDArray[np.int64],
    background: int | None,
    *,
    precision: float = 0.7,
    bounds: tuple[float, float] = (0.55, 0.9),
    otherwise: float = 0.55,
    min_clips: int = 10,
) -> NDArray[np.float64]:
    """For each class the smallest probability at which a clip said to be of it mostly is.

    A clip counts for its most probable action, "no action" aside, as live events do: those of nothing in particular
    are the ones to reject. Of the clips that count for a class and reach the threshold, a share of ``precision`` or
    more must be of the class.

    Args:
        probs: (N, K), tempered as they will be in use. labels: (N,) in [0, K); clips of "no action" belong here too.
        background: index of "no action", if there is one.
        bounds: no threshold is lower or higher; where none is high enough, the class gets the highest. The lower one
            is for live use, where most windows show nothing: in 20 minutes of idle footage that served to choose it,
            the package's model reported 0.65 events a minute with 0.5 for all, 0.40 with 0.55; in 50 minutes of
            actions its F1 was the same with either, 0.67.
        otherwise: what a class gets that fewer than ``min_clips`` clips count for, and the background.

    Returns:
        (K,) thresholds.
    """
    K = probs.shape[1]
    acting = probs.astype(np.float64)
    if background is not None:
        acting[:, background] = -1.0
    best = acting.argmax(axis=1)
    thresholds = np.full(K, otherwise)
    for k in range(K):
        rows = np.flatnonzero(best == k)
        if k == background or len(rows) < min_clips:
            continue
        sure = np.sort(acting[rows, k])[::-1]
        right = (labels[rows] == k)[np.argsort(-acting[rows, k], kind="stable")]
        share = np.cumsum(right) / np.arange(1, len(rows) + 1)
        # Clips of one probability are above a threshold together: only the last of them tells their share.
        last = np.append(sure[1:] < sure[:-1], True)
        enough = np.flatnonzero(last & (share >= precision))
        thresholds[k] = np.clip(sure[enough[-1]], *bounds) if len(enough) else bounds[1]
    return thresholds
