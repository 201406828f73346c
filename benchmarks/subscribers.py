"""Measure what subscribers that never read cost those that do: delay, throughput, the sender's time and memory.

    python benchmarks/subscribers.py [--readers 25] [--dead 25] [--messages 8000] [--rate 100]

Two senders in one process have the same number of readers, which are one process with a socket each. The second sender
has the same number of dead subscribers too: they are connected and never read. Their queues are full before anything is
measured. The two senders take turns, an eighth of a second each, so that other load affects both equally. Compare the
ratios, and their spread.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import zmq

from mar_edge.streaming.operations.metrics import resident_bytes
from mar_edge.streaming.wire.messages import LabelMessage, Latency, ScoredLabel
from mar_edge.streaming.wire.publish_socket import HIGH_WATER_MARK, PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

BLOCK_S = 0.125
PARTS = 10  # of a run, each with a ratio of its own
FILL = 5 * HIGH_WATER_MARK
LABEL = LabelMessage(
    person=0,
    top=tuple(ScoredLabel(id, f"label {id}", "head", 0.1) for id in range(5)),
    gated=False,
    t_start_ns=1,
    t_end_ns=2,
    latency=Latency(30.0, 1.0, 9.0, 41.0),
)
READERS = """
import json, sys, time, zmq
from mar_edge.streaming.wire.encoding import decode
addresses, count, messages = sys.argv[1:3], int(sys.argv[3]), int(sys.argv[4])
context, poller, side_of = zmq.Context(), zmq.Poller(), {}
for _ in range(count):
    for side, address in enumerate(addresses):  # by turns, since after a stall they are read in this order
        socket = context.socket(zmq.SUB)
        socket.setsockopt(zmq.RCVHWM, 10000)
        socket.subscribe(b"mar/cam/label/")
        socket.connect(address)
        poller.register(socket, zmq.POLLIN)
        side_of[socket] = side
delays, got, first_ns = ([], []), [0, 0], [0, 0]
last_ns = [0, 0]
while sum(got) < 2 * count * messages and (ready := poller.poll(5000)):
    for socket, _ in ready:
        payload, now_ns = socket.recv_multipart()[1], time.time_ns()
        side = side_of[socket]
        first_ns[side] = first_ns[side] or now_ns
        last_ns[side] = now_ns
        got[side] += 1
        if got[side] % 7 == 0:
            delays[side].append((now_ns - decode(payload).t_publish_ns) / 1e6)
print(json.dumps({"delays": delays, "got": got, "seconds": [(b - a) / 1e9 for a, b in zip(first_ns, last_ns)]}))
"""


@dataclass(frozen=True)
class Side:
    """One sender. delays_ms: of a seventh of what its readers got; sends_us: of every message; got: by all readers."""

    delays_ms: list[float]
    sends_us: list[float]
    got: int
    seconds: float

    def received(self, readers: int) -> float:
        """Share of what was sent."""
        return self.got / (readers * len(self.sends_us))


def measure(readers: int, dead: int, messages: int, rate: float) -> tuple[Side, Side, float]:
    """Return the sender without dead subscribers, the one with, and the growth of the process's memory in MB."""
    block = max(round(rate * BLOCK_S), 1)
    messages -= messages % (2 * block)
    with ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        sockets = [stack.enter_context(PublishSocket(("tcp://127.0.0.1:*",))) for _ in range(2)]
        publishers = [Publisher("cam", socket) for socket in sockets]
        kept = [_never_reads(context, sockets[1].endpoints[0]) for _ in range(dead)]
        _wait_for(sockets[1], dead)
        for _ in range(FILL):
            publishers[1].publish(LABEL)
        endpoints = [socket.endpoints[0] for socket in sockets]
        command = [sys.executable, "-c", READERS, *endpoints, str(readers), str(messages // 2)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            _wait_for(sockets[0], readers)
            _wait_for(sockets[1], readers + dead)
            sends_us = np.full(messages, np.nan)  # there before memory is looked at
            sides = np.arange(messages) // block % 2
            start_s = time.monotonic()
            for number in range(messages):
                time.sleep(max(start_s + number / rate - time.monotonic(), 0.0))
                publisher = publishers[sides[number]]
                begun_ns = time.perf_counter_ns()
                publisher.publish(LABEL)
                sends_us[number] = (time.perf_counter_ns() - begun_ns) / 1e3
                if number == messages // 4:  # every queue has been in use by now
                    before = resident_bytes() or 0
            grown_mb = ((resident_bytes() or 0) - before) / 1e6
            out, _ = process.communicate()
        for each in kept:
            each.close(0)
    heard = json.loads(out)
    alone, beside = (
        Side(heard["delays"][side], sends_us[sides == side].tolist(), heard["got"][side], heard["seconds"][side])
        for side in range(2)
    )
    return alone, beside, grown_mb


def _never_reads(context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> zmq.Socket[bytes]:
    """Return a subscriber whose own queue holds next to nothing, so that the sender's fills at once."""
    socket = context.socket(zmq.SUB)
    for option, value in ((zmq.LINGER, 0), (zmq.RCVHWM, 1), (zmq.RCVBUF, 4096)):
        socket.setsockopt(option, value)
    socket.subscribe(b"mar/cam/label/")
    socket.connect(endpoint)
    return socket


def _wait_for(socket: PublishSocket, subscriptions: int) -> None:
    while socket.subscriptions < subscriptions:
        socket.poll()
        time.sleep(0.01)


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


def ratios(alone: list[float], beside: list[float]) -> list[float]:
    """Return ratios of the p95s, part by part of the run."""
    parts = (
        [side[i * len(side) // PARTS : (i + 1) * len(side) // PARTS] for i in range(PARTS)] for side in (alone, beside)
    )
    return [p95(b) / p95(a) for a, b in zip(*parts, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=25, help="readers of each sender")
    parser.add_argument("--dead", type=int, default=25)
    parser.add_argument("--messages", type=int, default=8000, help="messages of both senders together")
    parser.add_argument("--rate", type=float, default=100.0, help="messages/s of both senders together")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    alone, beside, grown_mb = measure(arguments.readers, arguments.dead, arguments.messages, arguments.rate)
    print(
        f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after; memory {grown_mb:+.2f} MB in the last three quarters"
    )
    print(f"{'never reading':>14}{'received':>10}{'taken/s':>9}{'p50 ms':>9}{'p95 ms':>9}{'send p50':>10}{'p95 us':>8}")
    for dead, side in ((0, alone), (arguments.dead, beside)):
        print(
            f"{dead:>14}{side.received(arguments.readers):>10.4f}{side.got / side.seconds:>9.0f}"
            f"{statistics.median(side.delays_ms):>9.2f}{p95(side.delays_ms):>9.2f}"
            f"{statistics.median(side.sends_us):>10.0f}{p95(side.sends_us):>8.0f}"
        )
    for what, of_alone, of_beside in (
        ("delay", alone.delays_ms, beside.delays_ms),
        ("time to send", alone.sends_us, beside.sends_us),
    ):
        parts = sorted(ratios(of_alone, of_beside))
        print(
            f"{what}, p95 with them over p95 without: {p95(of_beside) / p95(of_alone):.3f}; by tenths of the run "
            f"median {statistics.median(parts):.3f}, {parts[0]:.3f} to {parts[-1]:.3f}"
        )


if __name__ == "__main__":
    main()
