"""Calls in the background, so that no stream waits for a paused terminal, a full disk or a slow library."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from mar_edge.edge.errors import MarEdgeError

MOST_WAITING = 1000
# How long closing waits for what is not done yet.
_FLUSH_S = 1.0


class BackgroundCalls:
    """Runs calls, such as those that print, in order, on its own thread. A context manager; any thread may ``submit``.

    Attributes:
        lost: Calls that failed, or came while the queue was full.
        last_error: Reason of the last loss; None if there was none.

    Args:
        name: Name of the thread.
        most_waiting: Length of the queue; further calls are lost.
        too_slow: Reason of those losses.
    """

    def __init__(
        self,
        name: str = "printer",
        most_waiting: int = MOST_WAITING,
        too_slow: str = "the reader of the output is too slow",
    ) -> None:
        self.lost = 0
        self.last_error: str | None = None
        self._too_slow = too_slow
        self._waiting: queue.Queue[Callable[[], None] | None] = queue.Queue(most_waiting)
        self._idle = threading.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[], None]) -> None:
        """Queue a call. Never blocks."""
        self._idle.clear()
        try:
            self._waiting.put_nowait(call)
        except queue.Full:
            self.lost += 1
            self.last_error = self._too_slow

    def flush(self, timeout_s: float = _FLUSH_S) -> None:
        """Wait until everything is done, or the time is up."""
        self._idle.wait(timeout_s)

    def _run(self) -> None:
        while True:
            try:
                call = self._waiting.get_nowait()
            except queue.Empty:
                self._idle.set()
                call = self._waiting.get()
            if call is None:
                self._idle.set()
                return
            try:
                call()
            except (OSError, ValueError, MarEdgeError) as error:
                self.lost += 1
                self.last_error = getattr(error, "strerror", None) or str(error) or type(error).__name__

    def close(self) -> None:
        """Do what is queued, for a second at most."""
        self.flush()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return  # the thread is blocked, and ends with the process
        self._thread.join(_FLUSH_S)

    def __enter__(self) -> BackgroundCalls:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
