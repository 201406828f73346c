from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from streaming_fakes import wait_until
from test_messages import MESSAGES

from edge.errors import MarEdgeError
from streaming.bus import Publisher
from streaming.messages import AnyMessage, UnknownMessage, decode

HELLO, LABEL, EVENT, _, STATUS, END = MESSAGES
Connect = Callable[..., "zmq.Socket[bytes]"]


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher("cam", "tcp://127.0.0.1:*") as opened:
        yield opened


@pytest.fixture
def connect() -> Iterator[Connect]:
    with zmq.Context() as context:
        kept = []  # a socket that nobody holds is closed

        def make(publisher: Publisher, *prefixes: bytes) -> zmq.Socket[bytes]:
            sub = context.socket(zmq.SUB)
            sub.setsockopt(zmq.LINGER, 0)
            for prefix in prefixes or (b"mar/",):
                sub.subscribe(prefix)
            sub.connect(publisher.endpoint)
            kept.append(sub)
            return sub

        yield make
        context.destroy(linger=0)


def receive(sub: zmq.Socket[bytes], publisher: Publisher, count: int) -> list[AnyMessage | UnknownMessage]:
    messages: list[AnyMessage | UnknownMessage] = []

    def enough() -> bool:
        publisher.poll()
        while sub.poll(0):
            _, payload = sub.recv_multipart()
            messages.append(decode(payload))
        return len(messages) >= count

    wait_until(enough)
    return messages


def polled(publisher: Publisher, condition: Callable[[], Any]) -> None:
    def holds() -> Any:
        publisher.poll()
        return condition()

    wait_until(holds)


def test_numbers_are_gap_free_over_all_kinds_and_within_each(publisher: Publisher, connect: Connect) -> None:
    sub = connect(publisher)
    polled(publisher, lambda: publisher.subscriptions)
    for message in (HELLO, LABEL, LABEL, EVENT, LABEL, END):
        sent = publisher.publish(message)
        assert sent.stream == "cam"
        assert sent.t_publish_ns > 0
    got = receive(sub, publisher, 6)
    assert [m.seq for m in got] == list(range(6))
    assert [m.kind_seq for m in got] == [0, 0, 1, 0, 2, 0]
    assert {m.run for m in got} == {publisher.run}
    assert publisher.next_seq == 6


def test_a_late_subscriber_is_greeted_with_fresh_numbers(publisher: Publisher, connect: Connect) -> None:
    early = connect(publisher)
    polled(publisher, lambda: publisher.subscriptions)
    for message in (HELLO, STATUS, LABEL):
        publisher.publish(message)
    receive(early, publisher, 3)
    late = connect(publisher)
    assert [(m.kind, m.seq) for m in receive(late, publisher, 2)] == [("hello", 3), ("status", 4)]
    assert [m.seq for m in receive(early, publisher, 2)] == [3, 4]


def test_only_who_asks_for_the_greeting_causes_one(publisher: Publisher, connect: Connect) -> None:
    publisher.publish(HELLO)
    publisher.publish(STATUS)
    connect(publisher, b"mar/cam/label/")
    connect(publisher, b"mar/other/")
    polled(publisher, lambda: publisher.subscriptions == 2)
    assert publisher.next_seq == 2
    status_only = connect(publisher, b"mar/cam/status/")
    assert [m.kind for m in receive(status_only, publisher, 1)] == ["status"]
    assert publisher.sent["hello"] == 1


def test_before_there_is_a_hello_nobody_is_greeted(publisher: Publisher, connect: Connect) -> None:
    connect(publisher)
    polled(publisher, lambda: publisher.subscriptions)
    assert publisher.next_seq == 0


def test_subscribers_are_counted_as_they_come_and_go(publisher: Publisher, connect: Connect) -> None:
    first, second = connect(publisher), connect(publisher, b"mar/cam/label/", b"mar/cam/event/")
    polled(publisher, lambda: publisher.subscribers == 2)
    second.unsubscribe(b"mar/cam/label/")
    first.close()
    polled(publisher, lambda: publisher.subscribers == 1)
    second.close()
    polled(publisher, lambda: publisher.subscribers == 0)


DIES = """
import os, sys, zmq
sub = zmq.Context().socket(zmq.SUB)
sub.subscribe(b"")
sub.connect(sys.argv[1])
sub.recv()
os.kill(os.getpid(), 9)
"""


