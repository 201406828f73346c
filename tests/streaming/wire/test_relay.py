from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streaming_fakes import polled, publishing, wait_until
from wire_messages import MESSAGES

from mar_edge import LabelSubscriber
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.messages import AnyMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher
from mar_edge.streaming.wire.relay import Relay

HELLO, LABEL, EVENT, *_, STATUS, END = MESSAGES


class Box:
    """A sender on this machine, polled by a thread."""

    def __init__(self, stream: str, publish_socket: PublishSocket) -> None:
        self.publisher = Publisher(stream, publish_socket)
        self.address = publish_socket.endpoints[0]


@pytest.fixture
def boxes() -> Iterator[list[Box]]:
    stop = threading.Event()
    with PublishSocket(("tcp://127.0.0.1:*",)) as one, PublishSocket(("tcp://127.0.0.1:*",)) as two:

        def attend() -> None:
            while not stop.wait(0.005):
                one.poll()
                two.poll()

        thread = threading.Thread(target=attend)
        thread.start()
        yield [Box("front", one), Box("back", two)]
        stop.set()
        thread.join()


@pytest.fixture
def relay(boxes: list[Box]) -> Iterator[tuple[Relay, PublishSocket]]:
    stop = threading.Event()
    with (
        PublishSocket(("tcp://127.0.0.1:*",)) as publish_socket,
        Relay([box.address for box in boxes], publish_socket) as relay,
    ):
        thread = threading.Thread(target=relay.run, args=(stop.is_set,))
        thread.start()
        yield relay, publish_socket
        stop.set()
        thread.join()


def take(subscriber: LabelSubscriber, count: int) -> list[AnyMessage]:
    return [next(subscriber) for _ in range(count)]


def test_one_subscription_receives_all_senders_of_a_relay(boxes: list[Box], relay: tuple[Relay, PublishSocket]) -> None:
    _, publish_socket = relay
    for box in boxes:
        box.publisher.publish(HELLO)
        box.publisher.publish(STATUS)
    with LabelSubscriber(publish_socket.endpoints[0], timeout_s=10) as early:
        greeted = take(early, 4)
        assert {message.stream for message in greeted} == {"front", "back"}
        assert {message.kind for message in greeted} == {"hello", "status"}
        with LabelSubscriber(publish_socket.endpoints[0], "back", timeout_s=10) as late:
            assert [message.kind for message in take(late, 2)] == ["hello", "status"]
            sent = [boxes[1].publisher.publish(LABEL).message for _ in range(200)]
            assert take(late, 200) == sent  # unchanged, to the last field
            for _ in range(50):
                boxes[0].publisher.publish(EVENT)
            boxes[1].publisher.publish(END)
            while next(late).kind != "end":
                pass
            assert (late.lost, late.restarts, late.malformed) == (0, 0, 0)
        while next(early).kind != "end":
            pass
        assert (early.lost, early.restarts) == (0, 0)


def test_malformed_messages_are_not_forwarded(relay: tuple[Relay, PublishSocket], boxes: list[Box]) -> None:
    joined, publish_socket = relay
    with LabelSubscriber(publish_socket.endpoints[0], timeout_s=10) as subscriber:
        wait_until(lambda: boxes[0].publisher._socket.subscriptions)
        for parts in ([b"mar/front/label/"], [b"mar/front/", b"x"], [b"mar/front/label/", b"x" * (1 << 20)]):
            boxes[0].publisher._socket.send(parts)
        boxes[0].publisher.publish(LABEL)
        assert next(subscriber).kind == "label"
        assert joined.malformed == 2
        wait_until(lambda: joined.forwarded)


def test_no_bytes_stop_a_relay(relay: tuple[Relay, PublishSocket], boxes: list[Box]) -> None:
    parts = st.lists(st.just(b"mar/front/label/") | st.binary(max_size=30).map(b"mar/".__add__), min_size=1, max_size=3)
    with LabelSubscriber(relay[1].endpoints[0], "back", timeout_s=10) as subscriber:
        wait_until(lambda: boxes[1].publisher._socket.subscriptions)

        @settings(max_examples=60, deadline=None)
        @given(st.lists(parts, max_size=5))
        def whatever_comes(sent: list[list[bytes]]) -> None:
            for each in sent:
                boxes[1].publisher._socket.send(each)
            boxes[1].publisher.publish(LABEL)
            assert next(subscriber).kind == "label"

        whatever_comes()
        assert subscriber.lost == 0


def test_two_senders_of_one_stream_name_are_reported(boxes: list[Box]) -> None:
    with (
        publishing("front") as (twin, twins_socket),
        PublishSocket(("tcp://127.0.0.1:*",)) as publish_socket,
        Relay([boxes[0].address, twins_socket.endpoints[0]], publish_socket) as relay,
        LabelSubscriber(publish_socket.endpoints[0], timeout_s=5),
    ):

        def collides() -> bool:
            relay.forward(1)
            twins_socket.poll()
            boxes[0].publisher.publish(LABEL)
            twin.publish(LABEL)
            return relay.collisions == {"front"}

        wait_until(collides)


def test_a_sender_that_starts_later_is_joined(free_port: int) -> None:
    address = f"tcp://127.0.0.1:{free_port}"
    with (
        PublishSocket(("tcp://127.0.0.1:*",)) as publish_socket,
        Relay([address], publish_socket) as relay,
        LabelSubscriber(publish_socket.endpoints[0], timeout_s=5) as subscriber,
    ):
        wait_until(lambda: (relay.forward(1), publish_socket.subscriptions)[1])
        with publishing("cam", address) as (publisher, sender):
            polled(sender, lambda: (relay.forward(1), sender.subscriptions)[1])
            publisher.publish(LABEL)
            wait_until(lambda: (relay.forward(1), relay.forwarded)[1])
            assert next(subscriber).stream == "cam"


def test_a_relay_without_senders_is_an_error() -> None:
    with (
        PublishSocket(("tcp://127.0.0.1:*",)) as publish_socket,
        pytest.raises(MarEdgeError, match="at least one sender"),
    ):
        Relay([], publish_socket)
