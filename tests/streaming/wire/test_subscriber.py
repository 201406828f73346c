from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st
from streaming_fakes import polled, publishing
from wire_messages import MESSAGES, changed, stamped

import mar_edge
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.choices import Encoding, Kind
from mar_edge.streaming.wire.async_subscriber import AsyncLabelSubscriber
from mar_edge.streaming.wire.encoding import encode, topic
from mar_edge.streaming.wire.messages import KINDS, AnyMessage, UnknownSchema
from mar_edge.streaming.wire.subscriber import LabelSubscriber
from mar_edge.streaming.wire.subscription import Gap, Malformed, Notice, Restart, Silence, SubscriberTimeout

HELLO, LABEL, EVENT, *_, STATUS, END = MESSAGES


class Sender:
    """A publisher without rules: numbers, topics and bytes as the test wants them."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self._socket = context.socket(zmq.XPUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        port = self._socket.bind_to_random_port("tcp://127.0.0.1")
        self.address = f"tcp://127.0.0.1:{port}"

    def wait_for(self, subscriptions: int = 1) -> None:
        for _ in range(subscriptions):
            assert self._socket.poll(5000)
            self._socket.recv()

    def raw(self, *parts: bytes) -> None:
        self._socket.send_multipart(parts)

    def send(self, message: AnyMessage, seq: int, kind_seq: int = 0, *, run: str = "r1", stream: str = "cam") -> None:
        message = msgspec.structs.replace(message, stream=stream, run=run, seq=seq, kind_seq=kind_seq)
        self.raw(topic(stream, message.kind), encode(message))


class BlockingAsyncSubscriber(AsyncLabelSubscriber):
    """The asyncio subscriber, waited for in an event loop of its own: one set of tests shows what both do."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._loop = asyncio.new_event_loop()

    def __iter__(self) -> BlockingAsyncSubscriber:
        return self

    def __next__(self) -> AnyMessage:
        try:
            return self._loop.run_until_complete(anext(self))
        except StopAsyncIteration:
            raise StopIteration from None

    def __enter__(self) -> BlockingAsyncSubscriber:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.run_until_complete(self.__aexit__(*exc_info))
        self._loop.close()


Subscribe = type[LabelSubscriber] | type[BlockingAsyncSubscriber]


@pytest.fixture(params=[LabelSubscriber, BlockingAsyncSubscriber])
def subscribe(request: pytest.FixtureRequest) -> Subscribe:
    return request.param


@pytest.fixture
def sender() -> Iterator[Sender]:
    with zmq.Context() as context:
        yield Sender(context)
        context.destroy(linger=0)


def end(seq: int, **sent: int) -> AnyMessage:
    return msgspec.structs.replace(END, last_seq=seq, sent=sent)


def test_importing_the_subscriber_loads_no_opencv_and_no_model_runtime() -> None:
    heavy = {"cv2", "onnxruntime", "torch", "numpy"}
    program = f"import sys; from mar_edge import LabelSubscriber; sys.exit(bool({heavy} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
    assert mar_edge.LabelSubscriber is LabelSubscriber


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_messages_arrive_typed_and_in_order_until_the_end(subscribe: Subscribe, encoding: Encoding) -> None:
    with (
        publishing(encoding=encoding) as (publisher, publish_socket),
        subscribe(publish_socket.endpoints[0], timeout_s=5, until_end=True) as subscriber,
    ):
        polled(publish_socket, lambda: publish_socket.subscriptions)
        sent = [publisher.publish(message).message for message in (HELLO, LABEL, EVENT, STATUS, LABEL, END)]
        assert list(subscriber) == sent
        assert list(subscriber) == []
        assert (subscriber.lost, subscriber.restarts, subscriber.malformed) == (0, 0, 0)


def test_a_late_joiner_gets_hello_and_status_and_counts_nothing_as_lost(subscribe: Subscribe) -> None:
    with publishing() as (publisher, publish_socket):
        for message in (HELLO, LABEL, LABEL, STATUS):
            publisher.publish(message)
        with subscribe(publish_socket.endpoints[0], timeout_s=5) as subscriber:
            polled(publish_socket, lambda: publisher.next_seq == 6)
            publisher.publish(LABEL)
            assert [next(subscriber).kind for _ in range(3)] == ["hello", "status", "label"]
            assert subscriber.lost == 0


