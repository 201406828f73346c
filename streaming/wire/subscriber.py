"""The subscriber: ZeroMQ -> typed messages, with losses, restarts and silence noticed. Needs no camera, no model."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import zmq

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.streaming.choices import Kind
from mar_edge.streaming.wire.address import DEFAULT_ADDRESS, parse_address
from mar_edge.streaming.wire.keys import ClientKeys
from mar_edge.streaming.wire.messages import (
    KINDS,
    MAX_BYTES,
    STATUS_PERIOD_S,
    AnyMessage,
    EndMessage,
    MalformedMessage,
    UnknownMessage,
    decode,
    topic,
)

HIGH_WATER_MARK = 10_000
GAPS_KEPT = 1000
# A sender that misses so many of its status messages is silent.
SILENT_S = 3 * STATUS_PERIOD_S
_HEARTBEAT_MS = 2000
# A sender that is away, or refuses us, is tried again ever less often.
_RECONNECT_MS, _RECONNECT_MOST_MS = 100, 3000


class SubscriberTimeout(MarEdgeError, TimeoutError):
    """Nothing came for longer than the subscriber was willing to wait."""


@dataclass(frozen=True)
class Gap:
    """Messages that were sent and did not arrive. ``kind`` is None where they may be of any kind."""

    stream: str
    kind: str | None
    first_missing: int
    count: int


@dataclass(frozen=True)
class Restart:
    """The sender of a stream began anew; its numbers count from 0 again."""

    stream: str


@dataclass(frozen=True)
class Silence:
    """Nothing came for ``SILENT_S``, not even a status: of a stream that has not ended, or (None) of any."""

    stream: str | None


@dataclass(frozen=True)
class Malformed:
    """Bytes that are no message of ours, and why."""

    why: str


Notice = Gap | Restart | Silence | Malformed


@dataclass
class _Progress:
    """How far one stream has come in one run of its sender. ``heard_s``: when it was last heard, monotonic."""

    run: str
    next_seq: dict[str | None, int]
    heard_s: float = 0.0
    silent: bool = False
    ended: bool = False


class LabelSubscriber:
    """Messages of one publisher, as they come. An iterator and a context manager; used from one thread.

    ``lost`` counts missing messages and ``gaps`` holds the newest of them; ``restarts`` counts new runs of a sender,
    ``malformed`` what was no message, ``silences`` how often a stream went dumb; ``silent`` names those that are.
    To join late is no gap. With ``kinds``, only losses of those kinds are seen.

    Args:
        address: where the publisher is (see ``streaming.wire.address``).
        stream: only this one; None for all.
        kinds: only these.
        timeout_s: how long to wait for a message; None for ever.
        until_end: stop after the first ``end`` message.
        keys: to decrypt with; None for a sender that sends in clear.
        on_notice: is told of each fault as it is noticed, also while no message comes.

    Raises:
        MarEdgeError: no such address or kind.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        stream: str | None = None,
        kinds: Collection[Kind] = KINDS,
        timeout_s: float | None = None,
        until_end: bool = False,
        *,
        keys: ClientKeys | None = None,
        on_notice: Callable[[Notice], None] | None = None,
    ) -> None:
        unknown = sorted(set(kinds) - set(KINDS))
        if unknown or not kinds:
            close = did_you_mean(unknown[0], KINDS) if unknown else ""
            raise MarEdgeError(
                f"no such kind of message: {', '.join(unknown) or 'none given'}; there are {KINDS}{close}"
            )
        endpoint = parse_address(address, bind=False)
        self.lost = 0
        self.restarts = 0
        self.malformed = 0
        self.silences = 0
        self.gaps: deque[Gap] = deque(maxlen=GAPS_KEPT)
        self._address = address
        self._kinds = frozenset(kinds)
        self._wanted = "" if len(self._kinds) == len(KINDS) else " or ".join(k for k in KINDS if k in self._kinds) + " "
        self._timeout_s = timeout_s
        self._until_end = until_end
        self._on_notice = on_notice or (lambda _: None)
        self._ended = False
        self._progress: dict[str, _Progress] = {}
        # Of everything together, until a stream is known.
        self._anything = _Progress("", {}, heard_s=time.monotonic())
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_BYTES)
        self._socket.setsockopt(zmq.IPV6, int(endpoint.ipv6))
        # A publisher whose machine vanished is noticed, so that the connection is made anew.
        self._socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT_MS)
        self._socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, _RECONNECT_MOST_MS)
        # Topics name the stream before the kind: without a stream all of them come and are sorted out here.
        self._sees_all = stream is None or self._kinds == frozenset(KINDS)
        # Status and end tell a quiet stream from a dead one, whichever kinds are wanted.
        for prefix in _prefixes(stream, self._kinds | {"status", "end"}):
            self._socket.subscribe(prefix)
        if keys is not None:
            self._socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.own.public)
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, keys.own.secret)
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, keys.server)
        try:
            self._socket.connect(endpoint.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise MarEdgeError(f"cannot connect to {address}: {zmq.strerror(error.errno or 0)}") from None

    def __iter__(self) -> Iterator[AnyMessage]:
        return self

    def __next__(self) -> AnyMessage:
        """The next message.

        Raises:
            SubscriberTimeout: none came within ``timeout_s``.
            UnknownSchema: the sender speaks another version.
        """
        if self._ended:
            raise StopIteration
        deadline_s = None if self._timeout_s is None else time.monotonic() + self._timeout_s
        while True:
            message = self._receive(deadline_s)
            if message is None:
                continue
            self._follow(message)
            self._ended = self._until_end and isinstance(message, EndMessage)
            if not isinstance(message, UnknownMessage) and message.kind in self._kinds:
                return message
            if self._ended:
                raise StopIteration

    def until(self, should_stop: Callable[[], bool]) -> Iterator[AnyMessage]:
        """Messages until it is time to stop, asked every ``timeout_s`` at least; nobody need be there."""
        while not should_stop() and not self._ended:
            try:
                yield next(self)
            except SubscriberTimeout:  # noqa: PERF203 - a moment to ask in
                continue
            except StopIteration:
                return

    @property
    def silent(self) -> tuple[str, ...]:
        """Streams that were heard, have not ended and say nothing now."""
        return tuple(name for name, progress in self._progress.items() if progress.silent)

    def close(self) -> None:
        """Disconnect."""
        self._context.destroy(linger=0)

    def __enter__(self) -> LabelSubscriber:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _receive(self, deadline_s: float | None) -> AnyMessage | UnknownMessage | None:
        """One message from the wire; None for one that is malformed, and counted, or where it was time to listen for
        silence.
        """
        if not self._socket.poll(0) and not self._wait(deadline_s):
            return None
        parts = self._socket.recv_multipart()
        try:
            if len(parts) != 2:
                raise MalformedMessage(f"a message has two parts, topic and payload, this one {len(parts)}")
            message = decode(parts[1])
            if parts[0] != topic(message.stream, message.kind):
                raise MalformedMessage(f"a {message.kind} message under the topic {parts[0]!r}")
        except MalformedMessage as error:
            self.malformed += 1
            self._on_notice(Malformed(str(error)))
            return None
        return message

    def _wait(self, deadline_s: float | None) -> bool:
        """Whether a message came before the deadline, or before somebody who says nothing is to be noticed."""
        now_s = time.monotonic()
        expected = self._expected()
        quiet_s = min(progress.heard_s for progress in expected) + SILENT_S if expected else math.inf
        until_s = min(quiet_s, math.inf if deadline_s is None else deadline_s)
        if self._socket.poll(None if until_s == math.inf else max(0, math.ceil((until_s - now_s) * 1000))):
            return True
        self._listen_for_silence(time.monotonic())
        if deadline_s is not None and time.monotonic() >= deadline_s - 1e-3:
            raise SubscriberTimeout(
                f"no {self._wanted}message from {self._address} within "
                f"{self._timeout_s:g} s; is 'mar-edge serve' running there?"
            )
        return False

    def _expected(self) -> list[_Progress]:
        """Whom silence would be noticed of: streams that have neither ended nor fallen silent."""
        known = list(self._progress.values()) or [self._anything]
        return [progress for progress in known if not (progress.silent or progress.ended)]

    def _listen_for_silence(self, now_s: float) -> None:
        for name, progress in self._progress.items() or ((None, self._anything),):
            if not (progress.silent or progress.ended) and now_s - progress.heard_s >= SILENT_S:
                progress.silent = True
                self.silences += 1
                self._on_notice(Silence(name))

    def _follow(self, message: AnyMessage | UnknownMessage) -> None:
        """Compare the message's number with the one that was due."""
        progress = self._progress.get(message.stream)
        if progress is None or progress.run != message.run:
            if progress is not None:
                self.restarts += 1
                self._on_notice(Restart(message.stream))
            progress = self._progress[message.stream] = _Progress(message.run, {})
        progress.heard_s, progress.silent = time.monotonic(), False
        progress.ended = isinstance(message, EndMessage)
        if not self._sees_all and message.kind not in self._kinds | {"end"}:
            return
        key, seq = (None, message.seq) if self._sees_all else (message.kind, message.kind_seq)
        self._check(message.stream, progress, key, seq)
        # A message seen twice, by two ways, must not make the count run backwards.
        progress.next_seq[key] = max(seq + 1, progress.next_seq.get(key, 0))
        if isinstance(message, EndMessage) and not self._sees_all:
            # The last messages of a kind have no successor to show that they are missing.
            for kind in self._kinds - {"end"}:
                self._check(message.stream, progress, kind, message.sent.get(kind, 0))

    def _check(self, stream: str, progress: _Progress, key: str | None, seq: int) -> None:
        missing = seq - progress.next_seq.get(key, seq)
        if missing > 0:
            self.lost += missing
            self.gaps.append(Gap(stream, key, seq - missing, missing))
            self._on_notice(self.gaps[-1])


def _prefixes(stream: str | None, kinds: frozenset[Kind]) -> list[bytes]:
    """What to subscribe to: as little as topics allow."""
    if stream is None:
        return [b"mar/"]
    if kinds == frozenset(KINDS):
        return [f"mar/{stream}/".encode()]  # kinds of later versions too: they have their place in the count
    return [topic(stream, kind) for kind in KINDS if kind in kinds]
