"""What subscribers that never read cost those that do: throughput, delay and the publisher's memory, side by side.

    python benchmarks/subscribers.py [--rounds 5] [--readers 25] [--dead 25]

Each round sends the same label messages twice, at a fixed rate: to the readers alone, and to them beside as many that
are connected and never read. Readers are one process with a socket each. The two take turns: read the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

import zmq

from streaming.bus import Publisher
from streaming.messages import LabelMessage, Latency, ScoredLabel
from streaming.metrics import resident_bytes
from streaming.outlet import Outlet

LABEL = LabelMessage(
    person=0,
    top=tuple(ScoredLabel(id, f"label {id}", "head", 0.1) for id in range(5)),
    gated=False,
    t_start_ns=1,
    t_end_ns=2,
    latency=Latency(30.0, 1.0, 9.0, 41.0),
)
READERS = """
import sys, time, zmq, statistics
from streaming.messages import decode
context, count, messages = zmq.Context(), int(sys.argv[2]), int(sys.argv[3])
poller, left = zmq.Poller(), {}
for _ in range(count):
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, 10000)
    socket.subscribe(b"mar/cam/label/")
    socket.connect(sys.argv[1])
    poller.register(socket, zmq.POLLIN)
    left[socket] = messages
delays, first, got = [], None, 0
while left:
    ready = poller.poll(5000)
    if not ready:
        break
    for socket, _ in ready:
        payload = socket.recv_multipart()[1]
        first = first or time.time()
        got += 1
        if got % 50 == 0:
            delays.append(time.time_ns() - decode(payload).t_publish_ns)
        left[socket] -= 1
        if not left[socket]:
            del left[socket]
            poller.unregister(socket)
cuts = statistics.quantiles(delays, n=20)
print(got / (time.time() - first), cuts[9] / 1e6, cuts[18] / 1e6, got)
"""


def measure(readers: int, dead: int, messages: int, rate: float) -> tuple[float, float, float, float, float]:
    """Messages a second that readers took, delay p50 and p95 in ms, share received, growth of memory in MB."""
    with Outlet(("tcp://127.0.0.1:*",)) as outlet, zmq.Context() as context:
        publisher = Publisher("cam", outlet)
        kept = [context.socket(zmq.SUB) for _ in range(dead)]
        for each in kept:
            each.setsockopt(zmq.LINGER, 0)
            each.subscribe(b"mar/cam/label/")
            each.connect(outlet.endpoints[0])
        command = [sys.executable, "-c", READERS, outlet.endpoints[0], str(readers), str(messages)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            while outlet.subscriptions < readers + dead:
                outlet.poll()
                time.sleep(0.01)
            before = resident_bytes() or 0
            start_s = time.monotonic()
            for number in range(messages):
                time.sleep(max(start_s + number / rate - time.monotonic(), 0.0))
                publisher.publish(LABEL)
                if number == messages // 2:
                    before = resident_bytes() or 0  # queues are full by now
            grown = (resident_bytes() or 0) - before
            out, _ = process.communicate()
        for each in kept:
            each.close()
    throughput, p50, p95, got = map(float, out.split())
    return throughput, p50, p95, got / (readers * messages), grown / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--readers", type=int, default=25)
    parser.add_argument("--dead", type=int, default=25)
    parser.add_argument("--messages", type=int, default=6000)
    parser.add_argument("--rate", type=float, default=400.0, help="messages a second")
    arguments = parser.parse_args()
    found: dict[int, list[tuple[float, ...]]] = {0: [], arguments.dead: []}
    for _ in range(arguments.rounds):
        for dead, rows in found.items():
            rows.append(measure(arguments.readers, dead, arguments.messages, arguments.rate))
    print(f"{'never reading':>14}{'taken/s':>10}{'p50 ms':>9}{'p95 ms':>9}{'received':>10}{'memory MB':>11}")
    for dead, rows in found.items():
        row = [statistics.median(column) for column in zip(*rows, strict=True)]
        print(f"{dead:>14}{row[0]:>10.0f}{row[1]:>9.2f}{row[2]:>9.2f}{row[3]:>10.4f}{row[4]:>11.2f}")


if __name__ == "__main__":
    main()
