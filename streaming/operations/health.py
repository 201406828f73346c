"""Whether streams live and are ready, read off the messages they send. Knows nothing of who asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from mar_edge.streaming.wire.messages import AnyMessage, EndMessage, StatusMessage

# A stream that has not even sent a status for so long hangs.
HUNG_S = 10.0


class Health:
    """Whether the streams live, and whether they are ready. May be asked by any thread.

    Args:
        streams: the names of those that are expected.
        clock: monotonic seconds; another one in tests.
    """

    def __init__(self, streams: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._heard_s = dict.fromkeys(streams, clock())
        self._status: dict[str, StatusMessage] = {}
        self._ended: dict[str, str] = {}
        self._running = False

    def on_message(self, message: AnyMessage) -> None:
        """Take note of a message."""
        with self._lock:
            self._heard_s[message.stream] = self._clock()
            if isinstance(message, StatusMessage):
                self._status[message.stream] = message
            elif isinstance(message, EndMessage):
                self._ended[message.stream] = message.reason

    def run(self) -> None:
        """The models are loaded and the streams begin: from now on they must be heard."""
        with self._lock:
            self._running = True
            self._heard_s = dict.fromkeys(self._heard_s, self._clock())

    def hung(self) -> list[str]:
        """Streams that run and have said nothing for ``HUNG_S``, not even a status."""
        with self._lock:
            limit_s = self._clock() - HUNG_S
            return [
                name
                for name, heard_s in self._heard_s.items()
                if self._running and name not in self._ended and heard_s < limit_s
            ]

    def waiting(self) -> list[str]:
        """Streams that have not processed a frame yet, or have ended."""
        with self._lock:
            return [
                name
                for name in self._heard_s
                if name in self._ended or name not in self._status or self._status[name].frames == 0
            ]

    def statuses(self) -> list[StatusMessage]:
        """The newest of each stream."""
        with self._lock:
            return list(self._status.values())
