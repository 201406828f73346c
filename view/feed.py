"""Distributes messages of streams to browsers: the newest ones, at each browser's speed. Knows no sockets and no HTTP.

Publishing never blocks: each browser has its own bounded outbox. There a newer frame, picture or status replaces one
that was not sent yet (``skipped``). Labels and events are not replaced. A browser that does not read them is
disconnected when its outbox is full (``dropped``). It gets the recent history again when it reconnects.
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

from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.streaming.wire.messages import AnyMessage, EndMessage, HelloMessage, SkeletonMessage, StatusMessage

MOST_BROWSERS = 32
MOST_STREAMS = 64
# History for a browser that connects later; the page keeps as much of what it receives.
HISTORY_S = 60.0
_MOST_HISTORY = 3000
_MOST_WAITING = 2000
_MOST_BYTES = 8_000_000
_POLL_S = 0.02
_log = logging.getLogger("mar_edge.view")


class ViewMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="view"):
    """State of the page's server, sent each second to browsers only, never on the wire.

    Attributes:
        browsers: Browsers connected now.
        skipped: Frames and pictures that a newer one replaced before they were sent.
        dropped: Browsers disconnected because they did not read.
        lost: Messages that did not reach the server.
        silent: Streams that send nothing, not even a status.
        video: Whether camera pictures are shown.
    """

    browsers: int
    skipped: int
    dropped: int
    lost: int = 0
    silent: tuple[str, ...] = ()
    video: bool = False


class Outbox:
    """Documents that one browser was not sent yet. Any thread fills it; the task of the browser empties it."""

    def __init__(self, history: Iterable[bytes]) -> None:
        self.skipped = 0
        self.full = False
        self.ready = asyncio.Event()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: dict[Hashable, tuple[object, bytes]] = {next(self._numbers): (None, each) for each in history}
        self._pictures: dict[str, bytes] = {}
        self._bytes = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is left to send."""
        return not (self._waiting or self._pictures or self.full)

    def put(self, payload: bytes, slot: Hashable = None, group: object = None) -> None:
        """Add a JSON document.

        Args:
            payload: The document.
            slot: A newer document replaces an older one in the same slot; None keeps all.
            group: Documents of one slot and group, such as the people in a frame, are kept together instead.
        """
        with self._lock:
            if self.full:
                return
            if slot is None:
                self._waiting[next(self._numbers)] = (None, payload)
            else:
                old_group, old = self._waiting.pop(slot, (None, b""))
                if old and old_group == group:
                    payload = old + b"," + payload
                elif old:
                    self.skipped += 1
                self._bytes -= len(old)
                self._waiting[slot] = (group, payload)
            self._bytes += len(payload)
            if len(self._waiting) > _MOST_WAITING or self._bytes > _MOST_BYTES:
                self._give_up()

    def give_up(self) -> None:
        """Discard the documents of a browser that does not read, and accept no more."""
        with self._lock:
            self._give_up()

    def _give_up(self) -> None:
        self.full = True
        self._waiting.clear()
        self._pictures.clear()

    def put_picture(self, stream: str, payload: bytes) -> None:
        """Add a picture; it replaces an older one of its stream."""
        with self._lock:
            if not self.full:
                self.skipped += stream in self._pictures
                self._pictures[stream] = payload

    def take(self) -> tuple[bytes, list[bytes]]:
        """Take everything: a JSON array of the documents in their order, and the pictures. Both may be empty."""
        with self._lock:
            documents = b",".join(payload for _, payload in self._waiting.values())
            pictures = list(self._pictures.values())
            self._waiting.clear()
            self._pictures.clear()
            self._bytes = 0
        return (b"[" + documents + b"]" if documents else b""), pictures


@dataclass
class _History:
    """Documents of one stream for a browser that connects later."""

    run: str
    latest: dict[str, bytes] = field(default_factory=dict)
    recent: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=_MOST_HISTORY))

    def keep(self, message: AnyMessage, payload: bytes) -> None:
        if isinstance(message, (HelloMessage, StatusMessage, EndMessage)):
            self.latest[message.kind] = payload
        elif not isinstance(message, SkeletonMessage):
            self.recent.append((message.t_capture_ns, payload))
            oldest_ns = message.t_capture_ns - round(HISTORY_S * 1e9)
            while self.recent[0][0] < oldest_ns:
                self.recent.popleft()

    def documents(self) -> Iterator[bytes]:
        if "hello" in self.latest:
            yield self.latest["hello"]
        yield from (payload for _, payload in self.recent)
        yield from (payload for kind, payload in self.latest.items() if kind != "hello")


