"""Compare skeletons alone with skeletons and pictures, through ``serve``: latency, frames, memory, who said what.

    python benchmarks/pictures.py --pictures manet.onnx [--model mmn.onnx] [--camera clip.mp4] [--seconds 20]
        [--rounds 2] [-- OPTIONS OF SERVE]

Candidates are processes of ``mar-edge serve --realtime``, and they take turns: skeletons alone, both, pictures alone.
The video is repeated until it is long enough. Latencies are those of the messages: ``total`` from a frame to its
labels, ``infer`` of the model of skeletons, ``pictures`` of the model of pictures. Memory is the process's resident
memory at its end. Run it on an idle machine (the load is printed).
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from mar_edge import LabelSubscriber
from mar_edge.streaming.wire.answer_message import AnswerMessage
from mar_edge.streaming.wire.messages import LabelMessage, StatusMessage

FPS = 30
SHOWN = 6


@dataclass(frozen=True)
class Measured:
    """One run: the last status, all label messages and answers, and resident memory in MB at the end."""

    status: StatusMessage
    labels: list[LabelMessage]
    answers: list[AnswerMessage]
    memory_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="model of pictures")
    parser.add_argument("--model", type=Path, help="model of skeletons (default: the package's)")
    parser.add_argument("--camera", help="video (default: the demo's)")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("serve", nargs="*", help="further options of serve, after --")
    arguments = parser.parse_args()
    from mar_edge.edge.model_file import default_model_path

    skeletons = arguments.model or default_model_path()
    candidates = {"skeletons": [skeletons], "both": [skeletons, arguments.pictures], "pictures": [arguments.pictures]}
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        video = "demo:"
        if arguments.camera is not None:
            video = str(repeated(Path(arguments.camera), Path(folder) / "clip.mp4", arguments.seconds))
        options = ["--max-seconds", str(arguments.seconds), *arguments.serve]
        turns = [turn for _ in range(arguments.rounds) for turn in candidates.items()]
        runs = [(name, measured(video, models, options)) for name, models in turns]
    print("| models | frames | dropped | total p50, p95, ms | infer p50, ms | pictures p50, ms | answers | MB |")
    print("|---|---|---|---|---|---|---|---|")
    for name, run in runs:
        print(f"| {name} | {run.status.frames} | {run.status.dropped} | {figures(run)} |")
    said = next(run for name, run in runs if name == "both")
    for label in [label for label in said.labels if len(label.models) > 1][:SHOWN]:
        each = "; ".join(
            f"{one.family}, {one.age_ms:.0f} ms old: {one.top[0].name} {one.top[0].score:.2f}" for one in label.models
        )
        print(f"frame {label.frame}: {label.top[0].name} {label.top[0].score:.2f} ({each})")
    print("state of the model of pictures:", said.status.pictures)
    best = Counter(max(answer.scores.items(), key=lambda item: item[1])[0] for answer in said.answers)
    print("most probable by pictures:", best.most_common(3))


def figures(run: Measured) -> str:
    """Return the columns of latency, answers and memory."""
    latency = run.status.latency_ms
    total = np.percentile([label.latency.total_ms for label in run.labels] or [np.nan], (50, 95))
    infer, pictures = (f"{latency[name].p50:.1f}" if name in latency else "" for name in ("infer", "pictures"))
    return f"{total[0]:.0f}, {total[1]:.0f} | {infer} | {pictures} | {len(run.answers)} | {run.memory_mb:.0f}"


def repeated(clip: Path, path: Path, seconds: float) -> Path:
    """Write the clip's frames again and again, forward and backward, until they last ``seconds``."""
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    there_and_back = [*frames, *frames[::-1]]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS), options={"preset": "ultrafast"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for number in range(round(seconds * FPS)):
            frame = av.VideoFrame.from_ndarray(there_and_back[number % len(there_and_back)], "bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def measured(video: str, models: list[Path], options: list[str]) -> Measured:
    """Run ``serve`` on the video until its end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "mar_edge", "serve", "--realtime", "--camera", video, "--bind", address]
    command += ["--wait-subscribers", "1", *(text for model in models for text in ("--model", str(model))), *options]
    labels, answers, status, memory_mb = [], [], None, 0.0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    with LabelSubscriber(address, timeout_s=600, until_end=True) as messages:
        for message in messages:
            if isinstance(message, LabelMessage):
                labels.append(message)
            elif isinstance(message, AnswerMessage):
                answers.append(message)
            elif isinstance(message, StatusMessage):
                status, memory_mb = message, resident_mb(process.pid) or memory_mb
    process.wait()
    assert status is not None  # a stream begins and ends with one
    return Measured(status, labels, answers, memory_mb)


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process; 0 if it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
