"""Real recordings as ``serve`` reports them: through the pipeline and into messages, with inference in batches.

The pipeline's windows do not depend on the network's outputs. So the windows of a recording are collected first and
predicted in batches, and the pipeline then runs with those predictions. Computes no figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mar_edge.edge.data import Prediction, Window
from mar_edge.edge.labels import Label
from mar_edge.edge.progress import Progress, silent
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.frames import NS, Frame
from mar_edge.streaming.message_builders import step_messages
from mar_edge.streaming.recognition.pipeline import Pipeline, PipelineRules, Step
from mar_edge.streaming.recognition.probabilities import Inference
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.timing import Timer
from mar_edge.streaming.wire.messages import LabelMessage
from mar_edge.training.evaluation.candidates import ScoredWindows, scored_windows
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
    """All messages about one recording. windows: with the network's scores; None if not kept."""

    labels: tuple[ServedLabels, ...]
    events: tuple[ServedEvent, ...]
    windows: ScoredWindows | None = field(default=None, compare=False, repr=False)


def serve_recordings(
    real: RealSet, recognizer: WindowRecognizer, rules: PipelineRules, progress: Progress = silent, batch: int = BATCH
) -> tuple[Served, ...]:
    """Return the messages about each recording."""
    served = []
    for one in real.recordings:
        windows = _collect(one, recognizer, rules)
        parts = (windows[start : start + batch] for start in range(0, len(windows), batch))
        served.append(
            _serve_with(one, recognizer, rules, [found for part in parts for found in recognizer.predict(part)])
        )
        progress("recordings", len(served), len(real.recordings))
    return tuple(served)


def _collect(recording: RealRecording, recognizer: WindowRecognizer, rules: PipelineRules) -> list[Window]:
    """Return the windows that the pipeline would run the network on, in order. Runs no inference."""
    windows: list[Window] = []
    K = len(recognizer.metadata.labels)

    def collect(batch: Sequence[Window]) -> list[Prediction]:
        windows.extend(batch)
        return [Prediction(np.zeros(K, np.float32), window.person) for window in batch]

    _serve(recording, _Scripted(recognizer, collect), rules)
    return windows


class _Scripted(WindowRecognizer):
    """A recognizer whose predictions come from a function."""

    def __init__(self, recognizer: WindowRecognizer, answer: Callable[[Sequence[Window]], list[Prediction]]) -> None:
        vars(self).update(vars(recognizer))
        self._answer = answer

    def predict(self, windows: Sequence[Window]) -> list[Prediction]:
        """Return the predictions of the function."""
        return self._answer(windows)


def _serve_with(
    recording: RealRecording, recognizer: WindowRecognizer, rules: PipelineRules, predictions: Sequence[Prediction]
) -> Served:
    left = iter(predictions)
    served = _serve(recording, _Scripted(recognizer, lambda asked: [next(left) for _ in asked]), rules)
    assert next(left, None) is None, "the pipeline used other windows than were collected"
    return served


def _serve(recording: RealRecording, recognizer: WindowRecognizer, rules: PipelineRules) -> Served:
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
        self._inferences: list[Inference] = []

    def take(self, frame: Frame, step: Step) -> None:
        """Read the messages that follow from one frame."""
        self._inferences.extend(step.inferences)
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
        windows = scored_windows(self._inferences, len(self.pipeline.labels))
        return Served(tuple(self._labels), tuple(self._events.values()), windows)

    def _media_s(self, wall_ns: int) -> float:
        return (wall_ns - self._recording.t_zero_ns) / NS
