"""Answers of a model of pictures as scores of windows: with a model of skeletons, or alone.

They are given (``Heard.hear``), not asked for: a replay has the answers of a recording and no pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mar_edge.edge.data import Answer, Window
from mar_edge.edge.layout import Layout
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.prior import Prior, default_prior, shift_of
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.edge.scores import adjusted
from mar_edge.edge.visibility import detectable, visible_regions
from mar_edge.streaming.recognition.fusion import Fusion
from mar_edge.streaming.recognition.fusion_rules import FusionRules
from mar_edge.streaming.recognition.probabilities import Inference, Said, Scorer, WindowScorer
from mar_edge.streaming.timing import Timer


@dataclass(frozen=True)
class _Kept:
    answer: Answer
    until_s: float


class Heard:
    """The newest answer about each person, for as long as it counts. ``prior`` is the one in use.

    Args:
        metadata: of the model of pictures.
        prior: how often each label happens here; None for what suits the model.
        holds_s: seconds that an answer counts, if its pictures still overlap with the window.

    Raises:
        MarEdgeError: the prior lacks one of the model's labels.
    """

    def __init__(self, metadata: ModelMetadata, prior: Prior | None, holds_s: float) -> None:
        self.prior = default_prior(metadata) if prior is None else prior
        self._metadata, self._holds_s = metadata, holds_s
        self._shift = shift_of(self.prior, metadata)
        self._newest: dict[int, _Kept] = {}

    def hear(self, answer: Answer, t_s: float) -> None:
        """Take an answer that counts from ``t_s`` on, on the capture clock; forget those that count no more."""
        self._newest = {person: kept for person, kept in self._newest.items() if kept.until_s >= t_s}
        until_s = min(t_s + self._holds_s, answer.end_s + self._metadata.window_s)
        self._newest[answer.person] = _Kept(answer, until_s)

    def said_of(self, window: Window, visible: Sequence[str]) -> Said | None:
        """Return what counts for a window that shows the ``visible`` regions, prior and visibility applied."""
        now_s = float(window.times_s[-1])
        kept = self._newest.get(window.person)
        if kept is None or now_s > kept.until_s:
            return None
        labels, found = self._metadata.labels, kept.answer.scores
        scores = np.array([found.get(label.name, 0.0) for label in labels], np.float32)
        (probs,) = adjusted(scores[None], self._shift, detectable(labels, visible)[None], self._metadata)
        return Said(self._metadata.family, labels, probs, now_s - kept.answer.end_s)

    def clear(self) -> None:
        """Forget all: what comes next does not continue it."""
        self._newest.clear()


def open_scorer(
    recognizer: WindowRecognizer, pictures: ModelMetadata | None, prior: Prior | None, rules: FusionRules, timer: Timer
) -> tuple[Scorer, Heard | None]:
    """Return what scores windows, and what hears answers; None where no model looks at pictures.

    Args:
        pictures: see ``streaming.recognition.pipeline.Pipeline``.

    Raises:
        MarEdgeError: the prior lacks a label of a model, or two models share none.
    """
    if pictures is None:
        return WindowScorer(recognizer, prior, timer), None
    heard = Heard(pictures, prior, rules.holds_s)
    if recognizer.family.pictures is not None:
        return AnswerScorer(heard, recognizer.layout), heard
    fusion = Fusion(recognizer.metadata, pictures, rules.weight)
    return FusedScorer(WindowScorer(recognizer, prior, timer), recognizer.metadata, heard, fusion), heard


class FusedScorer:
    """Scores from skeletons, joined with what was heard of pictures (see ``WindowScorer``)."""

    def __init__(self, scorer: WindowScorer, metadata: ModelMetadata, heard: Heard, fusion: Fusion) -> None:
        self.prior = scorer.prior
        self._scorer, self._metadata, self._heard, self._fusion = scorer, metadata, heard, fusion

    def score(self, windows: Sequence[Window], moving: Sequence[Window]) -> list[Inference]:
        """Return what came of each of the ``windows``, in order (see ``WindowScorer``)."""
        return [self._fused(inference) for inference in self._scorer.score(windows, moving)]

    def _fused(self, inference: Inference) -> Inference:
        if inference.probs is None:
            return inference
        own = Said(self._metadata.family, self._metadata.labels, inference.probs)
        said = self._heard.said_of(inference.window, inference.visible)
        if said is None:
            return replace(inference, said=(own,))
        return replace(inference, probs=self._fusion.fused(inference.probs, said.probs), said=(own, said))


class AnswerScorer:
    """Scores from pictures alone (see ``WindowScorer``). Runs no network."""

    def __init__(self, heard: Heard, layout: Layout) -> None:
        self.prior = heard.prior
        self._heard, self._layout = heard, layout

    def score(self, windows: Sequence[Window], moving: Sequence[Window]) -> list[Inference]:
        """Return what was heard of each of the ``windows``, in order. Only of the ``moving`` ones anything counts."""
        asked = {window.person for window in moving}
        return [self._found(window, moves=window.person in asked) for window in windows]

    def _found(self, window: Window, *, moves: bool) -> Inference:
        visible = visible_regions(window, self._layout)
        said = self._heard.said_of(window, visible) if moves else None
        if said is None:
            return Inference(window, None, visible, waiting=moves)
        return Inference(window, said.probs, visible, said=(said,))
