from __future__ import annotations

from collections.abc import Callable

import pytest
import zmq
from streaming_fakes import polled, publishing, receive
from wire_messages import MESSAGES

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.encoding import decode
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher, check_stream

HELLO, LABEL, EVENT, *_, STATUS, END = MESSAGES
Connect = Callable[..., "zmq.Socket[bytes]"]


def test_numbers_have_no_gaps_over_all_kinds_and_within_each(
    publish_socket: PublishSocket, publisher: Publisher, connect: Connect
) -> None:
    sub = connect(publish_socket)
    polled(publish_socket, lambda: publish_socket.subscriptions)
    for message in (HELLO, LABEL, LABEL, EVENT, LABEL, END):
        sent = publisher.publish(message).message
        assert sent.stream == "cam"
        assert sent.t_publish_ns > 0
    got = receive(sub, publish_socket, 6)
    assert [m.seq for m in got] == list(range(6))
    assert [m.kind_seq for m in got] == [0, 0, 1, 0, 2, 0]
    assert {m.run for m in got} == {publisher.run}
    assert publisher.next_seq == 6


def test_a_late_subscriber_receives_hello_and_status_with_new_numbers(
    publish_socket: PublishSocket, publisher: Publisher, connect: Connect
) -> None:
    early = connect(publish_socket)
    polled(publish_socket, lambda: publish_socket.subscriptions)
    for message in (HELLO, STATUS, LABEL):
        publisher.publish(message)
    receive(early, publish_socket, 3)
    late = connect(publish_socket)
    assert [(m.kind, m.seq) for m in receive(late, publish_socket, 2)] == [("hello", 3), ("status", 4)]
    assert [m.seq for m in receive(early, publish_socket, 2)] == [3, 4]


def test_only_subscriptions_to_hello_or_status_cause_a_repetition(
    publish_socket: PublishSocket, publisher: Publisher, connect: Connect
) -> None:
    publisher.publish(HELLO)
    publisher.publish(STATUS)
    connect(publish_socket, b"mar/cam/label/")
    connect(publish_socket, b"mar/other/")
    polled(publish_socket, lambda: publish_socket.subscriptions == 2)
    assert publisher.next_seq == 2
    status_only = connect(publish_socket, b"mar/cam/status/")
    assert [m.kind for m in receive(status_only, publish_socket, 1)] == ["status"]
    assert publisher.sent["hello"] == 1


def test_before_the_first_hello_nothing_is_repeated(
    publish_socket: PublishSocket, publisher: Publisher, connect: Connect
) -> None:
    connect(publish_socket)
    polled(publish_socket, lambda: publish_socket.subscriptions)
    assert publisher.next_seq == 0


@pytest.mark.parametrize("stream", ["", "a/b", "a b", "é", "x" * 65, "cam\n"])
def test_stream_names_that_would_break_topics_are_refused(stream: str) -> None:
    with pytest.raises(MarEdgeError, match="is not a valid name of a stream"):
        check_stream(stream)


def test_closing_sends_the_last_message(connect: Connect) -> None:
    with publishing() as (publisher, publish_socket):
        sub = connect(publish_socket)
        polled(publish_socket, lambda: publish_socket.subscriptions)
        for _ in range(50):
            publisher.publish(LABEL)
        publisher.publish(END)
    kinds = []
    while sub.poll(2000):
        kinds.append(decode(sub.recv_multipart()[1]).kind)
        if kinds[-1] == "end":
            break
    assert kinds == ["label"] * 50 + ["end"]
