"""Markers of other programs: finds their streams, corrects their times, checks their texts. Sends nothing.

What comes over the network is not trusted. A text is cut and made printable, a time must be near now, and what waits is
bounded.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from mar_edge.streaming.lsl.clock import LslClock
from mar_edge.streaming.lsl.config import predicate
from mar_edge.streaming.lsl.library import resolver_of
from mar_edge.streaming.wire.messages import LONGEST_MARKER

_TURN_S = 0.02
_LOOK_S = 1.0
# Opening a stream on the network, and the first estimate of its clock.
_OPEN_S = 2.0
_STOP_S = 3.0
# A time stamp further from now is of another clock.
_NEAR_S = 3600.0
_MOST_STREAMS = 16
_MOST_CHANNELS = 32
_MOST_SAID = 100
_LONGEST_NAME = 200
MOST_WAITING = 1000
"""Markers that wait for the next frame of a stream; further ones are lost."""
_MOST_A_TURN = 200
_BUFFERED = 10  # of an inlet, in hundreds
# A stream that is not found within this time is reported.
_SILENT_S = 10.0
_log = logging.getLogger("mar_edge.lsl")


@dataclass(frozen=True)
class Marker:
    """A marker of another program.

    t_mono_ns: when it was set, on the monotonic clock of this process. text: printable. source: name of its stream.
    """

    t_mono_ns: int
    text: str
    source: str


class MarkerInlets:
    """Receives markers on a thread of its own, which the context runs. ``take`` may be called by any thread.

    Attributes:
        lost: Markers that were refused, cut, or came while too many waited.

    Args:
        pylsl: The module.
        queries: Which streams, as in ``LslConfig.markers``.
        streams: Names of the streams that each get every marker.
        own_ids: Source ids of outlets that are not taken in, since they are our own.
    """

    def __init__(self, pylsl: Any, queries: Sequence[str], streams: Sequence[str], own_ids: Collection[str]) -> None:
        self.lost = 0
        self._pylsl = pylsl
        self._queries, self._own_ids = queries, own_ids
        self._clock = LslClock(pylsl.local_clock)
        self._waiting: dict[str, deque[Marker]] = {stream: deque() for stream in streams}
        self._inlets: dict[str, tuple[str, Any]] = {}
        self._said: set[tuple[str, str]] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lsl markers", daemon=True)

    def take(self, stream: str) -> list[Marker]:
        """Return the markers that came since the last call for ``stream``."""
        waiting = self._waiting[stream]
        return [waiting.popleft() for _ in range(len(waiting))]

    def __enter__(self) -> MarkerInlets:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        try:
            resolvers = [resolver_of(self._pylsl, predicate(query)) for query in self._queries]
        except RuntimeError as error:
            self.lost += 1
            _log.warning("no markers are taken in over LSL: %s", error)
            return
        begun_s = look_s = time.monotonic()
        while not self._stop.wait(_TURN_S):
            if time.monotonic() >= look_s:
                look_s = time.monotonic() + _LOOK_S
                self._clock.measure()
                for query, resolver in zip(self._queries, resolvers, strict=True):
                    found = self._look(resolver)
                    if not found and time.monotonic() - begun_s > _SILENT_S:
                        self._say(query, "no such LSL stream is found yet; it is waited for")
            for uid in list(self._inlets):
                self._drain(uid)
        self._inlets.clear()

    def _look(self, resolver: Any) -> int:
        """Open what is new, and return how many streams there are."""
        found = resolver.results()
        for info in found:
            if info.uid() in self._inlets or info.source_id() in self._own_ids:
                continue
            rate, channels = info.nominal_srate(), info.channel_count()
            readable = 1 <= channels <= _MOST_CHANNELS and info.channel_format() != self._pylsl.cf_undefined
            if rate != self._pylsl.IRREGULAR_RATE or not readable:
                self._say(info.name(), "this stream of %d channels at %g Hz is not taken for markers", channels, rate)
            elif len(self._inlets) >= _MOST_STREAMS:
                self._say(info.name(), "left out: at most %d streams of markers are taken in", _MOST_STREAMS)
            else:
                self._open(info)
        return len(found)

    def _open(self, info: Any) -> None:
        try:
            inlet = self._pylsl.StreamInlet(info, max_buflen=_BUFFERED, recover=False, as_numpy=True)
            inlet.open_stream(timeout=_OPEN_S)
            inlet.time_correction(timeout=_OPEN_S)
        except RuntimeError as error:  # it has just ended, or does not answer; it is tried again while it is listed
            self._say(info.name(), "the stream cannot be opened: %s", error)
            return
        name = _name(info.name())
        self._inlets[info.uid()] = name, inlet
        _log.info("markers are taken in from LSL stream '%s' of %s", name, _name(info.hostname()))

    def _drain(self, uid: str) -> None:
        name, inlet = self._inlets[uid]
        try:
            for _ in range(_MOST_A_TURN):
                values, sent_s = inlet.pull_sample(timeout=0.0)
                if values is None:
                    return
                self._take(name, marker_text(values.tolist()), sent_s + inlet.time_correction(timeout=_OPEN_S))
        except RuntimeError as error:
            del self._inlets[uid]
            _log.warning("LSL stream '%s' has ended: %s", name, error)

    def _take(self, name: str, text: str, lsl_s: float) -> None:
        apart_s = lsl_s - self._pylsl.local_clock()
        if not abs(apart_s) <= _NEAR_S:  # nor is NaN
            self.lost += 1
            self._say(name, "left out: stamped %.0f s from now on LSL's clock; stamp with local_clock", apart_s)
            return
        if len(text) > LONGEST_MARKER:
            self.lost += 1
            self._say(name, "longer texts are cut to %d characters", LONGEST_MARKER)
        marker = Marker(self._clock.mono_ns(lsl_s), text[:LONGEST_MARKER], name)
        for waiting in self._waiting.values():
            if len(waiting) >= MOST_WAITING:
                self.lost += 1
                self._say(name, "left out: %d wait for the next frame already", MOST_WAITING)
            else:
                waiting.append(marker)

    def _say(self, name: str, problem: str, *values: object) -> None:
        """Report a problem of a stream once; ``values`` are those that ``problem`` formats."""
        name = _name(name)
        if (name, problem) not in self._said and len(self._said) < _MOST_SAID:
            self._said.add((name, problem))
            _log.warning("markers from '%s': %s", name, problem % values)


def marker_text(values: Sequence[bytes | int | float]) -> str:
    """Return the values of a sample as printable text, separated by blanks."""
    return " ".join(
        _printable(value.decode("utf-8", "replace")) if isinstance(value, bytes) else f"{value:.15g}"
        for value in values
    )


def _name(text: str) -> str:
    return _printable(text[:_LONGEST_NAME])


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
