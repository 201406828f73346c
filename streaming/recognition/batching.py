"""One model for several streams: windows that arrive during an inference go into the next one together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from mar_edge.edge.data import Prediction, Window
from mar_edge.edge.recognizer import WindowRecognizer

MOST_WINDOWS = 32


@dataclass
class _Request:
    windows: Sequence[Window]
    predictions: list[Prediction] = field(default_factory=list)
    failure: Exception | None = None
    done: bool = False


class BatchingRecognizer(WindowRecognizer):
    """A recognizer for any number of threads (see ``WindowRecognizer``). It does not close the one that it wraps.

    The first thread infers for all that wait; the others wait for their share. It has no thread of its own, and costs
    nothing with one stream. ``batches`` counts inferences, ``windows`` their windows.

    Args:
        recognizer: opened; used by one thread at a time.
        most_windows: most windows of one inference.
    """

    def __init__(self, recognizer: WindowRecognizer, most_windows: int = MOST_WINDOWS) -> None:
        self.runtime, self.metadata = recognizer.runtime, recognizer.metadata
        self.layout, self.family = recognizer.layout, recognizer.family
        self.batches = self.windows = 0
        self._recognizer = recognizer
        self._most = most_windows
        self._waiting: list[_Request] = []
        self._busy = False
        self._turn = threading.Condition()

    def predict(self, windows: Sequence[Window]) -> list[Prediction]:
        """Return the scores of each window, in order (see ``WindowRecognizer.predict``)."""
        if not windows:
            return []
        request = _Request(windows)
        with self._turn:
            self._waiting.append(request)
        while True:
            with self._turn:
                self._turn.wait_for(lambda: request.done or not self._busy)
                if request.done:
                    break
                self._busy = True
                batch = self._take()
            self._infer(batch)
        if request.failure is not None:
            raise request.failure
        return request.predictions

    def _infer(self, batch: list[_Request]) -> None:
        """Answer the requests of a batch, with scores or with the failure."""
        try:
            predictions = iter(self._recognizer.predict([window for each in batch for window in each.windows]))
            for each in batch:
                each.predictions = [next(predictions) for _ in each.windows]
        except Exception as error:  # noqa: BLE001 - raised in each thread whose windows were in it
            for each in batch:
                each.failure = error
        finally:
            with self._turn:
                self._busy = False
                self.batches += 1
                self.windows += sum(len(each.windows) for each in batch)
                for each in batch:
                    each.done = True
                self._turn.notify_all()

    def _take(self) -> list[_Request]:
        """Return the requests of the next batch: as many as fit, and at least one."""
        batch: list[_Request] = []
        count = 0
        while self._waiting and (not batch or count + len(self._waiting[0].windows) <= self._most):
            batch.append(self._waiting.pop(0))
            count += len(batch[-1].windows)
        return batch

    def __exit__(self, *exc_info: object) -> None:
        """Close nothing: the wrapped recognizer stays open."""
