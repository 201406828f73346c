"""Measure the road of messages: boxes -> relay -> bridge -> NATS JetStream. Where does it saturate?

    python benchmarks/fleet.py                              # 32, 128 and 512 cameras
    python benchmarks/fleet.py --against ../before          # the relay and the bridge of another checkout next to these

Boxes are processes that publish what ``serve`` sent about one person and about two (``fleet_box.py``), at its pace or
several times as fast: a camera at pace 4 counts as four. Two roads run at the same time, one with the messages of
``serve --skeletons``; each has its own relay, bridge and broker. All of it shares the cores of this machine. So each
process is measured by its processor time, not by the clock. What arrived is audited. nats-server must be installed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
from fleet_recordings import record
from nats.js.api import StreamState

from mar_edge.bridge.arrived import heads_of_nats
from mar_edge.bridge.audit import Audit
from mar_edge.bridge.nats_connection import NatsConnection
from mar_edge.bridge.sinks.jetstream import stream_name, subject
from mar_edge.bridge.target import Target, parse_target
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import default_model_path
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime

WARM_UP_S = 3.0
ENDS_S = 15.0
HERE = Path(__file__).parent
HOPS = ("boxes", "relay", "bridge", "broker")


@dataclass
class Road:
    """A relay, a bridge and a broker of one checkout, and the processes of its boxes, by hop.

    cores: processor time of each hop per second. arrived: messages/s and bytes/s in the broker.
    unfinished: cameras whose ``end`` did not arrive, so that it is not known what else is missing.
    """

    checkout: str
    skeletons: bool
    target: Target
    processes: dict[str, list[subprocess.Popen[str]]]
    cores: dict[str, float] = field(default_factory=dict)
    arrived: tuple[float, float] = (0.0, 0.0)
    unfinished: int = 0
    missing: int = 0
    doubled: int = 0


@dataclass(frozen=True)
class Load:
    """What is sent. recordings: for its cameras in turn, without skeletons (False) and with them."""

    boxes: int
    cameras: int
    pace: int
    recordings: dict[bool, list[Path]]


@dataclass(frozen=True)
class Sent:
    """What all boxes of a road sent: messages and bytes (of topics and payloads) per second."""

    messages: float
    total_bytes: float
    kinds: dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, default=16)
    parser.add_argument("--cameras", type=int, default=2, help="cameras of each box")
    parser.add_argument("--paces", default="1,4,16", help="paces to compare")
    parser.add_argument("--seconds", type=float, default=15.0, help="seconds of each measurement")
    parser.add_argument("--against", type=Path, help="another checkout, whose relay and bridge get the same messages")
    arguments = parser.parse_args()
    if shutil.which("nats-server") is None:
        raise MarEdgeError("nats-server is not installed: apt-get install nats-server")
    checkouts = {"this": HERE.parent} | ({"other": arguments.against.resolve()} if arguments.against else {})
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}", flush=True)
    print_recognition()
    with tempfile.TemporaryDirectory() as name:
        recordings = record(Path(name))
        for pace in (int(number) for number in arguments.paces.split(",")):
            load = Load(arguments.boxes, arguments.cameras, pace, recordings)
            measure(Path(name), load, arguments.seconds, checkouts)
    print(f"load {os.getloadavg()[0]:.1f}")


def print_recognition() -> None:
    """Print what the network costs a box, and what it would send to have it run elsewhere."""
    with OnnxRuntime(default_model_path(), threads=1) as runtime:
        window = {name: np.zeros((1, *shape[1:]), np.float32) for name, shape in runtime.input_shapes.items()}
        for _ in range(20):
            runtime.infer(window)
        before_s = time.process_time()
        for _ in range(100):
            runtime.infer(window)
        cpu_ms = (time.process_time() - before_s) * 10
    print(f"a window: {sum(array.nbytes for array in window.values())} bytes, {cpu_ms:.1f} ms of one core", flush=True)


def measure(folder: Path, load: Load, seconds: float, checkouts: dict[str, Path]) -> None:
    with ExitStack() as stack:
        roads: list[Road] = []
        started: dict[bool, list[subprocess.Popen[str]]] = {}
        for skeletons in load.recordings:
            addresses = [f"tcp://127.0.0.1:{free_port()}" for _ in range(load.boxes)]
            for name, checkout in checkouts.items():
                place = Path(tempfile.mkdtemp(dir=folder))
                roads.append(stack.enter_context(built(name, checkout, skeletons, addresses, place)))
            started[skeletons] = [
                stack.enter_context(box(address, number * load.cameras, load, skeletons, len(checkouts)))
                for number, address in enumerate(addresses)
            ]
        for process in chain(*started.values()):
            line_of(process)
        for road in roads:
            road.processes["boxes"] = started[road.skeletons]
        time.sleep(WARM_UP_S)
        measure_roads(roads, seconds)
        sent = {skeletons: stopped(processes) for skeletons, processes in started.items()}
        for road in roads:
            road.unfinished = load.boxes * load.cameras - wait_for_ends(road.target, load.boxes * load.cameras)
            audit = Audit(from_start=True)
            audit.take(heads_of_nats(road.target, every_box=False))
            road.missing = sum(gap.count for gap in audit.missing())
            road.doubled = sum(copy.copies for copy in audit.doubled())
    report(roads, sent, load.boxes * load.cameras * load.pace)


@contextmanager
def built(name: str, checkout: Path, skeletons: bool, boxes: Sequence[str], folder: Path) -> Iterator[Road]:
    """Start a broker, a relay of the boxes and a bridge, and end them."""
    relay_address, broker_port = f"tcp://127.0.0.1:{free_port()}", free_port()
    target = parse_target(f"nats://127.0.0.1:{broker_port}", "fleet")
    relay = ["relay", "--bind", relay_address, *(word for each in boxes for word in ("--connect", each))]
    bridge = ["bridge", "--connect", relay_address, "--box", target.box]
    bridge += ["--to", f"nats://127.0.0.1:{broker_port}", "--journal", str(folder / "journal")]
    broker = ["nats-server", "-a", "127.0.0.1", "-p", str(broker_port), "-js", "-sd", str(folder / "nats")]
    with ExitStack() as stack:
        processes = {"broker": [stack.enter_context(ran(broker, folder))]}
        for hop, words in (("relay", relay), ("bridge", bridge)):
            process = stack.enter_context(ran([sys.executable, "-m", "mar_edge", *words], checkout))
            line_of(process)
            processes[hop] = [process]
        yield Road(name, skeletons, target, processes)


@contextmanager
def box(address: str, first: int, load: Load, skeletons: bool, subscriptions: int) -> Iterator[subprocess.Popen[str]]:
    words = [address, first, load.cameras, load.pace, subscriptions, *load.recordings[skeletons]]
    with ran([sys.executable, str(HERE / "fleet_box.py"), *map(str, words)], HERE.parent) as process:
        yield process


@contextmanager
def ran(command: list[str], checkout: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a program in a checkout, which ``python -m`` then imports from."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=checkout
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def line_of(process: subprocess.Popen[str]) -> str:
    """Wait for a line that a process prints."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise MarEdgeError(f"{process.args} ended")
    return line


