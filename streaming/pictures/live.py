"""A model of pictures next to a stream's loop, on a thread of its own: asked now and then, never waited for.

Where every frame of a file is processed, there is no live loop to delay. The answer is waited for then, so that events
do not depend on how fast it came.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import numpy as np

from mar_edge.edge.data import Answer, Prediction, Skeleton, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.operations.background_calls import BackgroundCalls
from mar_edge.streaming.pictures.ring import Look, PictureRing
from mar_edge.streaming.recognition.fusion_rules import FusionRules
from mar_edge.streaming.wire.answer_message import PictureStatus

# A frame this little early still counts as on time, as for strides.
_EARLY_S = 1.5e-3
_log = logging.getLogger("mar_edge.pictures")


class PictureModel:
    """A model of pictures and its one thread, for all streams of a process. A context manager; closes no model.

    Args:
        recognizer: opened; used by the thread alone.

    Raises:
        MarEdgeError: the model looks at no pictures.
    """

    def __init__(self, recognizer: WindowRecognizer) -> None:
        needs = recognizer.family.pictures
        if needs is None:
            raise MarEdgeError(f"'{recognizer.metadata.name}' is a model of skeletons; it looks at no pictures")
        self.metadata: ModelMetadata = recognizer.metadata
        self.needs, self.warm_up = needs, recognizer.family.warm_up
        self.runtime = recognizer.runtime.name
        self._recognizer = recognizer
        self._thread = BackgroundCalls("pictures")

    def ask(self, look: Look) -> Question:
        """Begin an inference as soon as those before it are done. Never blocks."""
        question = Question(look, self._recognizer)
        self._thread.submit(question.answer)
        return question

    def __enter__(self) -> PictureModel:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._thread.close()


class Question:
    """One inference from pictures. ``done`` is set when ``prediction`` or ``failure`` is known.

    infer_s: seconds that the inference took.
    """

    def __init__(self, look: Look, recognizer: WindowRecognizer) -> None:
        self.look = look
        self.done = threading.Event()
        self.infer_s = 0.0
        self.prediction: Prediction | None = None
        self.failure: str | None = None
        self._recognizer = recognizer
        self._since_s = time.monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since it was asked."""
        return time.monotonic() - self._since_s

    def answer(self) -> None:
        """Run the inference, on the model's thread."""
        start_s = time.monotonic()
        try:
            (prediction,) = self._recognizer.predict([self.look.window])
            if np.isfinite(prediction.probs).all():
                self.prediction = prediction
            else:
                self.failure = "its scores are not numbers"
        except Exception as error:  # noqa: BLE001 - of any runtime; the stream goes on without it, and says so
            self.failure = next(iter(str(error).splitlines()), "") or type(error).__name__
        self.infer_s = time.monotonic() - start_s
        self.done.set()


class LivePictures:
    """The picture stage of one stream (see ``PictureStage``).

    Args:
        model: shared by the streams.
        waits: for each answer, as where every frame of a file is processed.
    """

    def __init__(self, model: PictureModel, *, waits: bool) -> None:
        self.metadata: ModelMetadata | None = model.metadata
        self._model, self._waits = model, waits
        self._labels = [label.name for label in model.metadata.labels]
        self._window_s = model.metadata.window_s
        self._ring = PictureRing(model.needs, model.warm_up, self._window_s)
        self._question: Question | None = None
        self._every_s = FusionRules.every_s
        self._asked_s: float | None = None
        self._asked = self._answered = self._failed = self._slow = self._late = self._crowded = 0
        self._error: str | None = None

    def take(self, frame: Frame, people: Sequence[Skeleton]) -> Sequence[Answer]:
        """Keep the frame's picture, and return the answer that came since the last frame."""
        answer = self._answer(frame.media_s)
        self._ring.take(frame, people)
        return [] if answer is None else [answer]

    def ask(self, windows: Sequence[Window], rules: FusionRules) -> None:
        """Ask about the one person in view, if that is one of ``windows`` and the last question is old enough."""
        if not windows:
            return
        now_s, self._every_s = float(windows[0].times_s[-1]), rules.every_s
        if self._question is not None or (
            self._asked_s is not None and 0.0 <= now_s - self._asked_s < rules.every_s - _EARLY_S
        ):
            return
        if self._ring.crowded:
            self._crowded += 1
            self._asked_s = now_s
        elif (look := self._ring.look_at(windows)) is not None:
            self._asked += 1
            self._asked_s, self._question = now_s, self._model.ask(look)

    def forget(self) -> None:
        """Forget pictures, and the answer that has not come yet."""
        self._ring.clear()
        self._question = self._asked_s = None

    def status(self) -> PictureStatus:
        """Return how it is."""
        question = self._question
        return PictureStatus(
            runtime=self._model.runtime,
            asked=self._asked,
            answered=self._answered,
            failed=self._failed,
            error=self._error,
            slow=self._slow,
            late=self._late,
            crowded=self._crowded,
            busy_s=None if question is None or question.done.is_set() else round(question.age_s, 3),
            pictures=len(self._ring),
        )

    def _answer(self, t_s: float) -> Answer | None:
        """Return what the open question gave, if it counts at ``t_s``."""
        question = self._question
        if question is None:
            return None
        if not question.done.wait(None if self._waits else 0.0):
            return None
        self._question = None
        if question.prediction is None:
            self._fail(question.failure or "no answer")
            return None
        look = question.look
        if not self._waits and t_s - look.window.times_s[-1] > self._every_s:
            self._slow += 1
        if t_s > look.end_s + self._window_s:
            self._late += 1
            return None
        self._answered += 1
        scores = question.prediction.probs.astype(np.float64).round(6).tolist()
        return Answer(
            person=look.window.person,
            scores=dict(zip(self._labels, scores, strict=True)),
            start_s=look.start_s,
            end_s=look.end_s,
            infer_s=question.infer_s,
        )

    def _fail(self, reason: str) -> None:
        self._failed += 1
        if reason != self._error:
            _log.error("an inference from pictures failed: %s; the stream goes on without it", reason)
        self._error = reason
