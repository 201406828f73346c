"""Real recordings as ``serve`` reports them: through the pipeline and into messages, with inference in batches.

The pipeline's windows do not depend on the network's outputs. So all windows are collected first and predicted in
batches, and the pipeline then runs with those predictions. Scores nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Prediction, Window
from mar_edge.edge.labels import Label
from mar_edge.edge.progress import Progress, silent
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.frames import NS, Frame
from mar_edge.streaming.message_builders import step_messages
from mar_edge.streaming.recognition.pipeline import Pipeline, PipelineRules, Step
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.timing import Timer
from mar_edge.streaming.wire.messages import LabelMessage
from mar_edge.training.evaluation.truth import RealRecording, RealSet

BATCH = 8
"""Windows per inference. Larger batches are slower on a CPU, because they no longer fit its cache."""
TOP_K = ServeConfig.top_k
"""Labels in a label message, as in ``serve``."""
NO_ACTION = "no action"
"""Label of messages without any: nothing moved, so the network did not run."""


@dataclass(frozen=True)
class ServedLabels:
    """One label message. t_s: end of its window. scores: name -> score of its labels, best first."""

    t_s: float
    scores: dict[str, float]


@dataclass(frozen=True)
class ServedEvent:
    """One event, as in its last message; an open event ends with the recording."""

    label: Label
    start_s: float
    end_s: float
    score: float


@dataclass(frozen=True)
class Served:
    """All messages about one recording."""

    labels: tuple[ServedLabels, ...]
    events: tuple[ServedEvent, ...]


def serve_recordings(
    real: RealSet, recognizer: WindowRecognizer, rules: PipelineRules, progress: Progress = silent, batch: int = BATCH
) -> tuple[Served, ...]:
    """Return the messages about each recording."""
    windows = collect_windows(real, recognizer, rules)
    predictions: list[Prediction] = []
    for start in range(0, len(windows), batch):
        predictions.extend(recognizer.predict(windows[start : start + batch]))
        progress("windows", len(predictions), len(windows))
    return _serve(real, recognizer, rules, predictions)


def collect_windows(real: RealSet, recognizer: WindowRecognizer, rules: PipelineRules) -> list[Window]:
    """Return all windows that the pipeline would run the network on, in order. Runs no inference."""
    windows: list[Window] = []
    K = len(recognizer.metadata.labels)

    def collect(batch: Sequence[Window]) -> list[Prediction]:
        windows.extend(batch)
        return [Prediction(np.zeros(K, np.float32), window.person) for window in batch]

    for one in real.recordings:
        _serve_one(one, _Scripted(recognizer, collect), rules)
    return windows


def serve_scores(
    real: RealSet,
    recognizer: WindowRecognizer,
    rules: PipelineRules,
    windows: Sequence[Window],
    scores: NDArray[np.float32],
) -> tuple[Served, ...]:
    """Return the messages about each recording for given scores.

    Args:
        windows: those of ``collect_windows``. scores: (N, K), a row for each window.
    """
    predictions = [Prediction(row, window.person) for row, window in zip(scores, windows, strict=True)]
    return _serve(real, recognizer, rules, predictions)


class _Scripted(WindowRecognizer):
    """A recognizer whose predictions come from a function."""

    def __init__(self, recognizer: WindowRecognizer, answer: Callable[[Sequence[Window]], list[Prediction]]) -> None:
        vars(self).update(vars(recognizer))
        self._answer = answer

    def predict(self, windows: Sequence[Window]) -> list[Prediction]:
        """Return the predictions of the function."""
        return self._answer(windows)


def _serve(
    real: RealSet, recognizer: WindowRecognizer, rules: PipelineRules, predictions: Sequence[Prediction]
) -> tuple[Served, ...]:
    left = iter(predictions)
    scripted = _Scripted(recognizer, lambda batch: [next(left) for _ in batch])
    served = tuple(_serve_one(one, scripted, rules) for one in real.recordings)
    assert next(left, None) is None, "the pipeline used other windows than were collected"
    return served


def _serve_one(recording: RealRecording, recognizer: WindowRecognizer, rules: PipelineRules) -> Served:
    """Run one recording through the pipeline, as ``streaming.stream`` does."""
    messages = _Messages(recording, recognizer, rules)
    pipeline = messages.pipeline
    segment, last = 0, None
    for frame in recording.frames:
        if frame.segment != segment and last is not None:
            messages.take(last, pipeline.break_off())
        segment, last = frame.segment, frame
        messages.take(frame, pipeline.push(frame.media_s, frame.people or ()))
    if last is not None:
        messages.take(last, pipeline.finish(infer=recording.ran_out))
    return messages.served()


class _Messages:
    """Builds the messages about one recording, and reads them as a subscriber does."""

    def __init__(self, recording: RealRecording, recognizer: WindowRecognizer, rules: PipelineRules) -> None:
        self._timer = Timer()
        self.pipeline = Pipeline(recognizer, rules, self._timer)
        self._recording = recording
        self._labels: list[ServedLabels] = []
        self._events: dict[tuple[int, int], ServedEvent] = {}

    def take(self, frame: Frame, step: Step) -> None:
        """Read the messages that follow from one frame."""
        for message in step_messages(frame, step, self.pipeline, top_k=TOP_K, timer=self._timer):
            if isinstance(message, LabelMessage):
                scores = {label.name: label.score for label in message.top}
                self._labels.append(ServedLabels(self._media_s(message.t_end_ns), scores or {NO_ACTION: 1.0}))
                continue
            end_s = self._recording.duration_s if message.t_end_ns is None else self._media_s(message.t_end_ns)
            self._events[message.person, message.event_id] = ServedEvent(
                message.label, self._media_s(message.t_start_ns), end_s, message.score
            )

    def served(self) -> Served:
        """Return all messages."""
        return Served(tuple(self._labels), tuple(self._events.values()))

    def _media_s(self, wall_ns: int) -> float:
        return (wall_ns - self._recording.t_zero_ns) / NS
