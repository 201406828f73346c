"""Compare one camera of 1920x1080 at 30 frames/s with two, through ``serve``: dropped frames, latency, cores.

    python benchmarks/cameras.py [--cameras 1,2] [--rounds 2] [--seconds 20] [--video FILE] [-- OPTIONS OF SERVE]

Each candidate is a process of ``mar-edge serve --realtime``, with pose and recognition, and they take turns. Its
cameras play a video at its own pace, by default the demo's person in a picture of 1920x1080 (H.264). Latency is from
the moment that a frame is available to the publishing of its labels, without the first ``WARM_UP_S`` seconds. With the
defaults it takes three minutes. Run it on an idle machine (the load is printed).
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from mar_edge import LabelSubscriber
from mar_edge.streaming.capture.demo import DemoVideo
from mar_edge.streaming.wire.messages import EndMessage, LabelMessage

SIZE = (1920, 1080)
FPS = 30
WARM_UP_S = 4.0
_GRAY = 110


@dataclass(frozen=True)
class Measured:
    """One run. frames, dropped: of all cameras. totals_ms: latencies. cores: processor time per second of the video."""

    frames: int
    dropped: int
    totals_ms: list[float]
    cores: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", default="1,2", help="numbers of cameras to compare")
    parser.add_argument("--rounds", type=int, default=2, help="runs of each")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the video, if it is made here")
    parser.add_argument("--video", type=Path)
    parser.add_argument("serve", nargs="*", help="further options of serve, after --")
    arguments = parser.parse_args()
    counts = [int(count) for count in arguments.cameras.split(",")]
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        video = arguments.video or made_video(Path(folder) / "person.mp4", arguments.seconds)
        runs: dict[int, list[Measured]] = {count: [] for count in counts}
        for _ in range(arguments.rounds):
            for count in counts:
                runs[count].append(measured(count, video, arguments.serve))
    print("| cameras | frames | dropped | p50, ms | p95, ms | cores busy |")
    print("|---|---|---|---|---|---|")
    for count, of_count in runs.items():
        for run in of_count:
            p50, p95 = np.percentile(run.totals_ms, (50, 95)) if run.totals_ms else (np.nan, np.nan)
            print(f"| {count} | {run.frames} | {run.dropped} | {p50:.0f} | {p95:.0f} | {run.cores:.2f} |")


def made_video(path: Path, seconds: float) -> Path:
    """Write the demo's person, as tall as the picture, into a video of ``SIZE``."""
    demo, (W, H) = DemoVideo(), SIZE
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS), options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = W, H, "yuv420p"
        for number in range(round(seconds * FPS)):
            person = cv2.resize(demo.frame_at(number / FPS), None, fx=H / demo.size[1], fy=H / demo.size[1])
            image = np.full((H, W, 3), _GRAY, np.uint8)
            left = (W - person.shape[1]) // 2
            image[: len(person), left : left + person.shape[1]] = person
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
        container.mux(stream.encode())
    return path


def measured(cameras: int, video: Path, options: list[str]) -> Measured:
    """Run ``serve`` with ``cameras`` copies of the video until all have ended."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "mar_edge", "serve", "--realtime", "--wait-subscribers", "1", "--bind", address]
    for number in range(cameras):
        command += ["--camera", f"c{number}={video}"]
    totals_ms, ends, first_s = [], [], None
    before = processor_s()
    process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
    with LabelSubscriber(address, timeout_s=60) as messages:
        for message in messages:
            first_s = first_s or time.monotonic()
            if isinstance(message, LabelMessage) and time.monotonic() - first_s > WARM_UP_S:
                totals_ms.append(message.latency.total_ms)
            if isinstance(message, EndMessage):
                ends.append(message)
                if len(ends) == cameras:
                    break
    process.wait()
    frames, dropped = sum(end.frames for end in ends), sum(end.dropped for end in ends)
    video_s = (frames + dropped) / cameras / FPS
    return Measured(frames, dropped, totals_ms, (processor_s() - before) / video_s)


def processor_s() -> float:
    """Return the processor time of all child processes that have ended, with their start."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
