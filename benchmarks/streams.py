"""Measure how many streams a machine can serve, and whether it can for hours.

    python benchmarks/streams.py                          # 1, 2, 4, ... streams until it saturates
    python benchmarks/streams.py --soak 3600 --streams 4  # memory, open files and gaps over an hour

Each stream is a figure that nods now and then, 30 skeletons/s in real time. It has no camera and no pose stage, which
are by far the more expensive part (``latency.py``). It goes through windows, motion gate, one network for all streams
and the events, to a real socket and a subscriber in its own process. A stream that cannot keep up falls behind its
clock. The machine is full when the 95th percentile of that delay exceeds ``LATE_S``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton
from mar_edge.edge.layout import load_layout
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.frames import NS, Frame, State
from mar_edge.streaming.capture.sources import Source
from mar_edge.streaming.operations.metrics import resident_bytes
from mar_edge.streaming.recognition.batching import BatchingRecognizer
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.stream import StreamLoop
from mar_edge.streaming.stream_output import StreamOutput
from mar_edge.streaming.wire.messages import AnyMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

FPS = 30.0
LATE_S = 0.2
MOST_STREAMS = 256
WARM_UP_SHARE = 0.2
_LATE_KEPT = 2000
LAYOUT = load_layout("ma52")


class Figure:
    """People as a source of frames (a ``FrameSource``): each nods for two seconds and rests for two."""

    state: State = "live"
    segment = dropped = stalls = corrupt = clock_jumps = 0
    connections = 1
    last_error: str | None = None
    fps: float | None = FPS
    size = (1280, 720)

    def __init__(self, seed: int, people: int = 1) -> None:
        self.source = Source("demo", "figure", "figure")
        self.frames = self.t_zero_ns = 0
        self.end_reason: str | None = None
        self.late_s: deque[float] = deque(maxlen=_LATE_KEPT)
        self._bases = [_figure(seed + person) + np.float32((500 * person, 0)) for person in range(people)]
        self._offset_s = seed * 0.37
        self._zero_ns = 0
        self._never = threading.Event()

    every_frame = ended = ran_out = False

    def start(self) -> None:
        self._zero_ns, self.t_zero_ns = time.monotonic_ns(), time.time_ns()

    def elapsed_s(self) -> float:
        return (time.monotonic_ns() - self._zero_ns) / NS

    def frame_age_s(self) -> float | None:
        return 0.0

    def read(self, timeout_s: float) -> Frame | None:
        due_s = self.frames / FPS
        early_s = due_s - self.elapsed_s()
        if early_s > 0:
            self._never.wait(early_s)
        self.late_s.append(self.elapsed_s() - due_s)
        people = tuple(self._person(number, due_s) for number in range(len(self._bases)))
        media_ns, self.frames = round(due_s * NS), self.frames + 1
        empty = np.zeros((0, 0, 3), np.uint8)
        now_ns = time.monotonic_ns()
        return Frame(self.frames, self.t_zero_ns + media_ns, now_ns, media_ns / NS, empty, people=people)

    def _person(self, number: int, t_s: float) -> Skeleton:
        joints = self._bases[number].copy()
        phase = (t_s + self._offset_s + 1.3 * number) % 4.0
        if phase < 2.0:
            joints[list(LAYOUT.regions["head"]), 1] += np.float32(8.0 * (1 - np.cos(2 * np.pi * 1.5 * phase)))
        return Skeleton(joints, np.ones(len(joints), np.float32), number)

    def __enter__(self) -> Figure:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass


def _figure(seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    middle = {"head": 0.06, "trunk": 0.3, "arms": 0.42, "legs": 0.8}
    joints = np.zeros((LAYOUT.num_joints, 2), np.float32)
    for region, indices in LAYOUT.regions.items():
        for v in indices:
            joints[v] = rng.uniform(-0.12, 0.12), middle.get(region, 0.5) + rng.uniform(-0.06, 0.06)
    return joints * 700 + np.float32(100)


LISTENER = """
import sys
from mar_edge import LabelSubscriber
with LabelSubscriber(sys.argv[1], timeout_s=30) as subscriber:
    ended = 0
    for message in subscriber:
        ended += message.kind == "end"
        if ended == int(sys.argv[2]):
            break
    print(subscriber.lost, subscriber.restarts, subscriber.malformed)
