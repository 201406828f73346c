"""SIGINT, SIGTERM and SIGHUP as something a loop can ask about, so that a stream ends in order."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

_REASONS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
_HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none
_HUNG_UP = "hung up"
REASONS = frozenset({*_REASONS.values(), _HUNG_UP})


class StopSignals:
    """A context manager; within it the first SIGINT or SIGTERM sets ``reason`` and ``signal``.

    The second one does what it did before (a KeyboardInterrupt, the end of the process), in case something hangs.
    A SIGHUP does the same, since whoever began the process is gone, unless SIGHUP was ignored from the start
    (``nohup``). With ``rereads`` it means that a configuration is to be read again and is noted for ``take_hangup``.
    Outside the main thread, where Python allows no handlers, it does nothing. The old handlers come back on leaving.
    """

    def __init__(self, rereads: bool = False) -> None:
        self.reason: str | None = None
        self.signal: int | None = None
        self._rereads = rereads
        self._hangup = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in _REASONS:
                self._before[number] = signal.signal(number, self._stop)
            if _HANGUP is not None and (self._rereads or signal.getsignal(_HANGUP) != signal.SIG_IGN):
                self._before[_HANGUP] = signal.signal(_HANGUP, self._hang_up if self._rereads else self._stop)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._restore()

    def take_hangup(self) -> bool:
        """Whether a SIGHUP came since this was last asked."""
        came, self._hangup = self._hangup, False
        return came

    def _hang_up(self, _number: int, _: FrameType | None) -> None:
        self._hangup = True

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.signal = number
        self.reason = _REASONS.get(signal.Signals(number), _HUNG_UP)
        if number != _HANGUP:  # a terminal that closes sends it, and its shell again
            self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            # None is a handler that Python did not install and cannot put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()
