"""Compare the top-down pose stage with rtmlib, on the same files and picture: medians and their ratios.

    python benchmarks/pose.py --detector rtmdet:FILE [--pose FILE] [--image FILE] [--rounds 20] [--threads 0]

Without ``--pose`` the network has random weights and about RTMPose-m's number of operations. Compared are rtmlib as it
is (its ONNX Runtime threads spin) and rtmlib with our sessions, which leaves the difference of the code around them.
All take turns within every round, and another one begins each round, so that other load affects all of them equally.
Compare ratios rather than milliseconds. For the cost of each of our stages: ``mar-edge bench --pose``.
"""

from __future__ import annotations

import argparse
import contextlib
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
from rtmlib import RTMDet, RTMPose

from mar_edge.cli.pose_timing import Crowd, side_by_side
from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.choice import PoseConfig, model_files
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import pose_networks

PEOPLE = (1, 2, 4, 8)
WARM_UP_ROUNDS = 3
LIKE_RTMPOSE_M = 16


class OurSession:
    """Session as rtmlib uses it, on our runtime."""

    def __init__(self, runtime: OnnxRuntime, theirs: ort.InferenceSession) -> None:
        self._runtime = runtime
        self.get_inputs, self.get_outputs = theirs.get_inputs, theirs.get_outputs

    def run(self, names: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        outputs = self._runtime.infer(inputs)
        return [outputs[name] for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pose")
    parser.add_argument("--detector", required=True)
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
        files = model_files(PoseConfig(arguments.pose or str(path), arguments.detector))
        pose, detector = OnnxRuntime(files.pose, arguments.threads), OnnxRuntime(files.detector, arguments.threads)
        layout = load_layout("ma52")

        def crowd(people: int) -> Crowd:
            return Crowd(
                pose,
                detector,
                family=files.family,
                detector_size=files.detector_size,
                layout=layout,
                people=people,
            )

        print(f"{'':>12}{'ours ms':>10}{'rtmlib':>10}{'our sessions':>14}{'ours of rtmlib':>16}{'of our sessions':>17}")
        if files.family == "rtmdet":
            report("detection", in_turns(*detection(crowd(1), files.detector, detector, image), arguments.rounds))
        for people in PEOPLE:
            report(f"{people} people", in_turns(*poses(crowd(people), files.pose, pose, image), arguments.rounds))


Candidates = tuple[dict[str, Callable[[], object]], Callable[[], float]]


def detection(crowd: Crowd, path: Path, runtime: OnnxRuntime, image: np.ndarray) -> Candidates:
    size = runtime.input_shapes[next(iter(runtime.input_shapes))][3] or 320
    theirs, borrowed = (quietly(lambda: RTMDet(str(path), model_input_size=(size, size))) for _ in range(2))
    borrowed.session = OurSession(runtime, borrowed.session)
    candidates = {
        "ours": lambda: crowd.look(image),
        "rtmlib": lambda: theirs(image),
        "sessions": lambda: borrowed(image),
    }
    return candidates, lambda: sum(crowd.stages_s[-1][stage] for stage in ("resize", "detect"))


def poses(crowd: Crowd, path: Path, runtime: OnnxRuntime, image: np.ndarray) -> Candidates:
    _, _, H, W = runtime.input_shapes[next(iter(runtime.input_shapes))]
    theirs, borrowed = (quietly(lambda: RTMPose(str(path), model_input_size=(W, H))) for _ in range(2))
    borrowed.session = OurSession(runtime, borrowed.session)
    boxes = side_by_side(crowd.people, image.shape[1], image.shape[0]).tolist()
    candidates = {
        "ours": lambda: crowd.look(image),
        "rtmlib": lambda: theirs(image, bboxes=boxes),
        "sessions": lambda: borrowed(image, bboxes=boxes),
    }
    return candidates, lambda: sum(crowd.stages_s[-1][stage] for stage in ("crop", "network", "decode"))


def in_turns(
    candidates: dict[str, Callable[[], object]], of_ours_s: Callable[[], float], rounds: int
) -> dict[str, float]:
    """Return median milliseconds; of ours, the stages that the others have too."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    names = list(candidates)
    for turn in range(WARM_UP_ROUNDS + rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start_s = time.perf_counter()
            candidates[name]()
            taken_s = of_ours_s() if name == "ours" else time.perf_counter() - start_s
            if turn >= WARM_UP_ROUNDS:
                times[name].append(taken_s * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def report(what: str, ms: dict[str, float]) -> None:
    ours, theirs, borrowed = ms["ours"], ms["rtmlib"], ms["sessions"]
    print(
        f"{what:>12}{ours:>10.1f}{theirs:>10.1f}{borrowed:>14.1f}{ours / theirs:>16.2f}{ours / borrowed:>17.2f}",
        flush=True,
    )


def quietly(make: Callable[[], object]) -> object:
    with contextlib.redirect_stdout(io.StringIO()):
        return make()


def picture(path: Path | None) -> np.ndarray:
    if path is None:
        return np.random.default_rng(0).integers(0, 255, (1080, 1920, 3), np.uint8)
    image = cv2.imread(str(path))
    if image is None:
        raise SystemExit(f"cannot read {path}")
    return image


if __name__ == "__main__":
    main()
