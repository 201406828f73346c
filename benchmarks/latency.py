"""Measure the time of recognition and pose: medians and their ratios, each candidate alone in its process.

    python benchmarks/latency.py [--rounds 30] [--passes 3] [--video FILE]

Recognition: one window. The candidates are:

- full-size MMN (ma52, random weights) as the PyTorch network;
- a plain export of it and the deploy graph, each on ONNX Runtime, and on OpenVINO if it is installed;
- the same on ONNX Runtime with threads that spin while they wait for each other. That is its default, and not ours;
- the model in the package.

Pose: each frame of a video, or of the built-in demo.

The threads of one library slow down those of another in the same process, so no two share one. The candidates take
turns pass by pass, so that other load affects all of them equally. Compare ratios rather than milliseconds, and not on
a busy machine (the load is printed).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

POSE_FRAMES = 60
WARM_UP_ROUNDS = 3
THREADS = os.cpu_count() or 1
DEPLOY, PLAIN = "deploy.onnx", "plain.onnx"
Run = Callable[[], object]


@dataclass(frozen=True)
class Measured:
    """Measurements of one process. torch_loaded: whether PyTorch was loaded."""

    process: int
    torch_loaded: bool
    times_ms: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description="Recognition and pose, each candidate in a process of its own.")
    parser.add_argument("--rounds", type=int, default=30, help="inferences per pass")
    parser.add_argument("--passes", type=int, default=3, help="processes of each candidate")
    parser.add_argument("--video", type=Path, help="video for the pose stage (default: the built-in demo)")
    parser.add_argument("--alone", metavar="CANDIDATE", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone is not None:
        measure_here(arguments.alone, arguments.folder, arguments.rounds, arguments.video)
        return
    print(f"{platform.processor() or platform.machine()}, {THREADS} cores; load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("exporting the full-size network twice ...", flush=True)
        measure("export", folder, 0)
        taken: dict[str, list[float]] = {candidate: [] for candidate in candidates()}
        for _, candidate in itertools.product(range(arguments.passes), taken):
            taken[candidate] += measure(candidate, folder, arguments.rounds).times_ms
        report("one window, batch 1", taken, baseline="PyTorch network")
        pose = measure("pose", folder, arguments.rounds, arguments.video).times_ms
    report(f"one frame of {arguments.video or 'the demo'}", {"holistic pose": pose}, baseline="holistic pose")


def candidates() -> dict[str, Callable[[Path], Run]]:
    """Return what is timed, by name: a function from the folder of exported files to one inference."""
    found: dict[str, Callable[[Path], Run]] = {
        "PyTorch network": in_torch,
        "plain export, ONNX Runtime": lambda folder: on_onnxruntime(folder / PLAIN),
        "deploy graph, ONNX Runtime": lambda folder: on_onnxruntime(folder / DEPLOY),
        "plain export, spinning": lambda folder: spinning(folder / PLAIN),
        "deploy graph, spinning": lambda folder: spinning(folder / DEPLOY),
    }
    if find_spec("openvino") is not None:
        found["plain export, OpenVINO"] = lambda folder: on_openvino(folder / PLAIN)
        found["deploy graph, OpenVINO"] = lambda folder: on_openvino(folder / DEPLOY)
    found["the package's model"] = lambda folder: on_onnxruntime(package_model())
    return found


def measure(candidate: str, folder: Path, rounds: int, video: Path | None = None) -> Measured:
    """Run one pass of a candidate, in a process with nothing else."""
    command = [sys.executable, __file__, "--alone", candidate, "--folder", str(folder), "--rounds", str(rounds)]
    command += ["--video", str(video)] if video else []
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def measure_here(candidate: str, folder: Path, rounds: int, video: Path | None) -> None:
    """Print the times of this process as JSON on the last line; ``measure`` starts this."""
    if candidate == "export":
        export(folder)
        times = []
    elif candidate == "pose":
        times = pose_times(video)
    else:
        times = times_ms(candidates()[candidate](folder), rounds)
    print(json.dumps({"process": os.getpid(), "torch_loaded": "torch" in sys.modules, "times_ms": times}))


def times_ms(run: Run, rounds: int) -> list[float]:
    times = []
    for turn in range(WARM_UP_ROUNDS + rounds):
        start = time.perf_counter()
        run()
        if turn >= WARM_UP_ROUNDS:
            times.append((time.perf_counter() - start) * 1e3)
    return times


def full_size() -> Any:
    """Return the network, with the same weights in every process."""
    import torch

    from mar_edge.edge.layout import load_layout
    from mar_edge.edge.network.mmn import MMN, MMNConfig

    torch.manual_seed(0)
    return MMN(MMNConfig(load_layout("ma52").num_joints, 52)).eval()


def windows(count: int, path: Path) -> dict[str, np.ndarray]:
    """Return inputs of a model file: skeletons for the deploy graph, the network's own input for the plain export."""
    from mar_edge.edge.layout import load_layout
    from mar_edge.edge.preprocess import WINDOW_FRAMES

    V = load_layout("ma52").num_joints
    random = np.random.default_rng(0)
    index_t = np.tile(np.linspace(-1, 1, WINDOW_FRAMES + 1, dtype=np.float32)[:-1], (count, 1))
    if path.name == PLAIN:
        return {"x": random.uniform(-1, 1, (count, 2, WINDOW_FRAMES, V, 1)).astype(np.float32), "index_t": index_t}
    skeleton = random.uniform(-1, 1, (count, WINDOW_FRAMES, V, 2)).astype(np.float32)
    return {"skeleton": skeleton, "index_t": index_t}


