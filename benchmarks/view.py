"""Measure what the live page costs: draws and long tasks in the browser, and the server's CPU per page.

    python benchmarks/view.py [--seconds 20] [--people 2] [--pages 0,1,4] [--chromium /usr/bin/chromium]

One process sends synthetic people at 30 frames/s over ZeroMQ, with their true actions as labels and events. A second
one is ``mar-edge view``, and headless Chromium opens its page. Chromium's trace shows how often the canvas was drawn.
It also shows how long the tasks of the page's main thread took, by the clock and in CPU time. The server's CPU time is
that of its process, for each number of pages; the slope is the cost of one. Other load affects the draws and the tasks'
time by the clock.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton
from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.edge.layout import load_layout
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.message_builders import skeleton_messages
from mar_edge.streaming.wire.messages import (
    EventMessage,
    HelloMessage,
    LabelMessage,
    Latency,
    Quantiles,
    ScoredLabel,
    StatusMessage,
)
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher
from mar_edge.training.synth.events import TrueEvent
from mar_edge.training.synth.recording import record

FPS = 30.0
STRIDE = 6
WINDOW_S = 2.0
SEEN_LATE_S = 0.5
HEIGHT, WIDTH = 720, 440
# Recordings in which the whole figure is seen.
SEEDS = (28, 21, 10, 22)
NS = 1_000_000_000
PORT = 8951
LONG_MS = 50.0
CATEGORIES = ["blink.user_timing", "disabled-by-default-devtools.timeline"]
# In the trace, each clearing of the canvas, which begins each drawing of it.
MARK = """
const clear = CanvasRenderingContext2D.prototype.clearRect;
CanvasRenderingContext2D.prototype.clearRect = function (...box) { performance.mark("drawn"); clear.apply(this, box); };
"""


class Person:
    """One synthetic person among others: skeletons, and the labels and events of them."""

    def __init__(self, number: int) -> None:
        room = record(SEEDS[number], duration_s=60.0, fps=FPS)
        scale = HEIGHT / room.size[1]
        shift = WIDTH * (number + 0.5) - float(np.nanmedian(room.joints[:, :, 0])) * scale
        self.number = number
        self.frames = len(room.t)
        self._joints: NDArray[np.float32] = room.joints * np.float32(scale) + np.array([shift, 0], np.float32)
        self._scores, self._events = room.scores, room.events
        self._open: tuple[int, TrueEvent, int] | None = None

    def skeleton(self, at: int) -> Skeleton:
        return Skeleton(self._joints[at], self._scores[at], self.number)

    def doing(self, at: int) -> TrueEvent | None:
        t_s = at / FPS - SEEN_LATE_S
        return next((event for event in self._events if event.t_start <= t_s <= event.t_end), None)

    def label(self, at: int, t_ns: int) -> LabelMessage:
        done = self.doing(at)
        score = 0.62 + 0.3 * float(np.sin(at / FPS * 2)) ** 2
        others = [ma52_labels()[(at // 30 + k) % 52] for k in range(4)]
        guesses = [(background_label() if done is None else done.label, score)]
        guesses += [(other, (1 - score) / (k + 2)) for k, other in enumerate(others)]
        return LabelMessage(
            t_capture_ns=t_ns,
            person=self.number,
            top=tuple(ScoredLabel(label.id, label.name, label.body, round(value, 3)) for label, value in guesses),
            gated=False,
            t_start_ns=t_ns - round(WINDOW_S * NS),
            t_end_ns=t_ns,
            latency=Latency(20.0, 1.0, 9.0, 30.0),
        )

    def events(self, at: int, t_ns: int, event_id: int) -> Iterator[EventMessage]:
        done, was = self.doing(at), self._open
        seen_ns = t_ns - round(SEEN_LATE_S * NS)
        if was is not None and was[1] is not done:
            yield self._event(was, t_ns, seen_ns)
            self._open = was = None
        if done is not None:
            self._open = was or (event_id, done, seen_ns)
            yield self._event(self._open, t_ns, None)

    def _event(self, opened: tuple[int, TrueEvent, int], t_ns: int, end_ns: int | None) -> EventMessage:
        event_id, event, start_ns = opened
        return EventMessage(
            t_capture_ns=t_ns,
            event_id=event_id,
            person=self.number,
            label=event.label,
            phase="update" if end_ns is None else "end",
            t_start_ns=start_ns,
            t_end_ns=end_ns,
            score=0.8,
        )


def hello(people: int) -> HelloMessage:
    labels: tuple[Label, ...] = (*ma52_labels(), background_label())
    return HelloMessage(
        source=f"{people} synthetic people",
        size=(WIDTH * people, HEIGHT),
        fps=FPS,
        t_zero_ns=time.time_ns(),
        model="none: the truth",
        precision="fp32",
        layout="ma52",
        joints=load_layout("ma52").joints,
        labels=labels,
        background=len(labels) - 1,
        window_s=WINDOW_S,
        stride_s=STRIDE / FPS,
        on_thresholds=(*[0.5] * 52, None),
        off_thresholds=(*[0.3] * 52, None),
        pose="synthetic",
        runtime="none",
        versions={},
    )


def status(number: int, people: int, subscribers: int, events: int) -> StatusMessage:
    return StatusMessage(
        camera="live",
        fps_in=FPS,
        fps_out=FPS,
        frames=number,
        dropped=0,
        latency_ms={"total": Quantiles(30.0, 41.0, 48.0)},
        runtime="none",
        model="none: the truth",
        subscribers=subscribers,
        inferences=number // STRIDE,
        gated=0,
        invalid=0,
        resets=0,
        people=people,
        events=events,
        uptime_s=number / FPS,
    )


def send(address: str, people: int) -> None:
    """Send until killed."""
    room = [Person(number) for number in range(people)]
    image = np.zeros((0, 0, 3), np.uint8)
    with PublishSocket((address,)) as socket:
        publisher = Publisher("room", socket)
        publisher.publish(hello(people))
        start_ns, number = time.time_ns(), 0
        while True:
            t_ns = start_ns + round(number / FPS * NS)
            time.sleep(max((t_ns - time.time_ns()) / NS, 0.0))
            socket.poll()
            at = number % room[0].frames
            frame = Frame(number, t_ns, 0, number / FPS, image)
            for skeleton in skeleton_messages(frame, [person.skeleton(at) for person in room]):
                publisher.publish(skeleton)
            for person in room if number % STRIDE == 0 else ():
                publisher.publish(person.label(at, t_ns))
                for event in person.events(at, t_ns, number * people + person.number):
                    publisher.publish(event)
            if number % round(FPS) == 0:
                publisher.publish(status(number, people, socket.subscribers, publisher.sent["event"]))
            number += 1


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far; Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


def judged(events: list[dict[str, Any]], seconds: float) -> dict[str, float]:
    """Return of a Chromium trace: draws of the canvas per second, and the tasks of the page's main thread, in ms."""
    marks = [event for event in events if event["name"] == "drawn"]
    threads = {(mark["pid"], mark["tid"]) for mark in marks}
    tasks = [event for event in events if event["name"] == "RunTask" and (event["pid"], event["tid"]) in threads]
    by_clock = [task.get("dur", 0) / 1000 for task in tasks]
    of_cpu = [task.get("tdur", 0) / 1000 for task in tasks]
    return {
        "draws a second": len(marks) / seconds,
        "tasks": len(tasks),
        "longest task, ms": max(by_clock),
        f"tasks over {LONG_MS:.0f} ms": sum(each > LONG_MS for each in by_clock),
        "longest task, ms of CPU": max(of_cpu),
        f"tasks over {LONG_MS:.0f} ms of CPU": sum(each > LONG_MS for each in of_cpu),
        "CPU of the main thread, %": 100 * sum(of_cpu) / 1000 / seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--people", type=int, default=2)
    parser.add_argument("--pages", default="0,1,4", help="how many pages, one measurement each")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    parser.add_argument("--send", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.send:
        send(arguments.send, arguments.people)
        return
    from playwright.sync_api import sync_playwright

    address, place = f"ipc://{tempfile.mkdtemp()}/wire", f"127.0.0.1:{PORT}"
    sender = (sys.executable, __file__, "--send", address, "--people", str(arguments.people))
    server = (sys.executable, "-m", "mar_edge", "view", "--connect", address, "--bind", place, "--no-open")
    costs: dict[int, float] = {}
    with started(*sender), started(*server) as serving, sync_playwright() as playwright:
        wait_for(f"http://{place}/")
        chromium = playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
        for count in map(int, arguments.pages.split(",")):
            pages = [chromium.new_page(viewport={"width": 1280, "height": 800}) for _ in range(count)]
            for page in pages:
                page.add_init_script(MARK)
                page.goto(f"http://{place}/", timeout=0)
                page.wait_for_selector(".block", state="attached", timeout=0)
            if count == 1:
                chromium.start_tracing(page=pages[0], categories=CATEGORIES)
            before_s, start_s = cpu_s(serving.pid), time.monotonic()
            time.sleep(arguments.seconds)
            took_s = time.monotonic() - start_s
            costs[count] = 100 * (cpu_s(serving.pid) - before_s) / took_s
            print(f"{count} pages: the server takes {costs[count]:.1f} % of a core", flush=True)
            if count == 1:
                for name, value in judged(json.loads(chromium.stop_tracing())["traceEvents"], took_s).items():
                    print(f"  {name}: {value:.1f}", flush=True)
            for page in pages:
                page.close()
    if len(costs) > 1:
        slope = np.polyfit(list(costs), list(costs.values()), 1)[0]
        print(f"a page costs the server {slope:.2f} % of a core")


def wait_for(url: str) -> None:
    deadline_s = time.monotonic() + 120.0
    while time.monotonic() < deadline_s:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.1)
    raise SystemExit(f"nobody answers at {url}")


if __name__ == "__main__":
    main()
