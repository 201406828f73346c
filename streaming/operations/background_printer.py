"""Printing in the background: a terminal that is held up, a full disk or a pipe without a reader holds up nobody."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from mar_edge.edge.errors import MarEdgeError

MOST_WAITING = 1000
# What was printed last is worth so much waiting.
_FAREWELL_S = 1.0


class BackgroundPrinter:
    """Makes calls that print, in order, on a thread of its own. A context manager; any thread may call ``later``.

    ``lost`` counts the calls that could not print, or did not get their turn.

    Args:
        name: of the thread.
        most_waiting: calls that wait; beyond it they are lost.
    """

    def __init__(self, name: str = "printer", most_waiting: int = MOST_WAITING) -> None:
        self.lost = 0
        self.last_error: str | None = None
        self._waiting: queue.Queue[Callable[[], None] | None] = queue.Queue(most_waiting)
        self._idle = threading.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def later(self, call: Callable[[], None]) -> None:
        """Have something printed; never waits."""
        self._idle.clear()
        try:
            self._waiting.put_nowait(call)
        except queue.Full:
            self.lost += 1
            self.last_error = "whoever reads it does not keep up"

    def settle(self, timeout_s: float = _FAREWELL_S) -> None:
        """Wait until all has been printed, or for so long."""
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
        """Print what waits, for as long as that is worth."""
        self.settle()
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return  # it is held up, and ends with the process
        self._thread.join(_FAREWELL_S)

    def __enter__(self) -> BackgroundPrinter:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
