"""Compare the holistic pose stage with MediaPipe's own, on the same pictures: places of joints, and cost.

    python benchmarks/pose_parity.py VIDEO... [--frames 100]

Needs mediapipe 0.10.21, which mar-edge itself does not. Each candidate runs alone in its process. Cost is processor
time of all threads per frame, as a ratio of MediaPipe's. Pictures are decoded once, by PyAV, and both see the same.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP_S = 0.033333  # what MediaPipe takes frames to be apart
PARTS = {"body": range(26), "face": range(26, 32), "left hand": range(32, 38), "right hand": range(38, 44)}
CANDIDATES = ("mediapipe", "holistic")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--alone", choices=CANDIDATES, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        np.savez(arguments.out, **run(arguments.alone, arguments.videos[0], arguments.frames))
        return
    heads = [f"{part} px" for part in PARTS]
    print(f"| video | frames | {' | '.join(heads)} | seen by one alone | processor time |")
    print("|---" * (len(heads) + 4) + "|")
    for video in arguments.videos:
        with tempfile.TemporaryDirectory() as folder:
            theirs, ours = (measured(name, video, arguments.frames, Path(folder)) for name in CANDIDATES)
        print(row(video.stem, theirs, ours), flush=True)


def measured(name: str, video: Path, frames: int, folder: Path) -> dict[str, NDArray[Any]]:
    out = folder / f"{name}.npz"
    command = [sys.executable, __file__, str(video), "--frames", str(frames), "--alone", name, "--out", str(out)]
    subprocess.run(command, check=True)
    with np.load(out) as file:
        return dict(file)


def run(name: str, video: Path, frames: int) -> dict[str, NDArray[Any]]:
    import av

    from mar_edge.edge.layout import load_layout

    with av.open(str(video)) as container:
        pictures = [frame.to_ndarray(format="bgr24") for frame in islice(container.decode(video=0), frames)]
    if name == "mediapipe":
        sys.path.insert(0, str(Path(__file__).parent))
        from mediapipe_pose import MediaPipePose

        opened: Any = MediaPipePose(min_score=0.0)
    else:
        from mar_edge.edge.pose.holistic.stage import HolisticPose

        opened = HolisticPose(load_layout("ma52"), min_score=0.0)
    joints = np.full((len(pictures), 44, 2), np.nan, np.float32)
    with opened as pose:
        start_s = time.process_time()
        for i, picture in enumerate(pictures):
            for person in pose.estimate(picture, i * STEP_S):
                joints[i] = person.joints
        cpu_s = time.process_time() - start_s
    return {"joints": joints, "cpu_s": np.array(cpu_s)}


def row(name: str, theirs: dict[str, NDArray[Any]], ours: dict[str, NDArray[Any]]) -> str:
    apart = np.linalg.norm(ours["joints"] - theirs["joints"], axis=-1)  # (T, 44), NaN where one has none
    cells = []
    for part in PARTS.values():
        values = apart[:, part][np.isfinite(apart[:, part])]
        cells.append(f"{np.median(values):.2f} / {np.percentile(values, 95):.2f}" if len(values) else "-")
    alone = (np.isfinite(ours["joints"]) != np.isfinite(theirs["joints"])).any(axis=-1).mean()
    ratio = float(ours["cpu_s"] / theirs["cpu_s"])
    return f"| {name} | {len(apart)} | {' | '.join(cells)} | {100 * alone:.1f} % | {ratio:.2f} |"


if __name__ == "__main__":
    main()