def export(folder: Path) -> None:
    import onnx
    import torch

    from mar_edge.edge.labels import default_labels
    from mar_edge.edge.layout import load_layout
    from mar_edge.edge.model_file import ModelMetadata
    from mar_edge.export.mmn import deployed_mmn
    from mar_edge.export.onnx_file import to_onnx, write_model

    network = full_size()
    metadata = ModelMetadata(
        name="benchmark", layout="ma52", streams=("joint",), encoding="raw", labels=default_labels("ma52", 52)
    )
    write_model(folder / DEPLOY, deployed_mmn([("joint", network)], load_layout("ma52"), metadata), metadata)
    inputs = windows(2, folder / PLAIN)
    example = tuple(torch.from_numpy(array) for array in inputs.values())
    onnx.save(to_onnx(network, example, list(inputs), ["logits"]), str(folder / PLAIN))


def in_torch(folder: Path) -> Run:
    import torch

    torch.set_num_threads(THREADS)
    network = full_size()
    x, index_t = (torch.from_numpy(array) for array in windows(1, folder / PLAIN).values())

    def run() -> object:
        with torch.inference_mode():
            return network(x, index_t)

    return run


def on_onnxruntime(path: Path) -> Run:
    from mar_edge.edge.runtime.onnxruntime import OnnxRuntime

    runtime, inputs = OnnxRuntime(path, THREADS), windows(1, path)
    return lambda: runtime.infer(inputs)


def on_openvino(path: Path) -> Run:
    from mar_edge.edge.runtime.openvino import OpenVino

    runtime, inputs = OpenVino(path, THREADS), windows(1, path)
    return lambda: runtime.infer(inputs)


def spinning(path: Path) -> Run:
    """Open the file with threads that spin within an inference, and not after it."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = windows(1, path)
    return lambda: session.run(None, inputs)


def package_model() -> Path:
    from mar_edge.edge.model_file import default_model_path

    return default_model_path()


def pose_times(video: Path | None) -> list[float]:
    from mar_edge.edge.layout import load_layout
    from mar_edge.edge.pose.holistic.stage import HolisticPose

    times = []
    with HolisticPose(load_layout("ma52")) as pose:
        for i, image in enumerate(itertools.islice(frames(video), POSE_FRAMES)):
            start = time.perf_counter()
            pose.estimate(image, i / 30)
            times.append((time.perf_counter() - start) * 1e3)
    return times[WARM_UP_ROUNDS:]


def frames(video: Path | None) -> Iterator[np.ndarray]:
    import cv2

    from mar_edge.streaming.capture.demo import DemoVideo

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
