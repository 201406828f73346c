"""The bridge and a real NATS server, while either is killed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import Box, Broker, box, event, free_port, nats_server, numbered, wait_until

from mar_edge.bridge.arrived import heads_of_nats
from mar_edge.bridge.audit import Audit
from mar_edge.bridge.bridge import Bridge
from mar_edge.bridge.journal import Journal
from mar_edge.bridge.nats_connection import NatsConnection
from mar_edge.bridge.selection import Selection
from mar_edge.bridge.sinks.base import Unavailable
from mar_edge.bridge.sinks.jetstream import JetStreamSink
from mar_edge.bridge.target import Target, parse_target
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.streaming.capture.backoff import Backoff

pytest.importorskip("nats", reason="nats-py is not installed")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Broker]:
    broker = nats_server(tmp_path / "nats")
    broker.start()
    yield broker
    broker.kill()


def target(broker: Broker) -> Target:
    return parse_target(f"nats://127.0.0.1:{broker.port}", "lab")


def audited(broker: Broker, **options: bool) -> tuple[int, int, int]:
    """Return how many messages arrived, are missing and are doubled."""
    audit = Audit(**options)
    audit.take(heads_of_nats(target(broker), every_box=True))
    return audit.count, sum(gap.count for gap in audit.missing()), sum(each.copies for each in audit.doubled())


def fill(journal: Journal, numbers: range) -> None:
    for number in numbers:
        journal.add(numbered(event(number), number))


def bridge(journal: Journal, broker: Broker) -> Bridge:
    return Bridge(Selection(), journal, JetStreamSink(target(broker)), Backoff(first_s=0.05, most_s=0.2))


def test_everything_arrives_once_and_in_order_while_the_server_is_killed(server: Broker, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", 64 << 20) as journal, bridge(journal, server) as running:
        for round in range(3):
            fill(journal, range(round * 1000, (round + 1) * 1000))
            sent = running.sent
            wait_until(lambda sent=sent: running.sent > sent)
            server.kill()
            server.start()
        running.drain(lambda: False)
        running.check()
    assert audited(server, from_start=True) == (3000, 0, 0)
    seqs = [head.seq for head in heads_of_nats(target(server), every_box=False)]
    assert seqs == list(range(3000))


def test_what_was_stored_without_our_knowing_is_not_sent_again(server: Broker, tmp_path: Path) -> None:
    """Restart a bridge that was killed after sending, when the server does not know the ids any more."""
    with Journal(tmp_path / "journal", 1 << 20) as journal:
        fill(journal, range(300))
        batch = journal.oldest(200, 0.0)
        sink = JetStreamSink(target(server))
        sink.open()
        assert sink.send(batch[:100]) == 100
        sink.close()
        journal.settle([])
        restarted = JetStreamSink(target(server))
        restarted.open()
        forget_ids(restarted)
        assert restarted.send(batch) == 100
        assert restarted.send(batch[100:]) == 100
        restarted.close()
    assert audited(server) == (200, 0, 0)


def forget_ids(sink: JetStreamSink) -> None:
    """Have the server forget the ids of stored messages, as it does after two minutes."""
    from nats.js.api import StreamConfig

    connection = sink._connection
    assert connection is not None

    async def shorten() -> None:
        config = StreamConfig(name="mar-edge-lab", subjects=["mar-edge.lab.>"], duplicate_window=0.1)
        await connection.jetstream.update_stream(config)

    connection.run(shorten())
    time.sleep(0.5)


def test_a_bridge_that_is_killed_under_load_loses_and_doubles_nothing(server: Broker, tmp_path: Path) -> None:
    def start(sender: Box) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "mar_edge", "bridge", "--connect", sender.address, "--box", "lab"]
        options = ["--to", f"nats://127.0.0.1:{server.port}", "--journal", str(tmp_path / "journal"), "--until-end"]
        process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        sender.wait_for_subscribers(1)
        return process

    def received(process: subprocess.Popen[str]) -> int:
        process.send_signal(signal.SIGUSR1)
        assert process.stderr is not None
        while not (found := re.search(r"received (\d+); behind", process.stderr.readline())):
            pass
        return int(found[1])

    def send(sender: Box, process: subprocess.Popen[str], count: int) -> None:
        # In portions that a sender keeps for a slow subscriber.
        for done in range(400, count + 1, 400):
            sender.send_events(400)
            wait_until(lambda done=done: received(process) == done)

    with box("cam.1") as sender:
        running = start(sender)
        for _ in range(2):
            send(sender, running, 1200)
            running.send_signal(signal.SIGKILL)
            running.communicate()
            sender.wait_for_subscribers(0)
            running = start(sender)
        send(sender, running, 1200)
        sender.end()
        _, said = running.communicate(timeout=60)
        assert running.returncode == 0, said
    assert audited(server, from_start=True) == (3601, 0, 0)


def test_a_server_without_jetstream_says_so(tmp_path: Path) -> None:
    broker = nats_server(tmp_path / "nats", jetstream=False)
    broker.start()
    try:
        with pytest.raises(Unavailable, match="JetStream"):
            JetStreamSink(target(broker)).open()
    finally:
        broker.kill()


def test_a_message_that_is_too_long_is_refused_and_the_others_arrive(tmp_path: Path) -> None:
    config = tmp_path / "nats.conf"
    config.write_text("max_payload: 2000\n")
    broker = nats_server(tmp_path / "nats", "-c", str(config))
    broker.start()
    try:
        with Journal(tmp_path / "journal", 1 << 20) as journal, bridge(journal, broker) as running:
            for seq in range(6):
                label = Label(9, "nodding" * (500 if seq in (0, 3) else 1), "head")
                journal.add(numbered(event(seq, label=label), seq))
            running.drain(lambda: False)
        assert (running.sent, running.refused) == (4, 2)
        assert [head.seq for head in heads_of_nats(target(broker), every_box=True)] == [1, 2, 4, 5]
    finally:
        broker.kill()


def test_an_audit_of_a_server_that_holds_nothing_is_an_error(server: Broker) -> None:
    with pytest.raises(MarEdgeError, match="holds no messages under mar-edge"):
        audited(server)


def test_an_audit_ends_although_the_stream_drops_its_oldest_meanwhile(server: Broker, tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", 1 << 20) as journal, bridge(journal, server) as running:
        fill(journal, range(1000))
        running.drain(lambda: False)
    heads = heads_of_nats(target(server), every_box=True)
    first = next(heads).seq
    other = NatsConnection(target(server))
    other.run(other.jetstream.purge_stream("mar-edge-lab", keep=100))
    other.close()
    seqs = [first, *(head.seq for head in heads)]
    assert seqs[0] == 0
    assert seqs[-100:] == list(range(900, 1000))


def test_a_server_that_is_not_there_is_noticed_at_once() -> None:
    with pytest.raises(Unavailable, match="Connect call failed"):
        JetStreamSink(parse_target(f"nats://127.0.0.1:{free_port()}", "lab")).open()
