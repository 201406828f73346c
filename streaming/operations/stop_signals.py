"""SIGINT, SIGTERM and SIGHUP as flags that a loop can check, so that a stream ends in order."""

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
    """A context manager within which the first SIGINT or SIGTERM sets ``reason`` and ``signal``.

    The second signal has its usual effect (a KeyboardInterrupt, the end of the process), in case something hangs.
    SIGHUP stops too, since the terminal or session is gone, unless it was ignored from the start (``nohup``). With
    ``rereads`` it instead requests that the configuration is read again (``take_hangup``). Outside the main thread,
    where Python allows no handlers, this does nothing. Leaving restores the old handlers.
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
        """Return whether a SIGHUP came since the last call."""
        came, self._hangup = self._hangup, False
        return came

    def _hang_up(self, _number: int, _: FrameType | None) -> None:
        self._hangup = True

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.signal = number
        self.reason = _REASONS.get(signal.Signals(number), _HUNG_UP)
        if number != _HANGUP:  # a closing terminal sends it, and its shell sends it again
            self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            # None is a handler that Python did not install and cannot restore.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before.clear()
