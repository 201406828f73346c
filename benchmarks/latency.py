"""Times recognition and pose side by side, in one run: medians, and their ratios.

    python benchmarks/latency.py [--rounds 30] [--video FILE]

Recognition: one window, full-size MMN (ma52, random weights), as the PyTorch network, as a plain export of it on ONNX
Runtime, and as the deploy graph on ONNX Runtime; these two once more with threads that spin while they wait for each
other within an inference, as ONNX Runtime's do unless told otherwise and ours do not; and the model in the package.
Pose: each frame of a video, or of the built-in demo. The candidates take turns within every round, so that what else
the machine does hits all of them alike: read the ratios, not the milliseconds.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import torch
from edge.pose.mediapipe import MediaPipePose

from edge.demo import DemoVideo
from edge.labels import default_labels
from edge.layout import load_layout
from edge.mmn import MMN, MMNConfig
from edge.model_file import ModelMetadata, default_model_path
from edge.preprocess import WINDOW_FRAMES
from edge.runtime.onnxruntime import OnnxRuntime
from edge.streams import stream_input
from export.onnx_file import to_onnx, write_model

POSE_FRAMES = 60
WARM_UP_ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description="Recognition and pose, side by side.")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--video", type=Path, help="for the pose stage; without it the built-in demo")
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count() or 1)
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; torch {torch.__version__}, "
        f"onnxruntime {ort.__version__}; load {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory() as folder:
        times = time_in_turns(recognition(Path(folder)), arguments.rounds)
    report("one window, batch 1", times, baseline="PyTorch network")
    pose = pose_times(arguments.video)
    report(f"one frame of {arguments.video or 'the demo'}", {"MediaPipe pose": pose}, baseline="MediaPipe pose")


def recognition(folder: Path) -> dict[str, Callable[[], object]]:
    layout = load_layout("ma52")
    torch.manual_seed(0)
    network = MMN(MMNConfig(layout.num_joints, 52)).eval()
    skeleton = torch.rand(1, WINDOW_FRAMES, layout.num_joints, 2) * 2 - 1
    index_t = torch.linspace(-1, 1, WINDOW_FRAMES + 1)[None, :-1].contiguous()
    x = stream_input(skeleton, layout, "joint").contiguous()

    print("exporting the full-size network twice ...", flush=True)
    metadata = ModelMetadata(
        name="benchmark", layout="ma52", streams=("joint",), encoding="raw", labels=default_labels("ma52", 52)
    )
    write_model(folder / "deploy.onnx", [("joint", network)], layout, metadata)
    example = (x.expand(2, -1, -1, -1, -1).contiguous(), index_t.expand(2, -1).contiguous())
    onnx.save(to_onnx(network, example, ["x", "index_t"], ["logits"]), str(folder / "plain.onnx"))

    plain, deploy = OnnxRuntime(folder / "plain.onnx"), OnnxRuntime(folder / "deploy.onnx")
    default = OnnxRuntime(default_model_path())
    plain_inputs = {"x": x.numpy(), "index_t": index_t.numpy()}
    inputs = {"skeleton": skeleton.numpy(), "index_t": index_t.numpy()}

    def run_torch() -> object:
        with torch.inference_mode():
            return network(x, index_t)

    return {
        "PyTorch network": run_torch,
        "plain export, ONNX Runtime": lambda: plain.infer(plain_inputs),
        "deploy graph, ONNX Runtime": lambda: deploy.infer(inputs),
        "plain export, spinning": spinning(folder / "plain.onnx", plain_inputs),
        "deploy graph, spinning": spinning(folder / "deploy.onnx", inputs),
        "the package's model": lambda: default.infer(inputs),
    }


def spinning(path: Path, inputs: dict[str, np.ndarray]) -> Callable[[], object]:
    """The file with threads that spin within an inference; not after it, which would slow whoever has the next turn."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)


def time_in_turns(candidates: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each candidate, which take turns."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(WARM_UP_ROUNDS + rounds):
        for name, run in candidates.items():
            start = time.perf_counter()
            run()
            if turn >= WARM_UP_ROUNDS:
                times[name].append((time.perf_counter() - start) * 1e3)
    return times


def pose_times(video: Path | None) -> list[float]:
    times = []
    with MediaPipePose() as pose:
        for image in itertools.islice(frames(video), POSE_FRAMES):
            start = time.perf_counter()
            pose.estimate(image)
            times.append((time.perf_counter() - start) * 1e3)
    return times[WARM_UP_ROUNDS:]


def frames(video: Path | None) -> Iterator[np.ndarray]:
    if video is None:
        demo = DemoVideo()
        yield from (demo.frame_at(1 + i / demo.fps) for i in range(POSE_FRAMES))
        return
    capture = cv2.VideoCapture(str(video))
    while True:
        read, image = capture.read()
        if not read:
            return
        yield image


def report(title: str, times: dict[str, list[float]], baseline: str) -> None:
    reference = statistics.median(times[baseline])
    print(f"\n{title:<30} {'p50 ms':>8} {'p95 ms':>8} {'speed':>7}")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:<30} {median:>8.1f} {np.percentile(values, 95):>8.1f} {reference / median:>6.2f}x")


if __name__ == "__main__":
    main()
