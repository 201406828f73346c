"""Calibration on clips and recordings that a network has not seen: temperature and per-label thresholds. Pure numpy.

Fit on clips that neither trained the network nor will judge it: on those it was fitted on, every figure flatters.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.score_calibration import ScoreCalibration
from mar_edge.training.evaluation.answers import Answers

TEMPERATURES = (0.05, 20.0)
_BISECTIONS = 60
SHOWN = 0.5
"""How much of an event a clip shows that shows it."""


def as_confidence(
    metadata: ModelMetadata, temperature: float, thresholds: NDArray[np.float64], fitted_on: str
) -> ScoreCalibration:
    """Temperature and thresholds (K,) as ``export`` takes them."""
    names = [label.name for label in metadata.labels]
    return ScoreCalibration(
        temperature=round(temperature, 4),
        thresholds={name: round(float(value), 4) for name, value in zip(names, thresholds, strict=True)},
        fitted_on=fitted_on,
    )


def fit_clip_temperature(metadata: ModelMetadata, answers: Answers) -> float:
    """The temperature of a model, of whatever activation, from clips, at least one of them labelled."""
    labelled = answers.labels >= 0
    logits = answers.logits[labelled]
    if metadata.activation == "sigmoid":
        return fit_sigmoid_temperature(logits, shown_labels(answers)[labelled])
    return fit_temperature(logits, answers.labels[labelled])


def fit_clip_thresholds(metadata: ModelMetadata, answers: Answers, temperature: float) -> NDArray[np.float64]:
    """Per-label thresholds (K,) from clips, at least one of them labelled, at that temperature."""
    labelled = answers.labels >= 0
    logits = answers.logits[labelled]
    if metadata.activation == "sigmoid":
        return fit_label_thresholds(sigmoid(logits / temperature), shown_labels(answers)[labelled])
    return fit_thresholds(temper(logits, temperature), answers.labels[labelled], metadata.background)


def shown_labels(answers: Answers) -> NDArray[np.float32]:
    """(N, K) how much clips show of each of the model's labels: all or nothing where they have one label each."""
    K = answers.logits.shape[1]
    if answers.targets is not None:
        return answers.targets[:, :K]
    shown: NDArray[np.float32] = (answers.labels[:, None] == np.arange(K)).astype(np.float32)
    return shown


def sigmoid(z: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-z)) without overflow."""
    half: NDArray[np.float64] = np.tanh(0.5 * z.astype(np.float64))
    return 0.5 + 0.5 * half


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

    return 1 / _zero_of(slope)


def fit_sigmoid_temperature(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """The T for which sigmoid(logits / T) has the smallest binary cross entropy against targets.

    It is convex in 1 / T as well; its slope is mean((sigmoid - target) * logit).

    Args:
        logits, targets: (N, K), N >= 1, targets in [0, 1].

    Returns:
        T in ``TEMPERATURES``, as ``fit_temperature``.
    """
    z = logits.astype(np.float64)
    return 1 / _zero_of(lambda sharpness: float(((sigmoid(z * sharpness) - targets) * z).mean()))


def _zero_of(slope: Callable[[float], float]) -> float:
    """Where a function that grows is 0, between the inverses of ``TEMPERATURES``; one of these where it is not."""
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
    """For each label, by itself, the smallest score at which a clip mostly shows it.

    A clip shows a label of which it shows half or more. One that shows less, but something, counts neither way.

    Args:
        scores, shown: (N, K); ``shown`` is how much of the label's event a clip shows.
        bounds: no threshold is lower or higher; where none is high enough, the label gets the highest.
        otherwise: what a label gets that fewer than ``min_clips`` clips show.

    Returns:
        (K,) thresholds.
    """
    thresholds = np.full(scores.shape[1], otherwise)
    for k in np.flatnonzero((shown >= SHOWN).sum(axis=0) >= min_clips):
        rows = (shown[:, k] >= SHOWN) | (shown[:, k] <= 0)
        least = _smallest(scores[rows, k], shown[rows, k] >= SHOWN, precision)
        thresholds[k] = bounds[1] if least is None else np.clip(least, *bounds)
    return thresholds


def _smallest(scores: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float | None:
    """The smallest of the scores from which on a share of ``precision`` is right; None where there is none."""
    order = np.argsort(-scores, kind="stable")
    sure = scores[order]
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Clips of one score are above a threshold together: only the last of them tells their share.
    last = np.append(sure[1:] < sure[:-1], True)
    enough = np.flatnonzero(last & (share >= precision))
    return float(sure[enough[-1]]) if len(enough) else None
