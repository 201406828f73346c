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
    # Asked for batch by batch. What the server sends by itself may stall: nats-py loses answers of its flow control.
    subscription = connection.run(_pull(connection.jetstream, name, subject))
    newest = connection.run(connection.jetstream.stream_info(name)).state.last_seq
    # The stream may drop its oldest meanwhile, and take more.
    last = 0
    while last < newest and (waiting := connection.run(subscription.consumer_info()).num_pending):
        messages = connection.run(subscription.fetch(min(waiting, _AT_ONCE), ANSWER_S))
        last = messages[-1].metadata.sequence.stream
        for message in messages:
            try:
                yield read_head(message.data)
            except MalformedMessage as error:  # noqa: PERF203 - each message may be wrong
                raise MarEdgeError(f"stream {name}, number {message.metadata.sequence.stream}: {error}") from None
    connection.run(subscription.unsubscribe())


async def _pull(jetstream: JetStreamContext, name: str, subject: str) -> JetStreamContext.PullSubscription:
    from nats.js.api import AckPolicy, ConsumerConfig

    return await jetstream.pull_subscribe(subject, stream=name, config=ConsumerConfig(ack_policy=AckPolicy.NONE))