def test_a_subscriber_that_is_killed_is_no_longer_counted(publisher: Publisher) -> None:
    with subprocess.Popen([sys.executable, "-c", DIES, publisher.endpoint]) as process:
        polled(publisher, lambda: publisher.subscribers == 1 and publisher.subscriptions)
        publisher.publish(HELLO)
        polled(publisher, lambda: publisher.subscribers == 0)
        assert process.wait(10) == -9


@pytest.mark.parametrize(
    "said",
    [b"", b"\1\0" * 20, b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 1000, b"\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL", b"\0" * 64],
)
def test_strangers_at_the_port_are_not_counted_and_disturb_nobody(
    publisher: Publisher, connect: Connect, said: bytes
) -> None:
    sub = connect(publisher)
    polled(publisher, lambda: publisher.subscribers == 1 and publisher.subscriptions)
    port = int(publisher.endpoint.rpartition(":")[2])
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(said)
    publisher.publish(LABEL)
    assert receive(sub, publisher, 1)[0].kind == "label"
    another = connect(publisher)
    polled(publisher, lambda: publisher.subscribers == 2)
    another.close()
    polled(publisher, lambda: publisher.subscribers == 1)


def test_one_that_never_reads_neither_blocks_nor_costs_the_others(publisher: Publisher, connect: Connect) -> None:
    connect(publisher)
    reader = connect(publisher)
    reader_got = 0
    polled(publisher, lambda: publisher.subscriptions == 2)
    for i in range(20_000):
        publisher.publish(LABEL)
        if i % 100 == 99:
            reader_got += len(receive(reader, publisher, 100))
    assert reader_got == 20_000


def test_a_port_in_use_is_named(publisher: Publisher) -> None:
    with pytest.raises(MarEdgeError, match="is in use") as raised:
        Publisher("cam", publisher.endpoint)
    assert publisher.endpoint in str(raised.value)


def test_an_ipc_path_in_use_is_not_taken_over(tmp_path: Path, connect: Connect) -> None:
    address = f"ipc://{tmp_path}/bus"
    with Publisher("cam", address) as publisher:
        with pytest.raises(MarEdgeError, match="is in use"):
            Publisher("cam", address)
        sub = connect(publisher)
        polled(publisher, lambda: publisher.subscribers == 1 and publisher.subscriptions)
        publisher.publish(LABEL)
        assert receive(sub, publisher, 1)[0].kind == "label"
    with Publisher("cam", address):
        pass  # a path that a dead server left behind is free


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("tcp://nohost.invalid:5557", "other machines"),
        ("tcp://0.0.0.0:*", "other machines"),
        ("tcp://*:*", "other machines"),
        ("nonsense", "not an address"),
        ("ipc:///no/such/folder/bus", "cannot bind"),
    ],
)
def test_addresses_that_cannot_be_bound(address: str, says: str) -> None:
    with pytest.raises(MarEdgeError, match=says):
        Publisher("cam", address)


def test_with_insecure_it_may_be_reached_from_outside() -> None:
    with Publisher("cam", "tcp://0.0.0.0:*", insecure=True) as publisher:
        assert publisher.endpoint.startswith("tcp://0.0.0.0:")
    with pytest.raises(MarEdgeError, match="no address of this machine"):
        Publisher("cam", "tcp://192.0.2.1:5557", insecure=True)


@pytest.mark.parametrize("stream", ["", "a/b", "a b", "é", "x" * 65, "cam\n"])
def test_names_that_would_break_topics_are_refused(stream: str) -> None:
    with pytest.raises(MarEdgeError, match="is no stream name"):
        Publisher(stream, "tcp://127.0.0.1:*")


def test_closing_lets_the_last_message_through(connect: Connect) -> None:
    with Publisher("cam", "tcp://127.0.0.1:*") as publisher:
        sub = connect(publisher)
        polled(publisher, lambda: publisher.subscriptions)
        for _ in range(50):
            publisher.publish(LABEL)
        publisher.publish(END)
    kinds = []
    while sub.poll(2000):
        kinds.append(decode(sub.recv_multipart()[1]).kind)
        if kinds[-1] == "end":
            break
    assert kinds == ["label"] * 50 + ["end"]
