"""The publisher: one stream's messages, numbered and stamped. Knows nothing of cameras, labels or sockets.

A late subscriber is sent ``hello`` and the last ``status`` at once, with fresh numbers.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.choices import Encoding, Kind
from mar_edge.streaming.wire.messages import KINDS, AnyMessage, EncodedMessage, M, topic
from mar_edge.streaming.wire.publish_socket import PublishSocket

# What is said to late subscribers, in this order.
RESENT_KINDS: tuple[Kind, ...] = ("hello", "status")


def check_stream(name: str) -> str:
    """The name of a stream, if it is one: it stands in topics and file names.

    Raises:
        MarEdgeError: it is none.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name):
        raise MarEdgeError(f"'{name}' is no stream name; use up to 64 letters, digits, '_', '.' and '-'")
    return name


class Publisher:
    """Sends one stream's messages through a socket, which several may share. Used from one thread.

    ``run`` is the id of this start.

    Args:
        stream: name of the stream, letters, digits, ``_``, ``.`` and ``-``.
        socket: where messages leave.
        encoding: of the payload.
        wall_ns: wall clock; another one in tests.

    Raises:
        MarEdgeError: no such name.
    """

    def __init__(
        self,
        stream: str,
        socket: PublishSocket,
        encoding: Encoding = "json",
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.stream = check_stream(stream)
        self.run = uuid.uuid4().hex
        self.sent: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self._socket = socket
        self._encoding: Encoding = encoding
        self._wall_ns = wall_ns
        self._topics = {kind: topic(stream, kind) for kind in KINDS}
        self._greeting: dict[Kind, AnyMessage] = {}
        socket.on_subscribe(self._greet)

    @property
    def next_seq(self) -> int:
        """The number of the next message, and how many were sent."""
        return sum(self.sent.values())

    def prepare(self, message: M) -> EncodedMessage[M]:
        """Return the message as it would be sent next: numbered, stamped with the time, encoded when asked for."""
        return EncodedMessage(
            msgspec.structs.replace(
                message,
                stream=self.stream,
                run=self.run,
                seq=self.next_seq,
                kind_seq=self.sent[message.kind],
                t_publish_ns=self._wall_ns(),
            )
        )

    def publish(self, message: M) -> EncodedMessage[M]:
        """Number, stamp and send a message. Never blocks.

        Returns:
            The message as it was sent.
        """
        kind = message.kind
        with self._socket.lock:
            prepared = self.prepare(message)
            self._socket.send([self._topics[kind], prepared.payload(self._encoding)])
            self.sent[kind] += 1
            if kind in RESENT_KINDS:
                self._greeting[kind] = message
            elif kind == "end":
                self._greeting.clear()  # nothing comes after it
        return prepared

    def _greet(self, prefixes: list[bytes]) -> None:
        """Answer subscriptions, however many, with one greeting."""
        for kind in RESENT_KINDS:
            if kind in self._greeting and any(self._topics[kind].startswith(prefix) for prefix in prefixes):
                self.publish(self._greeting[kind])