def measure_roads(roads: list[Road], seconds: float) -> None:
    """Fill in processor time and what arrived."""
    start_s = time.monotonic()
    before = [(cpu_s(road), stored(road.target)) for road in roads]
    time.sleep(seconds)
    for road, (cpu_before, stored_before) in zip(roads, before, strict=True):
        cpu, now = cpu_s(road), stored(road.target)
        elapsed_s = time.monotonic() - start_s
        road.cores = {hop: (cpu[hop] - cpu_before[hop]) / elapsed_s for hop in HOPS}
        road.arrived = (
            (now.messages - stored_before.messages) / elapsed_s,
            (now.bytes - stored_before.bytes) / elapsed_s,
        )


def cpu_s(road: Road) -> dict[str, float]:
    """Return the processor time of each hop so far, of all threads, by the clocks that clock_getcpuclockid(3) names."""
    return {hop: sum(time.clock_gettime((~each.pid << 3) | 2) for each in road.processes[hop]) for hop in HOPS}


def stored(target: Target, subjects: str | None = None) -> StreamState:
    """Return what the broker holds. Its ``subjects`` are those that ``subjects`` selects."""
    connection = NatsConnection(target)
    try:
        name = stream_name(target.box)
        return connection.run(connection.jetstream.stream_info(name, subjects_filter=subjects)).state
    finally:
        connection.close()


def wait_for_ends(target: Target, count: int) -> int:
    """Return how many cameras' ``end`` arrived, after waiting for all of them for a while."""
    until_s = time.monotonic() + ENDS_S
    every_end = subject(target.box, "*", "end")
    while (arrived := len(stored(target, every_end).subjects or ())) < count and time.monotonic() < until_s:
        time.sleep(0.2)
    return arrived


def stopped(boxes: list[subprocess.Popen[str]]) -> Sent:
    for each in boxes:
        assert each.stdin is not None
        each.stdin.close()
        each.stdin = None
    counts = [json.loads(line_of(each)) for each in boxes]
    kinds = {kind: 0.0 for count in counts for kind in count["kinds"]}
    for count in counts:
        for kind, number in count["kinds"].items():
            kinds[kind] += number / count["seconds"]
    return Sent(sum(kinds.values()), sum(count["bytes"] / count["seconds"] for count in counts), kinds)


def report(roads: list[Road], sent: dict[bool, Sent], cameras: int) -> None:
    print(f"\n{cameras} cameras")
    for skeletons, of_all in sent.items():
        kinds = ", ".join(f"{kind} {rate / cameras:.1f}" for kind, rate in sorted(of_all.kinds.items()))
        print(
            f"a camera{' with skeletons' * skeletons}: {of_all.messages / cameras:.1f} messages/s ({kinds}), "
            f"{of_all.total_bytes / cameras / 1000:.1f} kB/s"
        )
    print("| road | messages/s | hop | cores busy | ms/s of a core per camera | us per message | cameras per core |")
    print("|---|---|---|---|---|---|---|")
    for road in roads:
        of_all = sent[road.skeletons]
        name = f"{road.checkout}{', skeletons' * road.skeletons}"
        for hop, cores in road.cores.items():
            rate = road.arrived[0] if hop == "broker" else of_all.messages
            print(
                f"| {name} | {rate:.0f} | {hop} | {cores:.3f} | {1000 * cores / cameras:.2f} | "
                f"{1e6 * cores / max(rate, 1e-9):.0f} | {cameras / max(cores, 1e-9):.0f} |"
            )
        print(
            f"{name}: stored {road.arrived[0] / cameras:.2f} messages/s and {road.arrived[1] / cameras:.0f} bytes/s "
            f"per camera; missing {road.missing}, doubled {road.doubled}, cameras without an end {road.unfinished}"
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
