"""Real recordings through the pipeline that serves, as a subscriber would hear it, with the network asked in batches.

The pipeline's windows do not depend on what the network says of them. So they are collected first, all are answered
together, and the pipeline then runs with those answers. Scores nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Prediction, Window
from mar_edge.edge.labels import Label
from mar_edge.edge.progress import Progress, silent
from mar_edge.edge.recognizer import Recognizer
from mar_edge.streaming.capture.frames import NS, Frame
from mar_edge.streaming.recognition.pipeline import Pipeline, PipelineRules, Step
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.timing import Timer
from mar_edge.streaming.wire.reports import event_message, label_message
from mar_edge.training.evaluation.truth import RealRecording, RealSet

BATCH = 8
"""Larger ones are slower on a CPU: a batch no longer fits its cache."""
TOP_K = ServeConfig.top_k
"""Labels in a label message, as served."""
NO_ACTION = "no action"
"""What a message without labels says: nothing moved, so nothing was asked."""


@dataclass(frozen=True)
class HeardLabels:
    """One label message. t_s: where its window ends. scores: name -> score of the labels that it holds, best first."""

    t_s: float
    scores: dict[str, float]


@dataclass(frozen=True)
class HeardEvent:
    """One event, as its last message says; open ones end with the recording."""

    label: Label
    start_s: float
    end_s: float
    score: float


@dataclass(frozen=True)
class Heard:
    """What was heard of one recording."""

    labels: tuple[HeardLabels, ...]
    events: tuple[HeardEvent, ...]


def listen(
    real: RealSet, recognizer: Recognizer, rules: PipelineRules, progress: Progress = silent, batch: int = BATCH
) -> tuple[Heard, ...]:
    """What a model says of each recording."""
    windows = collect_windows(real, recognizer, rules)
    predictions: list[Prediction] = []
    for start in range(0, len(windows), batch):
        predictions.extend(recognizer.predict(windows[start : start + batch]))
        progress("windows", len(predictions), len(windows))
    return _hear(real, recognizer, rules, predictions)


def collect_windows(real: RealSet, recognizer: Recognizer, rules: PipelineRules) -> list[Window]:
    """All windows that the pipeline asks about, in order. The recognizer is asked nothing."""
    windows: list[Window] = []
    K = len(recognizer.metadata.labels)

    def collect(asked: Sequence[Window]) -> list[Prediction]:
        windows.extend(asked)
        return [Prediction(np.zeros(K, np.float32), window.person) for window in asked]

    for one in real.recordings:
        _hear_one(one, _StandIn(recognizer, collect), rules)
    return windows


def hear_scores(
    real: RealSet, recognizer: Recognizer, rules: PipelineRules, windows: Sequence[Window], scores: NDArray[np.float32]
) -> tuple[Heard, ...]:
    """What is heard of each recording where the scores are known: a row (K,) for each of ``collect_windows``."""
    predictions = [Prediction(row, window.person) for row, window in zip(scores, windows, strict=True)]
    return _hear(real, recognizer, rules, predictions)


class _StandIn(Recognizer):
    """All that a recognizer is, but for its answers."""

    def __init__(self, recognizer: Recognizer, answer: Callable[[Sequence[Window]], list[Prediction]]) -> None:
        vars(self).update(vars(recognizer))
        self._answer = answer

    def predict(self, windows: Sequence[Window]) -> list[Prediction]:
        """What ``answer`` says."""
        return self._answer(windows)


def _hear(
    real: RealSet, recognizer: Recognizer, rules: PipelineRules, predictions: Sequence[Prediction]
) -> tuple[Heard, ...]:
    left = iter(predictions)
    known = _StandIn(recognizer, lambda asked: [next(left) for _ in asked])
    heard = tuple(_hear_one(one, known, rules) for one in real.recordings)
    assert next(left, None) is None, "the pipeline asked about other windows than were collected"
    return heard


def _hear_one(recording: RealRecording, recognizer: Recognizer, rules: PipelineRules) -> Heard:
    """One recording through the pipeline, as ``streaming.stream`` sends it through."""
    ear = _Ear(recording, recognizer, rules)
    segment, last = 0, None
    for frame in recording.frames:
        if frame.segment != segment and last is not None:
            ear.take(last, ear.pipeline.break_off())
        segment, last = frame.segment, frame
        ear.take(frame, ear.pipeline.push(frame.media_s, frame.people or ()))
    if last is not None:
        ear.take(last, ear.pipeline.finish(infer=recording.ran_out))
    return ear.heard()


class _Ear:
    """Collects the messages that would be sent of one recording, and reads them as a subscriber does."""

    def __init__(self, recording: RealRecording, recognizer: Recognizer, rules: PipelineRules) -> None:
        self._timer = Timer()
        self.pipeline = Pipeline(recognizer, rules, self._timer)
        self._recording, self._names = recording, recognizer.metadata.labels
        self._shown = self.pipeline.thresholds.wanted
        if recognizer.metadata.background is not None:
            self._shown[recognizer.metadata.background] = True
        self._labels: list[HeardLabels] = []
        self._events: dict[tuple[int, int], HeardEvent] = {}

    def take(self, frame: Frame, step: Step) -> None:
        """Read what one frame led to."""
        for inference in step.inferences:
            message = label_message(
                frame, inference, self._names, shown=self._shown, top_k=TOP_K, timer=self._timer, now_ns=0
            )
            scores = {label.name: label.score for label in message.top}
            self._labels.append(HeardLabels(self._media_s(message.t_end_ns), scores or {NO_ACTION: 1.0}))
        for change in step.events:
            event = event_message(frame, change, self._names)
            end_s = self._recording.duration_s if event.t_end_ns is None else self._media_s(event.t_end_ns)
            self._events[event.person, event.event_id] = HeardEvent(
                event.label, self._media_s(event.t_start_ns), end_s, event.score
            )

    def heard(self) -> Heard:
        """All of it."""
        return Heard(tuple(self._labels), tuple(self._events.values()))

    def _media_s(self, wall_ns: int) -> float:
        return (wall_ns - self._recording.t_zero_ns) / NS
