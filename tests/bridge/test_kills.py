"""Box, relay, bridge and broker, each a process, each killed many times in random order while events are under way."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from brokers import free_port, nats_server, wait_until

from mar_edge.bridge.arrived import heads_of_nats
from mar_edge.bridge.audit import Audit
from mar_edge.bridge.target import parse_target

KILLS = 20
EVENTS = 300
# Sends what it is asked for: pings of a stream of their own, or events of the stream that is audited.
BOX = """
import sys
sys.path[:0] = sys.argv[2:]
from brokers import event
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher
import threading
with PublishSocket((sys.argv[1],)) as socket:
    streams = {"ping": Publisher("ping", socket), "cam": Publisher("cam", socket)}
    def attend():
        while True:
            socket.poll()
            stop.wait(0.005)
    stop = threading.Event()
    threading.Thread(target=attend, daemon=True).start()
    for line in sys.stdin:
        stream, count = line.split()
        for number in range(int(count)):
            streams[stream].publish(event(number))
"""


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_no_event_is_lost_or_doubled_that_was_published_while_the_bridge_lived(tmp_path: Path) -> None:
    broker = nats_server(tmp_path / "nats")
    addresses = {name: f"tcp://127.0.0.1:{free_port()}" for name in ("box", "relay")}
    here = Path(__file__).parent
    commands = {
        "box": ["-c", BOX, addresses["box"], str(here), str(here.parent), str(here.parent / "streaming")],
        "relay": ["-m", "mar_edge", "relay", "--connect", addresses["box"], "--bind", addresses["relay"]],
        "bridge": [
            *("-m", "mar_edge", "bridge", "--connect", addresses["relay"], "--box", "lab"),
            *("--to", f"nats://127.0.0.1:{broker.port}", "--journal", str(tmp_path / "journal")),
        ],
    }
    running: dict[str, subprocess.Popen[str]] = {}

    def start(name: str) -> None:
        running[name] = subprocess.Popen(
            [sys.executable, *commands[name]],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL if name != "bridge" else subprocess.PIPE,
            stderr=subprocess.PIPE if name == "bridge" else subprocess.DEVNULL,
            text=True,
        )
        if name == "bridge":
            stdout = running[name].stdout
            assert stdout is not None
            assert stdout.readline().startswith("bridge of")

    def received() -> int:
        running["bridge"].send_signal(signal.SIGUSR1)
        stderr = running["bridge"].stderr
        assert stderr is not None
        while not (found := re.search(r"received (\d+); behind", stderr.readline())):
            assert running["bridge"].poll() is None
        return int(found[1])

    def send(stream: str, count: int) -> None:
        stdin = running["box"].stdin
        assert stdin is not None
        stdin.write(f"{stream} {count}\n")
        stdin.flush()

    def send_events() -> None:
        """Send events once the road is open from end to end, and wait until the bridge has them, not the broker."""
        pings = received()

        def through() -> bool:
            send("ping", 1)
            time.sleep(0.1)
            return received() > pings

        wait_until(through)
        time.sleep(0.5)  # pings under way
        before = received()
        send("cam", EVENTS)
        wait_until(lambda: received() == before + EVENTS)

    broker.start()
    for name in commands:
        start(name)
    kills = ["box", "relay", "bridge", "broker"] * KILLS
    random.Random(0).shuffle(kills)
    try:
        for name in kills:
            send_events()
            if name == "broker":
                broker.kill()
                send_events()
                broker.start()
            else:
                running[name].kill()
                running[name].communicate()
                start(name)
        send_events()
        audit = Audit(from_start=True)
        expected = EVENTS * (len(kills) + KILLS + 1)

        def arrived() -> int:
            heads = heads_of_nats(parse_target(f"nats://127.0.0.1:{broker.port}", "lab"), every_box=True)
            cam = [head for head in heads if head.stream == "cam"]
            if len(cam) >= expected:
                audit.take(cam)
            return len(cam)

        wait_until(lambda: arrived() >= expected)
    finally:
        for process in running.values():
            process.kill()
            process.communicate()
        broker.kill()
    assert audit.runs == KILLS + 1
    assert audit.count == expected
    assert not list(audit.missing())
    assert not audit.doubled()
