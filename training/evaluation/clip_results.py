"""The results of an evaluation: what ``scores.json`` holds and the report tells. Computed here, written elsewhere.

``None`` stands for a figure that cannot be known: the precision of a class that was never said, body groups of labels
that have none.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.labels import Label
from mar_edge.training.evaluation.answers import Answers
from mar_edge.training.evaluation.calibration import SHOWN, shown_labels
from mar_edge.training.evaluation.detection import mean_ap, window_precisions
from mar_edge.training.metrics import (
    ClassScores,
    Scores,
    f1_mean,
    fold_confusion,
    rank,
    score,
    score_confidence,
    score_confusion,
    without_background,
)

SCHEMA = 1
_MISTAKES = 15


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The headline, over so many clips; conventions: ``training.metrics``."""

    clips: int
    top1: float
    top5: float
    f1_macro: float
    f1_micro: float
    body_f1_macro: float | None
    body_f1_micro: float | None
    f1_mean: float | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One class, or one body group. support: clips it has. said: clips that were taken for it."""

    name: str
    body: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    said: int


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """``count`` of the ``support`` clips of one class were taken for another."""

    true: str
    said: str
    count: int
    support: int


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """How sure the model was on average, how often right, and the expected calibration error (``Confidence``)."""

    confidence: float
    accuracy: float
    calibration_error: float


class ClipResults(msgspec.Struct, frozen=True, kw_only=True):
    """Of single clips.

    deployed: every clip and every answer, "no action" among them. actions: clips of actions only, "no action" not
    being allowed as an answer, as published figures are counted; the same for a model without that class.
    classes, bodies, mistakes, confusion (rows are true) are of ``deployed``; mistakes are the most frequent ones.
    mean_ap: mean average precision over the actions that occur, each label by itself: a clip may show several.
    """

    data: str
    left_out: int
    unlabelled: int
    deployed: Figures
    actions: Figures | None
    classes: tuple[Row, ...]
    bodies: tuple[Row, ...]
    mistakes: tuple[Mistake, ...]
    trust: Trust
    confusion: list[list[int]]
    mean_ap: float | None = None


def score_answers(answers: Answers, data: str) -> ClipResults:
    """The results of clips, at least one of them labelled."""
    labelled = answers.labels >= 0
    labels = answers.labels[labelled]
    names, groups = body_groups(answers.classes)
    scores = score(answers.deployed[labelled], labels)
    bodies = score_confusion(fold_confusion(scores.confusion, groups)) if names else None
    confidence = score_confidence(answers.probs[labelled], labels)
    return ClipResults(
        data=data,
        left_out=answers.left_out,
        unlabelled=int((~labelled).sum()),
        deployed=_figures(scores, groups if names else None),
        actions=_actions(answers, labelled, groups if names else None),
        classes=_rows([(label.name, label.body) for label in answers.classes], scores),
        bodies=_rows([(name, name) for name in names], bodies) if bodies else (),
        mistakes=_mistakes(answers.classes, scores),
        trust=Trust(
            confidence=float(answers.probs[labelled].max(axis=1).mean()),
            accuracy=float((rank(answers.probs[labelled])[:, 0] == labels).mean()),
            calibration_error=confidence.error,
        ),
        confusion=scores.confusion.tolist(),
        mean_ap=_mean_ap(answers, labelled),
    )


def _mean_ap(answers: Answers, labelled: NDArray[np.bool_]) -> float | None:
    probs = answers.probs[labelled]
    shown = shown_labels(answers)[labelled] >= SHOWN
    acting = np.arange(probs.shape[1]) != answers.background
    return mean_ap(window_precisions(probs[:, acting], shown[:, acting]))


def body_groups(labels: Sequence[Label]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names of the body groups in order of their first label, and the group of each label.

    No names where a label has none.
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


def _actions(answers: Answers, labelled: NDArray[np.bool_], groups: Sequence[int] | None) -> Figures | None:
    logits, labels = answers.logits[labelled], answers.labels[labelled]
    more = len(answers.classes) - logits.shape[1]  # "no action", which no output stands for
    logits = np.pad(logits, ((0, 0), (0, more)), constant_values=-np.inf)
    if answers.background is not None:
        logits, labels = without_background(logits, labels, answers.background)
    return _figures(score(logits, labels), groups) if len(labels) else None


def _rows(names: Sequence[tuple[str, str]], scores: ClassScores) -> tuple[Row, ...]:
    said = scores.confusion.sum(axis=0)
    return tuple(
        Row(
            name=name,
            body=body,
            precision=float(scores.precision[k]) if said[k] else None,
            recall=float(scores.recall[k]) if scores.support[k] else None,
            f1=float(scores.f1[k]) if said[k] + scores.support[k] else None,
            support=int(scores.support[k]),
            said=int(said[k]),
        )
        for k, (name, body) in enumerate(names)
    )


def _mistakes(labels: Sequence[Label], scores: Scores) -> tuple[Mistake, ...]:
    wrong = scores.confusion.copy()
    np.fill_diagonal(wrong, 0)
    share = wrong / np.maximum(scores.support, 1)[:, None]
    order = np.lexsort((-share.ravel(), -wrong.ravel()))[:_MISTAKES]  # by count; of equal ones the larger share
    pairs = [divmod(int(place), len(labels)) for place in order]
    return tuple(
        Mistake(true=labels[i].name, said=labels[j].name, count=int(wrong[i, j]), support=int(scores.support[i]))
        for i, j in pairs
        if wrong[i, j]
    )
