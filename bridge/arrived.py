"""Messages that arrived somewhere, read for their audit: files of JSON lines and NATS streams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mar_edge.bridge.audit import ArrivedHead, read_head
from mar_edge.bridge.nats_connection import ANSWER_S, NatsConnection
from mar_edge.bridge.sinks.jetstream import ROOT
from mar_edge.bridge.target import Target
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.reader import recorded_lines
from mar_edge.streaming.wire.messages import MalformedMessage

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext
    from nats.js.api import StreamInfo

# Messages of one call, which waits for another thread.
_AT_ONCE = 256


def heads_of_file(path: Path) -> Iterator[ArrivedHead]:
    """Yield the heads of the messages in a file of JSON lines; a last line that breaks off is left out.

    Raises:
        MarEdgeError: the file cannot be read, or a line is not a message; the error names the line.
    """
    for line in recorded_lines(path):
        try:
            yield read_head(line.content)
        except MalformedMessage as error:  # noqa: PERF203 - each line may be wrong
            if line.whole:
                raise MarEdgeError(f"{path}, line {line.number}: {error}") from None


def heads_of_nats(target: Target, every_box: bool) -> Iterator[ArrivedHead]:
    """Yield the heads of the messages that JetStream holds now, of one box or of all.

    Raises:
        MarEdgeError: the server cannot be reached, holds no such messages, or one is not a message of mar-edge.
    """
    subject = f"{ROOT}.{'*' if every_box else target.box}.>"
    connection = NatsConnection(target)
    try:
        streams = connection.run(_streams(connection.jetstream, subject))
        if not streams:
            raise MarEdgeError(f"NATS at {target.shown} holds no messages under {subject}")
        for name in streams:
            yield from _heads_of_stream(connection, name, subject)
    finally:
        connection.close()


async def _next(subscription: JetStreamContext.PushSubscription, count: int) -> list[Msg]:
    return [await subscription.next_msg(ANSWER_S) for _ in range(count)]


async def _streams(jetstream: JetStreamContext, subject: str) -> list[str]:
    """Return the names of the streams that take what a subject selects."""
    infos: list[StreamInfo] = []
    count = (await jetstream.account_info()).streams
    while len(infos) < count:  # the server lists 256 at a time
        infos += await jetstream.streams_info(len(infos))
    head = subject.removesuffix(">").removesuffix("*.")
    found = []
    for info in infos:
        name = info.config.name
        if name is not None and any(
            each.startswith((head, f"{ROOT}.>", f"{ROOT}.*", ">")) for each in info.config.subjects or ()
        ):
            found.append(name)
    return found


def _heads_of_stream(connection: NatsConnection, name: str, subject: str) -> Iterator[ArrivedHead]:
    subscription = connection.run(connection.jetstream.subscribe(subject, stream=name, ordered_consumer=True))
    info = connection.run(subscription.consumer_info())
    # Some are on their way already.
    waiting = (info.num_pending or 0) + (info.delivered.consumer_seq if info.delivered else 0)
    while waiting:
        messages = connection.run(_next(subscription, min(waiting, _AT_ONCE)))
        waiting -= len(messages)
        for message in messages:
            try:
                yield read_head(message.data)
            except MalformedMessage as error:  # noqa: PERF203 - each message may be wrong
                raise MarEdgeError(f"stream {name}, number {message.metadata.sequence.stream}: {error}") from None
    connection.run(subscription.unsubscribe())
