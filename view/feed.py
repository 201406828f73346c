"""Messages of streams -> browsers: as newest they are, never more than a browser takes. Knows no sockets, no HTTP.

Whoever brings a message never waits: each browser has an outbox of its own, bounded, in which a newer frame, picture or
status takes the place of one that was not sent yet (``skipped``). Labels and events are not replaced; a browser that
lets so many of them lie is cut off (``dropped``), and gets the recent past again when it comes back.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from mar_edge.streaming.wire.messages import (
    AnyMessage,
    EncodedMessage,
    EndMessage,
    HelloMessage,
    SkeletonMessage,
    StatusMessage,
)

MOST_BROWSERS = 32
MOST_STREAMS = 64
# What a browser that comes late is told of the past; the page keeps as much of what it saw itself.
HISTORY_S = 60.0
_MOST_HISTORY = 3000
_MOST_WAITING = 2000
_MOST_BYTES = 8_000_000
_TURN_S = 0.02
_log = logging.getLogger("mar_edge.view")


class ViewMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="view"):
    """How the page's own server fares: each second, to browsers only, never on the wire.

    browsers: how many look on. skipped: frames and pictures that a newer one overtook before they were sent.
    dropped: browsers that were cut off because they did not read. lost: messages that did not reach the server;
    silent: streams that say nothing, not even a status. video: camera pictures are shown.
    """

    browsers: int
    skipped: int
    dropped: int
    lost: int = 0
    silent: tuple[str, ...] = ()
    video: bool = False


class Outbox:
    """What one browser was not sent yet. Filled by any thread, emptied by the browser's own task."""

    def __init__(self, greeting: Iterable[bytes]) -> None:
        self.skipped = 0
        self.full = False
        self.ready = asyncio.Event()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: dict[Hashable, tuple[object, bytes]] = {next(self._numbers): (None, each) for each in greeting}
        self._pictures: dict[str, bytes] = {}
        self._bytes = 0

    @property
    def empty(self) -> bool:
        """Whether everything has been taken."""
        return not (self._waiting or self._pictures or self.full)

    def put(self, payload: bytes, place: Hashable = None, group: object = None) -> None:
        """Add a JSON document.

        Args:
            payload: the document.
            place: only the newest of a place is kept; None keeps all.
            group: documents of one place and group, as the people in a frame, stand together instead.
        """
        with self._lock:
            if self.full:
                return
            if place is None:
                self._waiting[next(self._numbers)] = (None, payload)
            else:
                old_group, old = self._waiting.pop(place, (None, b""))
                if old and old_group == group:
                    payload = old + b"," + payload
                elif old:
                    self.skipped += 1
                self._bytes -= len(old)
                self._waiting[place] = (group, payload)
            self._bytes += len(payload)
            if len(self._waiting) > _MOST_WAITING or self._bytes > _MOST_BYTES:
                self._give_up()

    def give_up(self) -> None:
        """The browser takes nothing: let go of what waits, and take no more."""
        with self._lock:
            self._give_up()

    def _give_up(self) -> None:
        self.full = True
        self._waiting.clear()
        self._pictures.clear()

    def put_picture(self, stream: str, payload: bytes) -> None:
        """Add a picture; only the newest of a stream is kept."""
        with self._lock:
            if not self.full:
                self.skipped += stream in self._pictures
                self._pictures[stream] = payload

    def take(self) -> tuple[bytes, list[bytes]]:
        """A JSON array of all that waits, in the order in which it came, and the pictures; both may be empty."""
        with self._lock:
            documents = b",".join(payload for _, payload in self._waiting.values())
            pictures = list(self._pictures.values())
            self._waiting.clear()
            self._pictures.clear()
            self._bytes = 0
        return (b"[" + documents + b"]" if documents else b""), pictures


@dataclass
class _Past:
    """Of one stream, what a newcomer must know."""

    run: str
    latest: dict[str, bytes] = field(default_factory=dict)
    history: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=_MOST_HISTORY))

    def keep(self, message: AnyMessage, payload: bytes) -> None:
        if isinstance(message, (HelloMessage, StatusMessage, EndMessage)):
            self.latest[message.kind] = payload
        elif not isinstance(message, SkeletonMessage):
            self.history.append((message.t_capture_ns, payload))
            oldest_ns = message.t_capture_ns - round(HISTORY_S * 1e9)
            while self.history[0][0] < oldest_ns:
                self.history.popleft()

    def documents(self) -> Iterator[bytes]:
        if "hello" in self.latest:
            yield self.latest["hello"]
        yield from (payload for _, payload in self.history)
        yield from (payload for kind, payload in self.latest.items() if kind != "hello")