"""


class Box:
    """A number of streams at work. A context manager."""

    def __init__(self, recognizer: WindowRecognizer, streams: int) -> None:
        self.figures = [Figure(seed) for seed in range(streams)]
        self.recognizer = BatchingRecognizer(recognizer)
        self.heard = ""
        self.messages = 0
        self._stop: str | None = None
        self._socket = PublishSocket(("tcp://127.0.0.1:*",))
        self._loops = [self._loop(number, figure) for number, figure in enumerate(self.figures)]
        self._threads = [threading.Thread(target=loop.run) for loop in self._loops]

    def _loop(self, number: int, figure: Figure) -> StreamLoop:
        return StreamLoop(
            ServeConfig(camera="demo:", stream=f"s{number}"),
            stop=lambda: self._stop,
            source=figure,
            pose=None,
            pose_name="figure",
            recognizer=self.recognizer,
            output=StreamOutput(Publisher(f"s{number}", self._socket), self._socket, on_message=self._count),
        )

    def _count(self, _: AnyMessage) -> None:
        self.messages += 1

    def attend(self, seconds: float) -> None:
        """Let it work for a time."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            self._socket.poll()
            time.sleep(0.02)

    def __enter__(self) -> Box:
        self._listener = subprocess.Popen(
            [sys.executable, "-c", LISTENER, self._socket.endpoints[0], str(len(self.figures))],
            stdout=subprocess.PIPE,
            text=True,
        )
        while not self._socket.subscriptions:
            self.attend(0.05)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop = "measured"
        for thread in self._threads:
            thread.join()
        self.heard = self._listener.communicate()[0].strip()
        self._socket.__exit__(None, None, None)


def saturate(recognizer: WindowRecognizer, seconds: float) -> None:
    cores = len(os.sched_getaffinity(0))
    print(f"{'streams':>8}{'late p50 ms':>13}{'late p95 ms':>13}{'windows/s':>11}{'per batch':>11}{'cores busy':>12}")
    held, streams = 0, 1
    while streams <= MOST_STREAMS:
        with Box(recognizer, streams) as box:
            box.attend(3.0)  # windows fill
            for figure in box.figures:
                figure.late_s.clear()
            windows, batches, cpu_s = box.recognizer.windows, box.recognizer.batches, time.process_time()
            box.attend(seconds)
            late = np.concatenate([figure.late_s for figure in box.figures])
            windows, batches = box.recognizer.windows - windows, box.recognizer.batches - batches
            cpu = (time.process_time() - cpu_s) / seconds
        p50, p95 = np.percentile(late, (50, 95)) if len(late) else (np.inf, np.inf)
        print(
            f"{streams:>8}{p50 * 1000:>13.1f}{p95 * 1000:>13.1f}{windows / seconds:>11.1f}"
            f"{windows / max(batches, 1):>11.2f}{cpu:>12.2f}",
            flush=True,
        )
        if p95 > LATE_S:
            break
        held, streams = streams, streams * 2
    print(f"it held {held} streams on {cores} cores: {held / cores:.1f} a core")


def soak(recognizer: WindowRecognizer, streams: int, seconds: float, every_s: float) -> None:
    """Print memory and open files now and then, and what they did in the end."""
    samples: list[tuple[float, float, int]] = []
    start_s = time.monotonic()
    with Box(recognizer, streams) as box:
        while (elapsed_s := time.monotonic() - start_s) < seconds:
            samples.append((elapsed_s, (resident_bytes() or 0) / 1e6, len(os.listdir("/proc/self/fd"))))
            t_s, memory_mb, files = samples[-1]
            print(f"{t_s:8.0f} s  {memory_mb:8.2f} MB  {files:4d} files  {box.messages:9d} messages", flush=True)
            box.attend(min(every_s, seconds - elapsed_s))
    warm = np.array([sample for sample in samples if sample[0] >= WARM_UP_SHARE * seconds])
    slope = np.polyfit(warm[:, 0] / 3600, warm[:, 1], 1)[0] if len(warm) > 1 else float("nan")
    print(f"{streams} streams, {seconds:.0f} s, {box.messages} messages, {sum(f.frames for f in box.figures)} frames")
    print(f"memory {slope:+.2f} MB/h after the first {WARM_UP_SHARE:.0%}; files {warm[0, 2]:.0f} to {warm[-1, 2]:.0f}")
    print(f"subscriber: lost, restarts, malformed: {box.heard}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="model file; without it the one in the package")
    parser.add_argument("--threads", type=int, default=0, help="threads within one inference; 0 takes every core")
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds of each measurement")
    parser.add_argument("--soak", type=float, help="seconds of a soak, in place of the measurement")
    parser.add_argument("--streams", type=int, default=4, help="streams of the soak")
    parser.add_argument("--every-s", type=float, default=30.0, help="seconds between two lines of the soak")
    arguments = parser.parse_args()
    with WindowRecognizer.open(arguments.model, arguments.threads) as recognizer:
        if arguments.soak:
            soak(recognizer, arguments.streams, arguments.soak, arguments.every_s)
        else:
            saturate(recognizer, arguments.seconds)


if __name__ == "__main__":
    main()