class Feed:
    """Passes messages from publishers (``publish``, any thread) to browsers (``subscribe``, the loop of the server).

    Attributes:
        video: Whether pictures are shown.
        lost: Messages lost on the way to this process; set by a subscriber.
        silent: Silent streams; set by a subscriber.
        dropped: Browsers disconnected because they did not read.
    """

    def __init__(self, video: bool = False) -> None:
        self.video = video
        self.lost = 0
        self.silent: tuple[str, ...] = ()
        self.dropped = 0
        self._skipped = 0
        self._lock = threading.Lock()
        self._histories: dict[str, _History] = {}
        self._kept: dict[str, bytes] = {}
        self._outboxes: set[Outbox] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waking = False
        self._warned_of_limit = False

    @property
    def browsers(self) -> int:
        """Browsers connected now."""
        return len(self._outboxes)

    def attach(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Set the loop that runs the tasks of browsers; None when it ends."""
        with self._lock:
            self._loop, self._waking = loop, False

    def publish(self, encoded: EncodedMessage[AnyMessage]) -> None:
        """Put a message into the outbox of every browser. Never waits for one."""
        message, payload = encoded.message, encoded.json
        slot: Hashable = None
        if isinstance(message, (SkeletonMessage, StatusMessage)):
            slot = message.kind, message.stream
        with self._lock:
            history = self._history_of(message)
            if history is None:
                return
            history.keep(message, payload)
            for outbox in self._outboxes:
                outbox.put(payload, slot, (message.run, message.frame) if message.kind == "skeleton" else object())
            self._wake()

    def publish_picture(self, stream: str, payload: bytes) -> None:
        """Put an encoded picture into the outbox of every browser. Never waits for one."""
        with self._lock:
            for outbox in self._outboxes:
                outbox.put_picture(stream, payload)
            self._wake()

    def keep(self, slot: str, payload: bytes) -> None:
        """Put a document into the outbox of every browser; one that connects later gets the last one of each slot."""
        with self._lock:
            self._kept[slot] = payload
            for outbox in self._outboxes:
                outbox.put(payload, slot, object())
            self._wake()

    def report(self) -> None:
        """Put the state of the server into the outbox of every browser."""
        with self._lock:
            for outbox in self._outboxes:
                outbox.put(msgspec.json.encode(self._view()), "view", object())
            self._wake()

    def subscribe(self) -> Outbox | None:
        """Return an outbox for a browser, with the recent history in it; None if there are too many browsers."""
        with self._lock:
            if len(self._outboxes) >= MOST_BROWSERS:
                return None
            documents = [document for history in self._histories.values() for document in history.documents()]
            outbox = Outbox([msgspec.json.encode(self._view()), *self._kept.values(), *documents])
            self._outboxes.add(outbox)
            outbox.ready.set()
            return outbox

    def unsubscribe(self, outbox: Outbox) -> None:
        """Remove the outbox of a browser that disconnected."""
        with self._lock:
            self._outboxes.discard(outbox)
            self._skipped += outbox.skipped
            self.dropped += outbox.full

    def flush(self, timeout_s: float) -> None:
        """Wait until browsers have received everything, or the time is up."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            with self._lock:
                if all(outbox.empty for outbox in self._outboxes):
                    return
            time.sleep(_POLL_S)

    def _view(self) -> ViewMessage:
        return ViewMessage(
            browsers=len(self._outboxes),
            skipped=self._skipped + sum(outbox.skipped for outbox in self._outboxes),
            dropped=self.dropped,
            lost=self.lost,
            silent=self.silent,
            video=self.video,
        )

    def _history_of(self, message: AnyMessage) -> _History | None:
        history = self._histories.get(message.stream)
        if history is None and len(self._histories) >= MOST_STREAMS:
            if not self._warned_of_limit:
                self._warned_of_limit = True
                _log.warning(
                    "the page shows at most %d streams; '%s' and later ones are left out", MOST_STREAMS, message.stream
                )
            return None
        if history is None or history.run != message.run:
            history = self._histories[message.stream] = _History(message.run)
        return history

    def _wake(self) -> None:
        """Wake the tasks of browsers. Only one call is pending at a time."""
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