def test_gaps_are_counted_and_located(subscribe: Subscribe, sender: Sender) -> None:
    with subscribe(sender.address, timeout_s=5, until_end=True) as subscriber:
        sender.wait_for()
        for seq in (7, 8, 11, 12, 13, 20):
            sender.send(LABEL, seq)
        sender.send(end(21), 21)
        assert len(list(subscriber)) == 7
        assert subscriber.lost == 8
        assert list(subscriber.gaps) == [Gap("cam", None, 9, 2), Gap("cam", None, 14, 6)]


def test_with_some_kinds_only_their_losses_count_also_at_the_end(subscribe: Subscribe, sender: Sender) -> None:
    with subscribe(sender.address, "cam", ("event", "end"), timeout_s=5, until_end=True) as subscriber:
        sender.wait_for(3)
        for seq, kind_seq in ((3, 0), (9, 1), (20, 4)):
            sender.send(EVENT, seq, kind_seq)
        sender.send(LABEL, 21, 17)
        sender.send(end(30, event=7, label=19), 30)
        assert [message.kind for message in subscriber] == ["event", "event", "event", "end"]
        assert list(subscriber.gaps) == [Gap("cam", "event", 2, 2), Gap("cam", "event", 5, 2)]


def test_each_stream_has_a_count_of_its_own(subscribe: Subscribe, sender: Sender) -> None:
    with subscribe(sender.address, kinds=("label",), timeout_s=5) as subscriber:
        sender.wait_for()
        for seq, stream in ((5, "a"), (900, "b"), (6, "a"), (901, "b"), (8, "a")):
            sender.send(LABEL, seq, stream=stream)
        sender.send(EVENT, 902, stream="b")
        sender.send(LABEL, 903, stream="b")
        assert [next(subscriber).stream for _ in range(6)] == ["a", "b", "a", "b", "a", "b"]
        assert list(subscriber.gaps) == [Gap("a", None, 7, 1)]


def test_a_stream_whose_name_begins_the_same_is_left_out(subscribe: Subscribe, sender: Sender) -> None:
    with subscribe(sender.address, "cam1", timeout_s=5) as subscriber:
        sender.wait_for()
        sender.send(LABEL, 0, stream="cam10")
        sender.send(LABEL, 5, stream="cam1")
        assert next(subscriber).stream == "cam1"


def test_a_restarted_sender_is_noticed_and_is_no_gap(subscribe: Subscribe, sender: Sender) -> None:
    with subscribe(sender.address, timeout_s=5) as subscriber:
        sender.wait_for()
        for seq, run in ((100, "r1"), (101, "r1"), (0, "r2"), (1, "r2"), (3, "r2")):
            sender.send(LABEL, seq, run=run)
        assert [next(subscriber).seq for _ in range(5)] == [100, 101, 0, 1, 3]
        assert (subscriber.restarts, subscriber.lost) == (1, 1)


def test_a_message_seen_twice_is_no_gap(subscribe: Subscribe, sender: Sender) -> None:
    with subscribe(sender.address, timeout_s=5) as subscriber:
        sender.wait_for()
        for seq in (1, 2, 3, 2, 3, 4):
            sender.send(LABEL, seq)
        assert [next(subscriber).seq for _ in range(6)] == [1, 2, 3, 2, 3, 4]
        assert subscriber.lost == 0


def test_malformed_bytes_are_counted_and_skipped(subscribe: Subscribe, sender: Sender) -> None:
    with subscribe(sender.address, timeout_s=5) as subscriber:
        sender.wait_for()
        sender.send(LABEL, 0)
        sender.raw(b"mar/cam/label/", b"\xff\xfe garbage")
        sender.raw(b"mar/cam/label/")
        sender.raw(b"mar/cam/label/", b"{}", b"{}")
        sender.raw(b"mar/cam/label/", changed())  # an event under the topic of labels
        sender.raw(b"mar/cam/event/", changed(stream="other"))
        sender.send(LABEL, 1)
        assert [next(subscriber).seq for _ in range(2)] == [0, 1]
        assert (subscriber.malformed, subscriber.lost) == (5, 0)


