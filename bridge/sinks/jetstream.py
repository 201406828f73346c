"""NATS JetStream: each message once, in a stream of its box, under ``mar-edge.BOX.STREAM.KIND``.

The server drops a second message of the same ``Nats-Msg-Id``, but remembers ids for two minutes only. It may be away
for longer. So the newest stored messages are read after each connection: what is there is not sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mar_edge.bridge.nats_connection import NatsConnection
from mar_edge.bridge.sinks.base import Entry, Refused
from mar_edge.bridge.target import Target
from mar_edge.streaming.choices import Kind

if TYPE_CHECKING:
    from nats.js import JetStreamContext
    from nats.js.api import PubAck

ROOT = "mar-edge"
ID_HEADER = "Nats-Msg-Id"
_BATCH = 256
# More than one batch is never under way. Twice that, for another program that writes into the stream.
_READ_BACK = 2 * _BATCH


def stream_name(box: str) -> str:
    """Return the name of the JetStream stream of a box."""
    return f"{ROOT}-{box}"


def subject(box: str, stream: str, kind: str) -> str:
    """Return the subject of a message. A dot would divide the name of the stream into two parts of the subject."""
    return f"{ROOT}.{box}.{stream.replace('.', '_')}.{kind}"


class JetStreamSink:
    """Messages to a NATS server (see ``Sink``)."""

    kinds: tuple[Kind, ...] = ("hello", "event", "marker", "end")
    batch_size = _BATCH

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: NatsConnection | None = None
        self._stream = ""
        self._stored: frozenset[str] = frozenset()

    def open(self) -> None:
        """Connect, and make the stream unless one takes the subjects already."""
        self._connection = connection = NatsConnection(self._target)
        connection.run(self._prepare(connection.jetstream))

    async def _prepare(self, jetstream: JetStreamContext) -> None:
        from nats.js.api import StreamConfig
        from nats.js.errors import NotFoundError

        everything = f"{ROOT}.{self._target.box}.>"
        try:
            self._stream = await jetstream.find_stream_name_by_subject(everything)
        except NotFoundError:
            self._stream = stream_name(self._target.box)
            await jetstream.add_stream(StreamConfig(name=self._stream, subjects=[everything]))
        last = (await jetstream.stream_info(self._stream)).state.last_seq
        newest = range(max(1, last - _READ_BACK + 1), last + 1)
        self._stored = frozenset(await asyncio.gather(*(self._stored_id(jetstream, number) for number in newest)))

    async def _stored_id(self, jetstream: JetStreamContext, number: int) -> str:
        from nats.js.errors import NotFoundError

        try:
            headers = (await jetstream.get_msg(self._stream, number)).headers or {}
            return str(headers.get(ID_HEADER, ""))
        except NotFoundError:  # somebody deleted it
            return ""

    def send(self, batch: Sequence[Entry]) -> int:
        """Send a batch without waiting in between, then wait for the acknowledgments."""
        assert self._connection is not None
        unsent = [number for number, entry in enumerate(batch) if entry.id not in self._stored]
        stored = unsent[0] if unsent else len(batch)
        if stored:
            return stored
        done = self._connection.run(self._publish(self._connection, [batch[number] for number in unsent]))
        self._stored = frozenset()
        return unsent[done] if done < len(unsent) else len(batch)

    async def _publish(self, connection: NatsConnection, batch: Sequence[Entry]) -> int:
        """Return how many messages, from the first, the server acknowledged."""
        from nats.errors import MaxPayloadError

        answers: list[asyncio.Future[PubAck]] = []
        for entry in batch:
            try:
                of = subject(self._target.box, entry.stream, entry.kind)
                headers = {ID_HEADER: entry.id}
                publish = connection.jetstream.publish_async
                answers.append(await publish(of, entry.body, stream=self._stream, headers=headers))
            except MaxPayloadError:  # noqa: PERF203 - of one message only
                if not answers:
                    raise Refused(f"{len(entry.body)} bytes are more than the server takes (max_payload)") from None
                break
        for number, error in enumerate(await asyncio.gather(*answers, return_exceptions=True)):
            if isinstance(error, BaseException):
                if number:
                    return number
                raise connection.unavailable(error)
        return len(answers)

    def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
