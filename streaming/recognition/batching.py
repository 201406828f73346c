"""One model for several streams: windows that arrive during an inference go into the next one together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from mar_edge.edge.data import Prediction, Window
from mar_edge.edge.model_file import ModelVersion
from mar_edge.edge.recognizer import WindowRecognizer

MOST_WINDOWS = 32


@dataclass
class _Request:
    recognizer: WindowRecognizer
    windows: Sequence[Window]
    predictions: list[Prediction] = field(default_factory=list)
    failure: Exception | None = None
    done: bool = False


@dataclass
class _Queue:
    """Requests to one network, however many recognizers it has. The condition guards all of it."""

    most_windows: int
    waiting: list[_Request] = field(default_factory=list)
    busy: bool = False
    batches: int = 0
    windows: int = 0
    turn: threading.Condition = field(default_factory=threading.Condition)


class BatchingRecognizer(WindowRecognizer):
    """A recognizer for any number of threads (see ``WindowRecognizer``). It does not close the one that it wraps.

    The first thread infers for all that wait; the others wait for their share. It has no thread of its own, and costs
    nothing with one stream. ``batches`` counts inferences, ``windows`` their windows.

    Args:
        recognizer: opened; used by one thread at a time.
        most_windows: most windows of one inference.
        queue: of another recognizer of the same network; None for a new one.
    """

    def __init__(
        self, recognizer: WindowRecognizer, most_windows: int = MOST_WINDOWS, queue: _Queue | None = None
    ) -> None:
        self.runtime, self.version, self.metadata = recognizer.runtime, recognizer.version, recognizer.metadata
        self.layout, self.family = recognizer.layout, recognizer.family
        self._recognizer = recognizer
        self._queue = queue or _Queue(most_windows)

    @property
    def batches(self) -> int:
        """Inferences so far."""
        return self._queue.batches

    @property
    def windows(self) -> int:
        """Windows of all inferences so far."""
        return self._queue.windows

    def retaught(self, version: ModelVersion) -> BatchingRecognizer:
        """Return a recognizer with other taught labels (see ``WindowRecognizer.retaught``). Both may be in use."""
        return BatchingRecognizer(self._recognizer.retaught(version), queue=self._queue)

    def predict(self, windows: Sequence[Window]) -> list[Prediction]:
        """Return the scores of each window, in order (see ``WindowRecognizer.predict``)."""
        if not windows:
            return []
        request, queue = _Request(self._recognizer, windows), self._queue
        with queue.turn:
            queue.waiting.append(request)
        while True:
            with queue.turn:
                queue.turn.wait_for(lambda: request.done or not queue.busy)
                if request.done:
                    break
                queue.busy = True
                batch = self._take()
            self._infer(batch)
        if request.failure is not None:
            raise request.failure
        return request.predictions

    def _infer(self, batch: list[_Request]) -> None:
        """Answer the requests of a batch, with scores or with the failure."""
        try:
            predictions = iter(batch[0].recognizer.predict([window for each in batch for window in each.windows]))
            for each in batch:
                each.predictions = [next(predictions) for _ in each.windows]
        except Exception as error:  # noqa: BLE001 - raised in each thread whose windows were in it
            for each in batch:
                each.failure = error
        finally:
            with self._queue.turn:
                self._queue.busy = False
                self._queue.batches += 1
                self._queue.windows += sum(len(each.windows) for each in batch)
                for each in batch:
                    each.done = True
                self._queue.turn.notify_all()

    def _take(self) -> list[_Request]:
        """Return the requests of the next batch, all to one recognizer: as many as fit, and at least one."""
        waiting = self._queue.waiting
        batch = [waiting.pop(0)]
        count = len(batch[0].windows)
        while waiting and waiting[0].recognizer is batch[0].recognizer:
            count += len(waiting[0].windows)
            if count > self._queue.most_windows:
                break
            batch.append(waiting.pop(0))
        return batch

    def __exit__(self, *exc_info: object) -> None:
        """Close nothing: the wrapped recognizer stays open."""
