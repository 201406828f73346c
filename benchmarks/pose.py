"""Times the top-down pose stage for 1, 2, 4 and 8 people, and the recogniser after it: medians.

    python benchmarks/pose.py [--pose NAME|FILE] [--detector NAME|FILE] [--image FILE] [--rounds 20]

Without ``--pose`` the network has random weights and about RTMPose-m's number of operations; without ``--detector``
none is timed. Boxes stand beside each other in the picture, so nothing depends on who is found. Where rtmlib is
installed it does the same beside ours. All take turns within every round, so that what else the machine does hits all
of them alike: read the ratios, not the milliseconds.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from edge.cli.posing import ModelFiles, PoseOptions, model_files
from edge.data import Window
from edge.pose.crops import cut, regions, to_picture
from edge.pose.detection import PersonDetector
from edge.pose.simcc import SimccNetwork
from edge.recognizer import Recognizer
from edge.runtime.onnxruntime import OnnxRuntime

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import pose_networks

PEOPLE = (1, 2, 4, 8)
WARM_UP_ROUNDS = 3
LIKE_RTMPOSE_M = 16


def main() -> None:
    parser = argparse.ArgumentParser(description="The pose stage for 1, 2, 4 and 8 people.")
    parser.add_argument("--pose")
    parser.add_argument("--detector")
    parser.add_argument("--image", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    image = picture(arguments.image)
    H, W, _ = image.shape
    print(f"{os.cpu_count()} cores; onnxruntime {ort.__version__}; picture {W}x{H}; load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.onnx"
        pose_networks.random_simcc(path, depth=LIKE_RTMPOSE_M)
        if arguments.pose or arguments.detector:
            files = model_files(PoseOptions(arguments.pose or str(path), arguments.detector))
            path = files.pose
            report_detector(files, image, arguments.rounds, arguments.threads)
        network = SimccNetwork(OnnxRuntime(path, arguments.threads))
        print(f"\npose {arguments.pose or 'random weights'}, {network.points} points, ms")
        columns = f"{'crop':>7} {'infer':>7} {'decode':>7} {'all':>7} {'each':>7} {'one by one':>11} {'rtmlib':>7}"
        print(f"{'people':>6} {columns}")
        for people in PEOPLE:
            report_pose(network, path, image, people, arguments.rounds)
        report_recognizer(arguments.rounds, arguments.threads)


def report_detector(files: ModelFiles, image: np.ndarray, rounds: int, threads: int) -> None:
    with PersonDetector(OnnxRuntime(files.detector, threads), files.family, files.detector_size) as detector:
        (ms,) = in_turns({"detect": lambda: detector.detect(image)}, rounds).values()
    print(f"\ndetector {files.detector.name}, {detector.size[0]}x{detector.size[1]}: {ms:.1f} ms, every fifth frame")


def report_pose(network: SimccNetwork, path: Path, image: np.ndarray, people: int, rounds: int) -> None:
    H, W, _ = image.shape
    left = np.linspace(0, W * (1 - 0.2), people)
    boxes = np.column_stack([left, np.full(people, 0.1 * H), left + 0.2 * W, np.full(people, 0.9 * H)]).astype(
        np.float32
    )
    stages: dict[str, list[float]] = {"crop": [], "infer": [], "decode": []}

    def ours(some: np.ndarray) -> None:
        start = time.perf_counter()
        places = regions(some, network.size)
        batch = network.batch(cut(image, places, network.size))
        cropped = time.perf_counter()
        vectors = network.infer(batch)
        inferred = time.perf_counter()
        points, _ = network.decode(*vectors)
        to_picture(points, places, network.size)
        if len(some) == people:
            for stage, ended, began in (
                ("crop", cropped, start),
                ("infer", inferred, cropped),
                ("decode", time.perf_counter(), inferred),
            ):
                stages[stage].append((ended - began) * 1e3)

    def one_by_one() -> None:
        for index in range(people):
            ours(boxes[index : index + 1])

    candidates: dict[str, Callable[[], object]] = {"together": lambda: ours(boxes)}
    if people > 1:
        candidates["one by one"] = one_by_one
    if importlib.util.find_spec("rtmlib"):
        from rtmlib import RTMPose

        with contextlib.redirect_stdout(io.StringIO()):
            peer = RTMPose(str(path), model_input_size=network.size)
        listed = [list(box) for box in boxes]
        candidates["rtmlib"] = lambda: peer(image, bboxes=listed)
    ms = in_turns(candidates, rounds)
    crop, infer, decode = (statistics.median(stages[name][WARM_UP_ROUNDS:]) for name in ("crop", "infer", "decode"))
    singly, rtmlib = (f"{ms[name]:.1f}" if name in ms else "" for name in ("one by one", "rtmlib"))
    print(
        f"{people:>6} {crop:>7.1f} {infer:>7.1f} {decode:>7.1f} {ms['together']:>7.1f} {ms['together'] / people:>7.1f} "
        f"{singly:>11} {rtmlib:>7}"
    )


def report_recognizer(rounds: int, threads: int) -> None:
    print(f"\nthe package's model, ms\n{'people':>6} {'together':>9} {'each':>7} {'one by one':>11}")
    rng = np.random.default_rng(0)
    with Recognizer.open(threads=threads) as recognizer:
        V = recognizer.layout.num_joints
        times_s = np.arange(60) / 30
        for people in PEOPLE:
            windows = [Window(rng.uniform(0, 500, (60, V, 2)).astype(np.float32), times_s, p) for p in range(people)]
            ms = in_turns(
                {
                    "together": lambda windows=windows: recognizer.predict(windows),
                    "one by one": lambda windows=windows: [recognizer.predict([window]) for window in windows],
                },
                rounds,
            )
            print(f"{people:>6} {ms['together']:>9.1f} {ms['together'] / people:>7.1f} {ms['one by one']:>11.1f}")


def in_turns(candidates: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each candidate, which take turns."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(WARM_UP_ROUNDS + rounds):
        # Another first each round: the threads of whoever ran before may still spin.
        names = list(candidates)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            run = candidates[name]
            start = time.perf_counter()
            run()
            if turn >= WARM_UP_ROUNDS:
                times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def picture(path: Path | None) -> np.ndarray:
    if path is None:
        return np.random.default_rng(0).integers(0, 255, (1080, 1920, 3), np.uint8)
    image = cv2.imread(str(path))
    if image is None:
        raise SystemExit(f"cannot read {path}")
    return image


if __name__ == "__main__":
    main()
