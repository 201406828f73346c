from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq
from streaming_fakes import polled, publishing, receive
from wire_messages import MESSAGES

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

HELLO, LABEL, EVENT, *_, STATUS, END = MESSAGES
Connect = Callable[..., "zmq.Socket[bytes]"]


def test_subscribers_are_counted_as_they_connect_and_disconnect(
    publish_socket: PublishSocket, publisher: Publisher, connect: Connect
) -> None:
    first, second = connect(publish_socket), connect(publish_socket, b"mar/cam/label/", b"mar/cam/event/")
    polled(publish_socket, lambda: publish_socket.subscribers == 2)
    second.unsubscribe(b"mar/cam/label/")
    first.close()
    polled(publish_socket, lambda: publish_socket.subscribers == 1)
    second.close()
    polled(publish_socket, lambda: publish_socket.subscribers == 0)


DIES = """
import os, sys, zmq
sub = zmq.Context().socket(zmq.SUB)
sub.subscribe(b"")
sub.connect(sys.argv[1])
sub.recv()
os.kill(os.getpid(), 9)
"""


def test_a_subscriber_that_is_killed_is_no_longer_counted(publish_socket: PublishSocket, publisher: Publisher) -> None:
    with subprocess.Popen([sys.executable, "-c", DIES, publish_socket.endpoints[0]]) as process:
        polled(publish_socket, lambda: publish_socket.subscribers == 1 and publish_socket.subscriptions)
        publisher.publish(HELLO)
        polled(publish_socket, lambda: publish_socket.subscribers == 0)
        assert process.wait(10) == -9


@pytest.mark.parametrize(
    "said",
    [b"", b"\1\0" * 20, b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 1000, b"\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL", b"\0" * 64],
)
def test_connections_without_a_handshake_are_not_counted_and_have_no_effect(
    publish_socket: PublishSocket, publisher: Publisher, connect: Connect, said: bytes
) -> None:
    sub = connect(publish_socket)
    polled(publish_socket, lambda: publish_socket.subscribers == 1 and publish_socket.subscriptions)
    port = int(publish_socket.endpoints[0].rpartition(":")[2])
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(said)
    publisher.publish(LABEL)
    assert receive(sub, publish_socket, 1)[0].kind == "label"
    another = connect(publish_socket)
    polled(publish_socket, lambda: publish_socket.subscribers == 2)
    another.close()
    polled(publish_socket, lambda: publish_socket.subscribers == 1)


def test_a_subscriber_that_never_reads_does_not_affect_the_others(
    publish_socket: PublishSocket, publisher: Publisher, connect: Connect
) -> None:
    connect(publish_socket)
    reader = connect(publish_socket)
    reader_got = 0
    polled(publish_socket, lambda: publish_socket.subscriptions == 2)
    for i in range(20_000):
        publisher.publish(LABEL)
        if i % 100 == 99:
            reader_got += len(receive(reader, publish_socket, 100))
    assert reader_got == 20_000


def test_a_port_in_use_is_named(publish_socket: PublishSocket, publisher: Publisher) -> None:
    with pytest.raises(MarEdgeError, match="is in use") as raised:
        PublishSocket((publish_socket.endpoints[0],))
    assert publish_socket.endpoints[0] in str(raised.value)


def test_an_ipc_path_in_use_is_not_taken_over(tmp_path: Path, connect: Connect) -> None:
    address = f"ipc://{tmp_path}/bus"
    with publishing("cam", address) as (publisher, publish_socket):
        with pytest.raises(MarEdgeError, match="is in use"):
            PublishSocket((address,))
        sub = connect(publish_socket)
        polled(publish_socket, lambda: publish_socket.subscribers == 1 and publish_socket.subscriptions)
        publisher.publish(LABEL)
        assert receive(sub, publish_socket, 1)[0].kind == "label"
    with PublishSocket((address,)):
        pass  # a path left by a dead server is free


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
        PublishSocket((address,))


def test_insecure_allows_an_address_that_other_machines_reach() -> None:
    with PublishSocket(("tcp://0.0.0.0:*",), insecure=True) as publish_socket:
        assert publish_socket.endpoints[0].startswith("tcp://0.0.0.0:")
    with pytest.raises(MarEdgeError, match="not an address of this machine"):
        PublishSocket(("tcp://192.0.2.1:5557",), insecure=True)


@pytest.mark.soak
def test_twenty_five_subscribers_that_never_read_do_not_affect_twenty_five_that_do(
    publish_socket: PublishSocket, publisher: Publisher, connect: Connect
) -> None:
    from mar_edge.streaming.operations.metrics import resident_bytes

    readers = [connect(publish_socket) for _ in range(25)]
    for _ in range(25):
        connect(publish_socket)
    polled(publish_socket, lambda: publish_socket.subscriptions == 50)
    memory: list[int] = []
    for _ in range(80):
        for _ in range(100):
            publisher.publish(LABEL)
        for reader in readers:
            assert len(receive(reader, publish_socket, 100)) == 100
        memory.append(resident_bytes() or 0)
    # All queues (sender, subscriber and kernel) are full after the first fifty rounds.
    assert memory[-1] - memory[50] < 2_000_000
