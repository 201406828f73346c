"""A subscription's protocol and state: which messages, their order, losses, restarts, silence and deadlines.

Waits for nothing: ``LabelSubscriber`` and ``AsyncLabelSubscriber`` do, each in its own way. Needs no camera, no model.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import zmq

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.streaming.choices import Kind
from mar_edge.streaming.wire.address import DEFAULT_ADDRESS, parse_address
from mar_edge.streaming.wire.encoding import MAX_BYTES, decode, topic
from mar_edge.streaming.wire.keys import ClientKeys
from mar_edge.streaming.wire.messages import (
    KINDS,
    STATUS_PERIOD_S,
    AnyMessage,
    EndMessage,
    MalformedMessage,
    UnknownMessage,
)

HIGH_WATER_MARK = 10_000
GAPS_KEPT = 1000
# A sender that misses three of its status messages is silent.
SILENT_S = 3 * STATUS_PERIOD_S
_HEARTBEAT_MS = 2000
# The pause between two attempts to connect grows from the first to the second.
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
    """The sender of a stream started again; its numbers count from 0 again."""

    stream: str


@dataclass(frozen=True)
class Silence:
    """Nothing came for ``SILENT_S``, not even a status: of a stream that has not ended, or (None) of any."""

    stream: str | None


@dataclass(frozen=True)
class Malformed:
    """Bytes that are not a message of mar-edge, and why."""

    why: str


Notice = Gap | Restart | Silence | Malformed


@dataclass
class _Sequence:
    """The numbers of one stream in one run of its sender.

    next_seq: the number that is due, by kind; under None, of all kinds together. heard_s: time of its last message,
    monotonic.
    """

    run: str
    next_seq: dict[str | None, int]
    heard_s: float = 0.0
    silent: bool = False
    ended: bool = False


class Subscription:
    """The messages of one publisher. Used from one thread.

    ``lost`` counts missing messages and ``gaps`` holds the newest of them. ``restarts`` counts new runs of a sender,
    ``malformed`` counts bytes that are not a message. ``silences`` counts how often a stream fell silent, and
    ``silent`` names those that are. A late subscriber has no gap. With ``kinds``, only losses of those kinds are seen.

    Args:
        address: of the publisher (see ``streaming.wire.address``).
        stream: only this one; None for all.
        kinds: only these.
        timeout_s: how long to wait for a message; None for no limit.
        until_end: stop after the first ``end`` message.
        keys: to decrypt with; None for a sender that does not encrypt.
        on_notice: called with each fault when it is noticed, also while no message comes.

    Raises:
        MarEdgeError: no such address or kind.
    """

    _context_type: type[zmq.Context[Any]]
    _socket: zmq.Socket[Any]

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
        # The end says how much was sent of each kind.
        self._read_kinds = self._kinds | {"end"}
        self._wanted = "" if len(self._kinds) == len(KINDS) else " or ".join(k for k in KINDS if k in self._kinds) + " "
        self._timeout_s = timeout_s
        self._until_end = until_end
        self._on_notice = on_notice or (lambda _: None)
        self._ended = False
        self._sequences: dict[str, _Sequence] = {}
        # Of everything together, until a stream is known.
        self._anything = _Sequence("", {}, heard_s=time.monotonic())
        self._context = self._context_type()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_BYTES)
        self._socket.setsockopt(zmq.IPV6, int(endpoint.ipv6))
        # Notices a publisher whose machine vanished, so that the subscriber reconnects.
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

    @property
    def silent(self) -> tuple[str, ...]:
        """Streams that were heard, have not ended and send nothing now."""
        return tuple(name for name, sequence in self._sequences.items() if sequence.silent)

    def close(self) -> None:
        """Disconnect."""
        self._context.destroy(linger=0)

    def _deadline_s(self) -> float:
        """Return until when to wait for the next message, on the monotonic clock."""
        return math.inf if self._timeout_s is None else time.monotonic() + self._timeout_s

    def _wait_ms(self, deadline_s: float) -> int | None:
        """Return how long to wait for bytes: until the deadline or until silence is noticed; None for no limit."""
        known = self._sequences.values() or (self._anything,)
        waiting = [sequence.heard_s for sequence in known if not (sequence.silent or sequence.ended)]
        until_s = min(min(waiting, default=math.inf) + SILENT_S, deadline_s)
        return None if until_s == math.inf else max(0, math.ceil((until_s - time.monotonic()) * 1000))

    def _take(self, parts: Sequence[bytes] | None, deadline_s: float) -> AnyMessage | None:
        """Take the parts that came, or None where nothing came in time.

        Returns:
            The message, if it is one that was asked for.

        Raises:
            SubscriberTimeout: the deadline is over.
            UnknownSchema: the sender speaks another version.
        """
        if parts is None:
            self._listen_for_silence(time.monotonic())
            if time.monotonic() >= deadline_s - 1e-3:
                raise SubscriberTimeout(
                    f"no {self._wanted}message from {self._address} within "
                    f"{self._timeout_s:g} s; is 'mar-edge serve' running there?"
                )
            return None
        try:
            message = _decoded(parts, self._read_kinds)
        except MalformedMessage as error:
            self.malformed += 1
            self._on_notice(Malformed(str(error)))
            return None
        self._follow(message)
        self._ended = self._until_end and isinstance(message, EndMessage)
        return None if isinstance(message, UnknownMessage) or message.kind not in self._kinds else message

    def _listen_for_silence(self, now_s: float) -> None:
        for name, sequence in self._sequences.items() or ((None, self._anything),):
            if not (sequence.silent or sequence.ended) and now_s - sequence.heard_s >= SILENT_S:
                sequence.silent = True
                self.silences += 1
                self._on_notice(Silence(name))

    def _follow(self, message: AnyMessage | UnknownMessage) -> None:
        """Compare the message's number with the one that was due."""
        sequence = self._sequences.get(message.stream)
        if sequence is None or sequence.run != message.run:
            if sequence is not None:
                self.restarts += 1
                self._on_notice(Restart(message.stream))
            sequence = self._sequences[message.stream] = _Sequence(message.run, {})
        sequence.heard_s, sequence.silent = time.monotonic(), False
        sequence.ended = isinstance(message, EndMessage)
        if not self._sees_all and message.kind not in self._kinds | {"end"}:
            return
        key, seq = (None, message.seq) if self._sees_all else (message.kind, message.kind_seq)
        self._check(message.stream, sequence, key, seq)
        # A message seen twice, by two routes, must not make the count run backwards.
        sequence.next_seq[key] = max(seq + 1, sequence.next_seq.get(key, 0))
        if isinstance(message, EndMessage) and not self._sees_all:
            # The last messages of a kind have no successor to show that they are missing.
            for kind in self._kinds - {"end"}:
                self._check(message.stream, sequence, kind, message.sent.get(kind, 0))

    def _check(self, stream: str, sequence: _Sequence, key: str | None, seq: int) -> None:
        missing = seq - sequence.next_seq.get(key, seq)
        if missing > 0:
            self.lost += missing
            self.gaps.append(Gap(stream, key, seq - missing, missing))
            self._on_notice(self.gaps[-1])


def _decoded(parts: Sequence[bytes], kinds: Collection[str]) -> AnyMessage | UnknownMessage:
    """Return the message in a topic and a payload; of kinds other than ``kinds``, only its head.

    Raises:
        MalformedMessage: there is none.
        UnknownSchema: it is of another version.
    """
    if len(parts) != 2:
        raise MalformedMessage(f"a message has two parts, topic and payload, this one {len(parts)}")
    message = decode(parts[1], kinds)
    if parts[0] != topic(message.stream, message.kind):
        raise MalformedMessage(f"a {message.kind} message under the topic {parts[0]!r}")
    return message


def _prefixes(stream: str | None, kinds: frozenset[Kind]) -> list[bytes]:
    """Return the topics to subscribe to: as little as they allow."""
    if stream is None:
        return [b"mar/"]
    if kinds == frozenset(KINDS):
        return [f"mar/{stream}/".encode()]  # kinds of later versions too: they have their place in the count
    return [topic(stream, kind) for kind in KINDS if kind in kinds]
