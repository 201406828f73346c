"""The publisher: numbers, stamps and sends the messages of one stream. Knows nothing of cameras and labels.

A late subscriber receives ``hello`` and the last ``status`` at once, with new numbers.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.choices import Encoding, Kind
from mar_edge.streaming.wire.encoding import EncodedMessage, M, topic
from mar_edge.streaming.wire.messages import KINDS, AnyMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket

# The last message of these kinds is sent again to late subscribers, in this order.
RESENT_KINDS: tuple[Kind, ...] = ("hello", "status")


def check_stream(name: str) -> str:
    """Return the name of a stream if it is valid in topics and file names.

    Raises:
        MarEdgeError: it is not.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name):
        raise MarEdgeError(f"'{name}' is not a valid name of a stream; use up to 64 letters, digits, '_', '.' and '-'")
    return name


class Publisher:
    """Sends the messages of one stream through a socket, which publishers may share. Used from one thread.

    Attributes:
        run: Id of this start of the sender.
        sent: Number of messages sent, by kind.

    Args:
        stream: Name of the stream: letters, digits, ``_``, ``.`` and ``-``.
        socket: Socket that sends the messages.
        encoding: Encoding of the payload.
        wall_ns: Wall clock, ns since 1970; a fake one in tests.

    Raises:
        MarEdgeError: the name is invalid.
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
        self._latest: dict[Kind, AnyMessage] = {}
        socket.on_subscribe(self._resend)

    @property
    def next_seq(self) -> int:
        """The number of the next message, which is the number of messages sent."""
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
                self._latest[kind] = message
            elif kind == "end":
                self._latest.clear()  # no message follows it
        return prepared

    def _resend(self, prefixes: list[bytes]) -> None:
        """Answer a batch of subscriptions with one ``hello`` and one ``status``."""
        for kind in RESENT_KINDS:
            if kind in self._latest and any(self._topics[kind].startswith(prefix) for prefix in prefixes):
                self.publish(self._latest[kind])
