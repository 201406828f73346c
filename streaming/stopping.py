"""SIGINT and SIGTERM as something a loop can ask about, so that a stream ends in order."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_REASONS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class StopSignals:
    """A context manager; within it the first SIGINT or SIGTERM sets ``reason`` and ``signal``.

    The second one does what it did before (a KeyboardInterrupt, the end of the process), in case something hangs.
    Outside the main thread, where Python allows no handlers, it does nothing. The old handlers come back on leaving.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.signal: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in _REASONS:
                self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.signal = number
        self.reason = _REASONS[signal.Signals(number)]
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            # None is a handler that Python did not install and cannot put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()