class Feed:
    """From those who have messages (``see``, any thread) to those who look on (``join``, the server's loop).

    ``lost`` and ``silent`` are told by whoever listens to a wire; ``video`` says that pictures are shown.
    """

    def __init__(self, video: bool = False) -> None:
        self.video = video
        self.lost = 0
        self.silent: tuple[str, ...] = ()
        self.dropped = 0
        self._skipped = 0
        self._lock = threading.Lock()
        self._pasts: dict[str, _Past] = {}
        self._outboxes: set[Outbox] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waking = False
        self._crowded = False

    @property
    def browsers(self) -> int:
        """How many look on."""
        return len(self._outboxes)

    def attach(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Where browsers' tasks run; None when it ends."""
        with self._lock:
            self._loop, self._waking = loop, False

    def publish(self, encoded: EncodedMessage[AnyMessage]) -> None:
        """Put a message into the outbox of every browser. Never waits for one."""
        message, payload = encoded.message, encoded.json
        place: Hashable = None
        if isinstance(message, (SkeletonMessage, StatusMessage)):
            place = message.kind, message.stream
        with self._lock:
            past = self._past(message)
            if past is None:
                return
            past.keep(message, payload)
            for outbox in self._outboxes:
                outbox.put(payload, place, (message.run, message.frame) if message.kind == "skeleton" else object())
            self._wake()

    def publish_picture(self, stream: str, payload: bytes) -> None:
        """Take a picture, as the page reads it; never waits for a browser."""
        with self._lock:
            for outbox in self._outboxes:
                outbox.put_picture(stream, payload)
            self._wake()

    def report(self) -> None:
        """Tell browsers how the server fares."""
        with self._lock:
            for outbox in self._outboxes:
                outbox.put(msgspec.json.encode(self._view()), "view", object())
            self._wake()

    def join(self) -> Outbox | None:
        """An outbox for a browser, with the present and the recent past in it; None where too many look on."""
        with self._lock:
            if len(self._outboxes) >= MOST_BROWSERS:
                return None
            documents = [document for past in self._pasts.values() for document in past.documents()]
            outbox = Outbox([msgspec.json.encode(self._view()), *documents])
            self._outboxes.add(outbox)
            outbox.ready.set()
            return outbox

    def leave(self, outbox: Outbox) -> None:
        """The browser is gone."""
        with self._lock:
            self._outboxes.discard(outbox)
            self._skipped += outbox.skipped
            self.dropped += outbox.full

    def flush(self, timeout_s: float) -> None:
        """Until browsers have taken all there is, or the time is up."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            with self._lock:
                if all(outbox.empty for outbox in self._outboxes):
                    return
            time.sleep(_TURN_S)

    def _view(self) -> ViewMessage:
        return ViewMessage(
            browsers=len(self._outboxes),
            skipped=self._skipped + sum(outbox.skipped for outbox in self._outboxes),
            dropped=self.dropped,
            lost=self.lost,
            silent=self.silent,
            video=self.video,
        )

    def _past(self, message: AnyMessage) -> _Past | None:
        past = self._pasts.get(message.stream)
        if past is None and len(self._pasts) >= MOST_STREAMS:
            if not self._crowded:
                self._crowded = True
                _log.warning(
                    "the page shows %d streams; '%s' and later ones are left out", MOST_STREAMS, message.stream
                )
            return None
        if past is None or past.run != message.run:
            past = self._pasts[message.stream] = _Past(message.run)
        return past

    def _wake(self) -> None:
        """Have the tasks of browsers look into their outboxes; one call at a time is under way."""
        if self._loop is not None and not self._waking:
            self._waking = True
            self._loop.call_soon_threadsafe(self._set_ready)

    def _set_ready(self) -> None:
        with self._lock:
            self._waking = False
            outboxes = list(self._outboxes)
        for outbox in outboxes:
            if not outbox.empty:
                outbox.ready.set()
