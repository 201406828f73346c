"""Sends on a thread of its own: a loop that has something to send only puts a call into a bounded queue.

liblsl itself queues for each receiver and drops the oldest. What may take time is to open outlets, and a network that
fails. Both are warned of once and counted; nothing stops.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.lsl.clock import LslClock
from mar_edge.streaming.lsl.config import LslConfig, predicate
from mar_edge.streaming.lsl.library import FIND_S, NOT_FOUND, resolver_of
from mar_edge.streaming.lsl.outlets import StreamOutlets
from mar_edge.streaming.operations.background_calls import BackgroundCalls
from mar_edge.streaming.wire.messages import HelloMessage, SkeletonMessage

# Between two attempts to open outlets.
_RETRY_S = 10.0
# Before outlets close, receivers get what was sent last.
_SETTLE_S = 0.5
_log = logging.getLogger("mar_edge.lsl")


class OutletsOfStreams:
    """The outlets of all streams. A context manager; any thread may call its methods, and none blocks or raises.

    Args:
        pylsl: The module.
        config: What is offered.
        skeletons: Whether joints are offered.
    """

    def __init__(self, pylsl: Any, config: LslConfig, *, skeletons: bool) -> None:
        self._pylsl, self._config, self._skeletons = pylsl, config, skeletons
        self._calls = BackgroundCalls("lsl", too_slow="liblsl is too slow")
        # From here on: used by the calls alone.
        self._clock = LslClock(pylsl.local_clock)
        self._hellos: dict[str, HelloMessage] = {}
        self._outlets: dict[str, StreamOutlets] = {}
        self._retry_s = 0.0
        self._finder: Any = None
        self._found_by_s = 0.0
        self._said: str | None = None

    @property
    def lost(self) -> int:
        """Samples that were not sent."""
        return self._calls.lost

    def open(self, hello: HelloMessage) -> None:
        """Open the outlets of a stream. Later descriptions of it change nothing: its joints stay the same."""
        self._calls.submit(lambda: self._open(hello))

    def send_marker(self, stream: str, text: str, t_mono_ns: int) -> None:
        """Send a marker, stamped with a moment of the monotonic clock."""
        self._send(stream, lambda outlets: outlets.push_marker(text, self._clock.lsl_s(t_mono_ns)))

    def send_people(self, people: Sequence[SkeletonMessage], t_mono_ns: int) -> None:
        """Send the joints of a frame that was captured at ``t_mono_ns``, where joints are offered."""
        if self._skeletons:
            stream = people[0].stream
            self._send(stream, lambda outlets: outlets.push_people(people, t_mono_ns, self._clock.lsl_s(t_mono_ns)))

    def look_after(self) -> None:
        """Measure the clocks, try again what failed, and report it; to be called every second or so."""
        self._calls.submit(self._look_after)

    def _send(self, stream: str, push: Callable[[StreamOutlets], None]) -> None:
        def call() -> None:
            if stream not in self._outlets:
                raise MarEdgeError("its outlets do not open")
            try:
                push(self._outlets[stream])
            except RuntimeError as error:
                raise MarEdgeError(str(error)) from None

        self._calls.submit(call)

    def _open(self, hello: HelloMessage) -> None:
        self._hellos[hello.stream] = hello
        if hello.stream in self._outlets:
            return
        try:
            outlets = StreamOutlets(self._pylsl, hello, self._config, skeletons=self._skeletons)
            if self._finder is None:
                query = predicate(f"source_id={outlets.event_source_id}")
                self._finder, self._found_by_s = resolver_of(self._pylsl, query), time.monotonic() + FIND_S
        except RuntimeError as error:
            self._retry_s = time.monotonic() + _RETRY_S
            _log.warning("no LSL streams of %s: %s; trying again every %.0f s", hello.stream, error, _RETRY_S)
        else:
            self._outlets[hello.stream] = outlets

    def _look_after(self) -> None:
        self._clock.measure()
        if time.monotonic() >= self._retry_s:
            for stream in self._hellos.keys() - self._outlets.keys():
                self._open(self._hellos[stream])
        if self._found_by_s and time.monotonic() > self._found_by_s:
            if not self._finder.results():
                _log.warning("LSL: %s", NOT_FOUND)
            self._found_by_s = 0.0
        if self._calls.last_error != self._said:
            self._said = self._calls.last_error
            _log.warning("LSL: %d samples were not sent: %s", self.lost, self._said)

    def __enter__(self) -> OutletsOfStreams:
        _log.warning("LSL gives what is offered to every machine of the network that asks, and does not encrypt it")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._calls.submit(self._close)
        self._calls.close()

    def _close(self) -> None:
        self._finder = None
        if any(outlets.have_consumers for outlets in self._outlets.values()):
            time.sleep(_SETTLE_S)
        self._outlets.clear()