def test_a_kind_of_a_later_version_has_its_place_in_the_count(subscribe: Subscribe, sender: Sender) -> None:
    with subscribe(sender.address, "cam", timeout_s=5) as subscriber:
        sender.wait_for()
        sender.send(LABEL, 0)
        sender.raw(b"mar/cam/mood/", changed(kind="mood", seq=1, run="r1"))
        sender.send(LABEL, 2)
        assert [next(subscriber).seq for _ in range(2)] == [0, 2]
        assert (subscriber.malformed, subscriber.lost) == (0, 0)


def test_another_schema_is_a_clear_error(subscribe: Subscribe, sender: Sender) -> None:
    with subscribe(sender.address, timeout_s=5) as subscriber:
        sender.wait_for()
        sender.raw(b"mar/cam/event/", changed(schema=99))
        with pytest.raises(UnknownSchema, match="schema 99"):
            next(subscriber)


def test_silence_is_an_error_after_the_timeout_and_messages_may_follow(subscribe: Subscribe, sender: Sender) -> None:
    with subscribe(sender.address, timeout_s=0.05, kinds=("event",), stream="cam") as subscriber:
        with pytest.raises(SubscriberTimeout, match=r"no event message from tcp://.* within 0.05 s"):
            next(subscriber)
        with pytest.raises(TimeoutError):
            next(subscriber)
        sender.wait_for(3)
        sender.send(EVENT, 0)
        while True:
            try:
                assert next(subscriber).kind == "event"
                break
            except SubscriberTimeout:
                continue


def test_faults_are_reported_when_they_are_noticed(subscribe: Subscribe, sender: Sender) -> None:
    noticed: list[Notice] = []
    with subscribe(sender.address, timeout_s=5, on_notice=noticed.append) as subscriber:
        sender.wait_for()
        sender.send(LABEL, 4)
        sender.send(LABEL, 7)
        sender.send(LABEL, 0, run="r2")
        sender.raw(b"mar/cam/label/", b"garbage")
        sender.send(LABEL, 1, run="r2")
        for _ in range(4):
            next(subscriber)
    assert noticed[:2] == [Gap("cam", None, 5, 2), Restart("cam")]
    assert isinstance(noticed[2], Malformed)
    assert len(noticed) == 3


@pytest.mark.parametrize("kinds", [KINDS, ("event",)])
def test_silence_of_a_stream_is_reported_once_each_time(
    subscribe: Subscribe, sender: Sender, monkeypatch: pytest.MonkeyPatch, kinds: tuple[Kind, ...]
) -> None:
    monkeypatch.setattr("mar_edge.streaming.wire.subscription.SILENT_S", 0.1)
    noticed: list[Notice] = []
    with subscribe(sender.address, "cam", kinds, timeout_s=0.4, on_notice=noticed.append) as subscriber:
        sender.wait_for(1 if kinds == KINDS else 3)
        with pytest.raises(SubscriberTimeout):
            next(subscriber)
        assert noticed == [Silence(None)]
        for _ in range(2):
            sender.send(STATUS, 0)
            sender.send(EVENT, 1)
            while next(subscriber).kind != "event":
                pass
            with pytest.raises(SubscriberTimeout):
                next(subscriber)
            assert subscriber.silent == ("cam",)
        assert noticed[1:] == [Silence("cam")] * 2
        sender.send(end(2), 2)
        if "end" in kinds:
            assert next(subscriber).kind == "end"
        with pytest.raises(SubscriberTimeout):  # a stream that has ended owes nothing
            next(subscriber)
        assert (subscriber.silent, len(noticed)) == ((), 3)


