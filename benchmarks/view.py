"""What the live page costs: frames and long tasks in the browser, by its own trace, and the server's CPU per browser.

    python benchmarks/view.py [--seconds 20] [--people 2] [--browsers 0,1,4] [--chromium /usr/bin/chromium]

A process sends synthetic people at 30 frames a second over ZeroMQ, with labels and events as ``serve`` would; a second
one is ``mar-edge view``; headless Chromium opens its page. Chromium's trace tells how often the canvas was drawn and how
long the tasks of the page's main thread took. The server's CPU time is that of its process, for each number of pages; the
difference is what one costs. On a machine that does other things as well, read the ratios.
"""

from __future__ import annotations

import argparse
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

FPS = 30.0
STRIDE = 6
WINDOW_S = 2.0
PORT = 8951
# What a page's main thread does is one of these in Chromium's trace; longer than 50 ms is what W3C calls a long task.
_TASK = "RunTask"
_LONG_MS = 50.0


def send(address: str, people: int) -> None:
    """Send until killed: synthetic recordings side by side, over and over, their true actions as labels and events."""
    import numpy as np

    from edge.data import Skeleton
    from edge.labels import background_label, ma52_labels
    from edge.layout import load_layout
    from streaming.bus import Publisher
    from streaming.camera import Frame
    from streaming.messages import (
        EventMessage,
        HelloMessage,
        LabelMessage,
        Latency,
        Quantiles,
        ScoredLabel,
        StatusMessage,
    )
    from streaming.outlet import Outlet
    from streaming.reports import skeleton_messages
    from training.synth.recording import record

    labels, background = (*ma52_labels(), background_label()), background_label()
    rooms = [record(11 + person, duration_s=60.0, fps=FPS) for person in range(people)]
    height, width = 720, 440 * people
    places = []
    for person, room in enumerate(rooms):
        scale = height / room.size[1]
        middle = np.nanmedian(room.joints[:, :, 0]) * scale
        places.append(room.joints * scale + np.float32([440 * (person + 0.5) - middle, 0]))
    image = np.zeros((0, 0, 3), np.uint8)
    hello = HelloMessage(
        source="two synthetic people", size=(width, height), fps=FPS, t_zero_ns=time.time_ns(), model="none: the truth",
        precision="fp32", layout="ma52", joints=load_layout("ma52").joints, labels=labels, background=len(labels) - 1,
        window_s=WINDOW_S, stride_s=STRIDE / FPS, on_thresholds=(*[0.5] * 52, None), off_thresholds=(*[0.3] * 52, None),
        pose="synthetic", runtime="none", versions={},
    )  # fmt: skip
    with Outlet((address,)) as outlet:
        publisher = Publisher("room", outlet)
        publisher.publish(hello)
        start_ns, number, event_id = time.time_ns(), 0, 0
        opened: dict[int, tuple[int, ScoredLabel, int]] = {}
        while True:
            due_ns = start_ns + round(number / FPS * 1e9)
            time.sleep(max((due_ns - time.time_ns()) / 1e9, 0.0))
            outlet.poll()
            at = number % len(rooms[0].t)
            frame = Frame(number, due_ns, 0, number / FPS, image)
            found = [Skeleton(places[p][at], rooms[p].scores[at], p) for p in range(people)]
            for skeleton in skeleton_messages(frame, found):
                publisher.publish(skeleton)
            for person, room in enumerate(rooms) if number % STRIDE == 0 else ():
                t_s = at / FPS
                done = next((e for e in room.events if e.t_start + 0.5 <= t_s <= e.t_end + 0.5), None)
                label = background if done is None else done.label
                score = 0.62 + 0.3 * np.sin(t_s * 2) ** 2
                others = [labels[(number // 30 + k) % 52] for k in range(4)]
                top = [ScoredLabel(label.id, label.name, label.body, round(float(score), 3))]
                top += [
                    ScoredLabel(o.id, o.name, o.body, round(float((1 - score) / (k + 2)), 3))
                    for k, o in enumerate(others)
                ]
                publisher.publish(
                    LabelMessage(
                        frame=number, t_capture_ns=due_ns, person=person, top=tuple(top), gated=False,
                        t_start_ns=due_ns - round(WINDOW_S * 1e9), t_end_ns=due_ns, latency=Latency(20, 1, 9, 30),
                    )
                )  # fmt: skip
                now = opened.get(person)
                if now is not None and (done is None or now[1].id != label.id):
                    publisher.publish(_event(EventMessage, number, due_ns, person, now, due_ns - 500_000_000))
                    del opened[person]
                elif done is not None:
                    if now is None:
                        event_id += 1
                        opened[person] = (event_id, top[0], due_ns - 500_000_000)
                    publisher.publish(_event(EventMessage, number, due_ns, person, opened[person], None, now is None))
            if number % int(FPS) == 0:
                quantiles = Quantiles(30.0, 41.0, 48.0)
                publisher.publish(
                    StatusMessage(
                        frame=number, t_capture_ns=due_ns, camera="live", fps_in=FPS, fps_out=FPS, frames=number,
                        dropped=0, latency_ms={"total": quantiles}, runtime="none", model=hello.model,
                        subscribers=outlet.subscribers, inferences=number // STRIDE, gated=0, invalid=0, resets=0,
                        people=people, events=event_id, uptime_s=number / FPS,
                    )
                )  # fmt: skip
            number += 1


def _event(
    make: Any,
    frame: int,
    at_ns: int,
    person: int,
    opened: tuple[int, Any, int],
    end_ns: int | None,
    begins: bool = False,
) -> Any:
    from edge.labels import Label

    event_id, label, start_ns = opened
    return make(
        frame=frame, t_capture_ns=at_ns, event_id=event_id, person=person, score=label.score, t_start_ns=start_ns,
        label=Label(label.id, label.name, label.body), t_end_ns=end_ns,
        phase="begin" if begins else "update" if end_ns is None else "end",
    )  # fmt: skip


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
    """Of a Chromium trace: draws a second of the canvas, and the tasks of the page's main thread, in ms."""
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    marks = [e for e in events if e.get("cat") == "blink.user_timing" and e["name"] == "drawn"]
    pages = {(e["pid"], e["tid"]) for e in marks}
    assert all(names.get(page) == "CrRendererMain" for page in pages), names
    tasks = [e for e in events if e["name"] == _TASK and (e["pid"], e["tid"]) in pages]
    walls = sorted(e.get("dur", 0) / 1000 for e in tasks)
    busy = sorted(e.get("tdur", e.get("dur", 0)) / 1000 for e in tasks)
    return {
        "draws/s": len(marks) / seconds,
        "tasks": len(tasks),
        "longest ms": walls[-1],
        "over 50 ms": sum(each > _LONG_MS for each in walls),
        "longest CPU ms": busy[-1],
        "over 50 ms of CPU": sum(each > _LONG_MS for each in busy),
        "busy %": 100 * sum(busy) / 1000 / seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--people", type=int, default=2)
    parser.add_argument("--browsers", default="0,1,4", help="how many pages, one measurement each")
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    parser.add_argument("--send", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.send:
        send(arguments.send, arguments.people)
        return
    from playwright.sync_api import sync_playwright

    address = f"ipc://{tempfile.mkdtemp()}/wire"
    sender = (sys.executable, __file__, "--send", address, "--people", str(arguments.people))
    server = (
        sys.executable,
        "-m",
        "edge.cli",
        "view",
        "--connect",
        address,
        "--bind",
        f"127.0.0.1:{PORT}",
        "--no-open",
    )
    url = f"http://127.0.0.1:{PORT}/"
    with started(*sender), started(*server) as serving, sync_playwright() as playwright:
        _wait_for(url)
        chromium = playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox"])
        costs: dict[int, float] = {}
        for count in map(int, arguments.browsers.split(",")):
            pages = [chromium.new_page(viewport={"width": 1280, "height": 800}) for _ in range(count)]
            for page in pages:
                page.goto(url)
                page.wait_for_selector(".block", state="attached", timeout=60_000)
            if count == 1:
                chromium.start_tracing(page=pages[0], categories=["toplevel", "blink.user_timing", "devtools.timeline"])
            before, start_s = cpu_s(serving.pid), time.monotonic()
            time.sleep(arguments.seconds)
            took_s = time.monotonic() - start_s
            costs[count] = 100 * (cpu_s(serving.pid) - before) / took_s
            print(f"{count} pages: the server takes {costs[count]:.1f} % of a core", flush=True)
            if count == 1:
                trace = json.loads(chromium.stop_tracing())["traceEvents"]
                print(
                    *(f"  {name}: {value:.1f}" for name, value in judged(trace, took_s).items()), sep="\n", flush=True
                )
            for page in pages:
                page.close()
        most, least = max(costs), min(costs)
        if most > least:
            print(f"one page costs the server {(costs[most] - costs[least]) / (most - least):.2f} % of a core")


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nobody answers at {url}")


if __name__ == "__main__":
    main()
