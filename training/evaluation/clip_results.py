"""Results on clips, for ``scores.json`` and the report. Computed here, written elsewhere.

``None`` is an undefined figure: the precision of a class that was never predicted, or body groups of labels without.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.labels import Label
from mar_edge.training.evaluation.clip_predictions import ClipPredictions
from mar_edge.training.evaluation.detection import mean_ap, window_precisions
from mar_edge.training.evaluation.score_calibration import SHOWN, shown_labels
from mar_edge.training.metrics import (
    ClassScores,
    Scores,
    f1_mean,
    fold_confusion,
    rank,
    score,
    score_confusion,
    score_reliability,
    without_background,
)

SCHEMA = 1
_MISTAKES = 15


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Main figures of ``clips`` clips; conventions: ``training.metrics``."""

    clips: int
    top1: float
    top5: float
    f1_macro: float
    f1_micro: float
    body_f1_macro: float | None
    body_f1_micro: float | None
    f1_mean: float | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One class, or one body group. support: clips of it. predicted: clips predicted as it."""

    name: str
    body: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    predicted: int = msgspec.field(name="said")


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """``count`` of the ``support`` clips of one class were predicted as another."""

    true: str
    predicted: str = msgspec.field(name="said")
    count: int
    support: int


class MeanConfidence(msgspec.Struct, frozen=True, kw_only=True):
    """Mean confidence and accuracy, and the expected calibration error (``Reliability``)."""

    confidence: float
    accuracy: float
    calibration_error: float


class ClipResults(msgspec.Struct, frozen=True, kw_only=True):
    """Results on single clips.

    deployed: all clips, and "no action" may be predicted.

    actions: clips of actions only, and "no action" is never predicted, as in published figures. The same as
    ``deployed`` for a model without that class.

    classes, bodies, mistakes, confusion (rows are true): of ``deployed``. Mistakes are the most frequent ones.

    mean_ap: mean average precision over the actions that occur, each label by itself: a clip may show several.
    """

    data: str
    left_out: int
    unlabeled: int = msgspec.field(name="unlabelled")
    deployed: Figures
    actions: Figures | None
    classes: tuple[Row, ...]
    bodies: tuple[Row, ...]
    mistakes: tuple[Mistake, ...]
    reliability: MeanConfidence = msgspec.field(name="trust")
    confusion: list[list[int]]
    mean_ap: float | None = None


def score_clips(predictions: ClipPredictions, data: str) -> ClipResults:
    """Compute the results of clips, at least one of them labeled."""
    labeled = predictions.labels >= 0
    labels = predictions.labels[labeled]
    names, groups = body_groups(predictions.classes)
    scores = score(predictions.deployed[labeled], labels)
    bodies = score_confusion(fold_confusion(scores.confusion, groups)) if names else None
    reliability = score_reliability(predictions.probs[labeled], labels)
    return ClipResults(
        data=data,
        left_out=predictions.left_out,
        unlabeled=int((~labeled).sum()),
        deployed=_figures(scores, groups if names else None),
        actions=_actions(predictions, labeled, groups if names else None),
        classes=_rows([(label.name, label.body) for label in predictions.classes], scores),
        bodies=_rows([(name, name) for name in names], bodies) if bodies else (),
        mistakes=_mistakes(predictions.classes, scores),
        reliability=MeanConfidence(
            confidence=float(predictions.probs[labeled].max(axis=1).mean()),
            accuracy=float((rank(predictions.probs[labeled])[:, 0] == labels).mean()),
            calibration_error=reliability.error,
        ),
        confusion=scores.confusion.tolist(),
        mean_ap=_mean_ap(predictions, labeled),
    )


def _mean_ap(predictions: ClipPredictions, labeled: NDArray[np.bool_]) -> float | None:
    probs = predictions.probs[labeled]
    shown = shown_labels(predictions)[labeled] >= SHOWN
    acting = np.arange(probs.shape[1]) != predictions.background
    return mean_ap(window_precisions(probs[:, acting], shown[:, acting]))


def body_groups(labels: Sequence[Label]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the names of the body groups in order of their first label, and the group of each label.

    There are no names if a label has no group.
    """
    if not all(label.body for label in labels):
        return (), (0,) * len(labels)
    names = tuple(dict.fromkeys(label.body for label in labels))
    return names, tuple(names.index(label.body) for label in labels)


def _figures(scores: Scores, groups: Sequence[int] | None) -> Figures:
    body = score_confusion(fold_confusion(scores.confusion, groups)) if groups is not None else None
    return Figures(
        clips=int(scores.support.sum()),
        top1=scores.top1,
        top5=scores.top5,
        f1_macro=scores.f1_macro,
        f1_micro=scores.f1_micro,
        body_f1_macro=body.f1_macro if body else None,
        body_f1_micro=body.f1_micro if body else None,
        f1_mean=f1_mean(scores, body) if body else None,
    )


def _actions(predictions: ClipPredictions, labeled: NDArray[np.bool_], groups: Sequence[int] | None) -> Figures | None:
    logits, labels = predictions.logits[labeled], predictions.labels[labeled]
    more = len(predictions.classes) - logits.shape[1]  # "no action", if it has no output
    logits = np.pad(logits, ((0, 0), (0, more)), constant_values=-np.inf)
    if predictions.background is not None:
        logits, labels = without_background(logits, labels, predictions.background)
    return _figures(score(logits, labels), groups) if len(labels) else None


def _rows(names: Sequence[tuple[str, str]], scores: ClassScores) -> tuple[Row, ...]:
    predicted = scores.confusion.sum(axis=0)
    return tuple(
        Row(
            name=name,
            body=body,
            precision=float(scores.precision[k]) if predicted[k] else None,
            recall=float(scores.recall[k]) if scores.support[k] else None,
            f1=float(scores.f1[k]) if predicted[k] + scores.support[k] else None,
            support=int(scores.support[k]),
            predicted=int(predicted[k]),
        )
        for k, (name, body) in enumerate(names)
    )


def _mistakes(labels: Sequence[Label], scores: Scores) -> tuple[Mistake, ...]:
    wrong = scores.confusion.copy()
    np.fill_diagonal(wrong, 0)
    share = wrong / np.maximum(scores.support, 1)[:, None]
    order = np.lexsort((-share.ravel(), -wrong.ravel()))[:_MISTAKES]  # by count, then by share
    pairs = [divmod(int(place), len(labels)) for place in order]
    return tuple(
        Mistake(true=labels[i].name, predicted=labels[j].name, count=int(wrong[i, j]), support=int(scores.support[i]))
        for i, j in pairs
        if wrong[i, j]
    )
