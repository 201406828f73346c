"""Health of streams, from the messages that they send. Knows nothing of HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from mar_edge.streaming.wire.messages import AnyMessage, EndMessage, StatusMessage

# A stream that sends nothing for this long, not even a status, hangs.
HUNG_S = 10.0


class Health:
    """Follows which streams hang and which are ready. Any thread may use it.

    Args:
        streams: Names of the expected streams.
        clock: Monotonic seconds; a fake one in tests.
    """

    def __init__(self, streams: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last_s = dict.fromkeys(streams, clock())
        self._status: dict[str, StatusMessage] = {}
        self._ended: dict[str, str] = {}
        self._running = False

    def on_message(self, message: AnyMessage) -> None:
        """Take a message that was sent."""
        with self._lock:
            self._last_s[message.stream] = self._clock()
            if isinstance(message, StatusMessage):
                self._status[message.stream] = message
            elif isinstance(message, EndMessage):
                self._ended[message.stream] = message.reason

    def start(self) -> None:
        """Note that the streams have started: from now on each must send messages."""
        with self._lock:
            self._running = True
            self._last_s = dict.fromkeys(self._last_s, self._clock())

    def hung(self) -> list[str]:
        """Return running streams that sent nothing for ``HUNG_S``, not even a status."""
        with self._lock:
            limit_s = self._clock() - HUNG_S
            return [
                name
                for name, last_s in self._last_s.items()
                if self._running and name not in self._ended and last_s < limit_s
            ]

    def waiting(self) -> list[str]:
        """Return streams that have not processed a frame yet, or have ended."""
        with self._lock:
            return [
                name
                for name in self._last_s
                if name in self._ended or name not in self._status or self._status[name].frames == 0
            ]

    def statuses(self) -> list[StatusMessage]:
        """Return the newest status of each stream."""
        with self._lock:
            return list(self._status.values())