def test_a_slow_reader_does_not_take_its_own_pauses_for_silence(
    subscribe: Subscribe, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mar_edge.streaming.wire.subscription.SILENT_S", 0.1)
    noticed: list[Notice] = []
    with subscribe(sender.address, timeout_s=5, on_notice=noticed.append) as subscriber:
        sender.wait_for()
        for seq in range(3):
            sender.send(LABEL, seq)
        for _ in range(3):
            next(subscriber)
            time.sleep(0.15)
    assert noticed == []


@pytest.mark.parametrize(
    ("address", "kinds"), [("nonsense", KINDS), ("tcp://127.0.0.1:5557", ()), ("ipc:///x", ("labels",))]
)
def test_unusable_addresses_and_kinds_are_errors(subscribe: Subscribe, address: str, kinds: tuple[Kind, ...]) -> None:
    with pytest.raises(MarEdgeError):
        subscribe(address, kinds=kinds)


# Topics and payloads of mar-edge, some with a few bytes changed, and arbitrary ones.
TOPICS = st.sampled_from([topic("cam", kind) for kind in KINDS]) | st.binary(max_size=20).map(b"mar/".__add__)
PLACES = st.tuples(st.integers(0, 5), st.integers(0, 2000), st.binary(max_size=4))


def patched(place: tuple[int, int, bytes], encoding: Encoding) -> bytes:
    payload = encode(stamped(MESSAGES[place[0]]), encoding)
    at = place[1] % len(payload)
    return payload[:at] + place[2] + payload[at + len(place[2]) :]


PAYLOADS = st.builds(patched, PLACES, st.sampled_from(["json", "msgpack"])) | st.binary(max_size=60)
PARTS = st.tuples(TOPICS) | st.tuples(TOPICS, PAYLOADS) | st.tuples(TOPICS, PAYLOADS, PAYLOADS)


def test_arbitrary_bytes_do_not_end_a_subscription(subscribe: Subscribe) -> None:
    with zmq.Context() as context:
        sender = Sender(context)
        with subscribe(sender.address, timeout_s=10) as subscriber:
            sender.wait_for()

            @settings(max_examples=60, deadline=None)
            @given(st.lists(PARTS, max_size=5))
            def whatever_comes(sent: list[tuple[bytes, ...]]) -> None:
                for parts in sent:
                    sender.raw(*parts)
                sender.send(LABEL, 0, stream="after")
                stream = ""
                while stream != "after":
                    with contextlib.suppress(UnknownSchema):
                        stream = next(subscriber).stream

            whatever_comes()
            assert subscriber.malformed > 0
        context.destroy(linger=0)


def test_other_tasks_run_while_a_message_is_awaited(sender: Sender) -> None:
    """Subscribe and send from one event loop: each would wait forever if the other one blocked."""

    async def both() -> list[int]:
        async with AsyncLabelSubscriber(sender.address, timeout_s=5, until_end=True) as subscriber:

            async def send() -> None:
                await asyncio.to_thread(sender.wait_for)
                for seq in range(3):
                    sender.send(LABEL, seq)
                    await asyncio.sleep(0.01)
                sender.send(end(3), 3)

            sending = asyncio.create_task(send())
            numbers = [message.seq async for message in subscriber]
            await sending
            return numbers

    assert asyncio.run(both()) == [0, 1, 2, 3]


def test_a_canceled_wait_loses_no_message(sender: Sender) -> None:
    async def numbers() -> list[int]:
        async with AsyncLabelSubscriber(sender.address, until_end=True) as subscriber:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(anext(subscriber), 0.02)
            await asyncio.to_thread(sender.wait_for)
            sender.send(LABEL, 0)
            sender.send(end(1), 1)
            return [message.seq async for message in subscriber]

    assert asyncio.run(numbers()) == [0, 1]


class Enough:
    """A condition that holds when it is asked for the fourth time; a message is sent when it is asked for the third."""

    def __init__(self, sender: Sender) -> None:
        self._sender, self._asked = sender, 0

    def __call__(self) -> bool:
        self._asked += 1
        if self._asked == 3:
            self._sender.send(LABEL, 0)
        return self._asked == 4


def test_messages_until_a_condition(sender: Sender) -> None:
    with LabelSubscriber(sender.address, timeout_s=0.05) as subscriber:
        sender.wait_for()
        assert [message.seq for message in subscriber.until(Enough(sender))] == [0]


def test_messages_until_a_condition_in_asyncio(sender: Sender) -> None:
    async def until_enough() -> list[int]:
        async with AsyncLabelSubscriber(sender.address, timeout_s=0.05) as subscriber:
            await asyncio.to_thread(sender.wait_for)
            return [message.seq async for message in subscriber.until(Enough(sender))]

    assert asyncio.run(until_enough()) == [0]
