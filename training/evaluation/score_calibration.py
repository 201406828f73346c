"""Score calibration: temperature and per-label thresholds, fitted on clips. Pure numpy.

Fit on clips that are used neither in training nor in evaluation: on fitted clips, every figure is too good.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.score_calibration import ScoreCalibration
from mar_edge.training.evaluation.clip_predictions import ClipPredictions

TEMPERATURES = (0.05, 20.0)
_BISECTIONS = 60
SHOWN = 0.5
"""A clip shows an event if it shows this share of it."""


def to_score_calibration(
    metadata: ModelMetadata, temperature: float, thresholds: NDArray[np.float64], fitted_on: str
) -> ScoreCalibration:
    """Convert temperature and thresholds (K,) to the form that ``export`` takes."""
    names = [label.name for label in metadata.labels]
    return ScoreCalibration(
        temperature=round(temperature, 4),
        thresholds={name: round(float(value), 4) for name, value in zip(names, thresholds, strict=True)},
        fitted_on=fitted_on,
    )


def fit_clip_temperature(metadata: ModelMetadata, predictions: ClipPredictions) -> float:
    """Fit the temperature of a model of either activation on clips, at least one of them labeled."""
    labeled = predictions.labels >= 0
    logits = predictions.logits[labeled]
    if metadata.activation == "sigmoid":
        return fit_sigmoid_temperature(logits, shown_labels(predictions)[labeled])
    return fit_temperature(logits, predictions.labels[labeled])


def fit_clip_thresholds(
    metadata: ModelMetadata, predictions: ClipPredictions, temperature: float
) -> NDArray[np.float64]:
    """Fit per-label thresholds (K,) at that temperature on clips, at least one of them labeled."""
    labeled = predictions.labels >= 0
    logits = predictions.logits[labeled]
    if metadata.activation == "sigmoid":
        return fit_label_thresholds(sigmoid(logits / temperature), shown_labels(predictions)[labeled])
    return fit_thresholds(temper(logits, temperature), predictions.labels[labeled], metadata.background)


def shown_labels(predictions: ClipPredictions) -> NDArray[np.float32]:
    """Return how much (N, K) clips show of each of the model's labels; 0 or 1 if they have one label each."""
    K = predictions.logits.shape[1]
    if predictions.targets is not None:
        return predictions.targets[:, :K]
    shown: NDArray[np.float32] = (predictions.labels[:, None] == np.arange(K)).astype(np.float32)
    return shown


def sigmoid(z: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute 1 / (1 + exp(-z)) without overflow."""
    half: NDArray[np.float64] = np.tanh(0.5 * z.astype(np.float64))
    return 0.5 + 0.5 * half


def temper(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Compute softmax(logits / temperature) of (N, K)."""
    z = logits.astype(np.float64) / temperature
    weights = np.exp(z - z.max(axis=1, keepdims=True))
    probs: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return probs


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Fit the T for which softmax(logits / T) gives the labels the largest likelihood.

    The negative log-likelihood is convex in 1 / T. So its slope, mean(expected logit - true logit), has one zero, which
    is found by bisection. Source: Guo et al., On Calibration of Modern Neural Networks (temperature scaling).

    Args:
        logits: (N, K), N >= 1. labels: (N,) in [0, K).

    Returns:
        T in ``TEMPERATURES``; one of the limits if there is no best T, as when every clip is classified correctly.
    """
    z = logits.astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    true = z[np.arange(len(z)), labels].mean()

    def slope(sharpness: float) -> float:
        weights = np.exp(z * sharpness)
        return float(((weights * z).sum(axis=1) / weights.sum(axis=1)).mean() - true)

    return 1 / _zero_of(slope)


def fit_sigmoid_temperature(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """Fit the T for which sigmoid(logits / T) has the smallest binary cross entropy against targets.

    The binary cross entropy is convex in 1 / T, too; its slope is mean((sigmoid - target) * logit).

    Args:
        logits, targets: (N, K), N >= 1, targets in [0, 1].

    Returns:
        T in ``TEMPERATURES``, as ``fit_temperature``.
    """
    z = logits.astype(np.float64)
    return 1 / _zero_of(lambda sharpness: float(((sigmoid(z * sharpness) - targets) * z).mean()))


def _zero_of(slope: Callable[[float], float]) -> float:
    """Return the zero of a growing function between the inverses of ``TEMPERATURES``; one of these if it has none."""
    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if slope(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


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
    """Fit the smallest threshold of each class at which its predictions reach a precision.

    Each clip is predicted as its most probable action, "no action" excluded, as in live events. Of the predictions of a
    class that reach the threshold, a share of ``precision`` or more must be correct.

    Args:
        probs: (N, K), at the temperature in use. labels: (N,) in [0, K), clips of "no action" included.
        background: index of "no action", if there is one.
        bounds: lowest and highest threshold. A class that never reaches the precision gets the highest. The lowest one
            is for live use, where most windows show no action. It was chosen on 20 minutes of idle footage, with an
            earlier model: 0.65 events per minute with 0.5 for all labels, 0.40 with 0.55. In 50 minutes of actions, F1
            was 0.67 with both.
        otherwise: threshold of the background, and of a class with fewer than ``min_clips`` predictions.

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
        least = _smallest(acting[rows, k], labels[rows] == k, precision)
        thresholds[k] = bounds[1] if least is None else np.clip(least, *bounds)
    return thresholds


def fit_label_thresholds(
    scores: NDArray[np.float64],
    shown: NDArray[np.float32],
    *,
    precision: float = 0.7,
    bounds: tuple[float, float] = (0.3, 0.9),
    otherwise: float = 0.5,
    min_clips: int = 10,
) -> NDArray[np.float64]:
    """Fit the smallest threshold of each label, by itself, at which its predictions reach a precision.

    A clip shows a label if it shows half of its event or more. One that shows a smaller part is ignored.

    Args:
        scores, shown: (N, K); ``shown`` is how much of the label's event a clip shows.
        bounds: lowest and highest threshold. A label that never reaches the precision gets the highest.
        otherwise: threshold of a label that fewer than ``min_clips`` clips show.

    Returns:
        (K,) thresholds.
    """
    thresholds = np.full(scores.shape[1], otherwise)
    for k in np.flatnonzero((shown >= SHOWN).sum(axis=0) >= min_clips):
        rows = (shown[:, k] >= SHOWN) | (shown[:, k] <= 0)
        least = _smallest(scores[rows, k], shown[rows, k] >= SHOWN, precision)
        thresholds[k] = bounds[1] if least is None else np.clip(least, *bounds)
    return thresholds


def _smallest(scores: NDArray[np.float64], correct: NDArray[np.bool_], precision: float) -> float | None:
    """Return the smallest score that, as a threshold, reaches the precision; None if there is none."""
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    share = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    # Clips of equal score pass a threshold together, so only the last of them gives its precision.
    last = np.append(falling[1:] < falling[:-1], True)
    enough = np.flatnonzero(last & (share >= precision))
    return float(falling[enough[-1]]) if len(enough) else None
