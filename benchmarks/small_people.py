"""Count the people that the holistic stage finds in a large picture, by their number and height.

    python benchmarks/small_people.py [VIDEO...] [--people 1,2,4,8] [--heights 300,200,150] [--seconds 8]

People are cut from the demo's picture and from the first picture of each video, and copied into one of 1920x1080. Each
candidate runs without and with the search of parts of the picture. A cell has the people followed at the end, and the
time at which the last one was found. The milliseconds are the processor time of a frame at the end.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from unittest import mock

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.focus import Focus
from mar_edge.edge.pose.holistic import stage
from mar_edge.edge.pose.holistic.regions import Region
from mar_edge.streaming.capture.demo import DemoVideo

SIZE = (1920, 1080)
GRAY = 110
FPS = 30
_WIDEST = 0.85  # of the height
_TIMED = 30


@dataclass(frozen=True)
class Found:
    people: int
    last_s: float | None
    frame_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--people", default="1,2,4,8")
    parser.add_argument("--heights", default="300,200,150")
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    pictures = [DemoVideo().frame_at(0.0), *map(first_picture, arguments.videos)]
    counts = [int(count) for count in arguments.people.split(",")]
    print(f"| height | {' | '.join(f'{count} people' for count in counts)} |")
    print("|---" * (len(counts) + 1) + "|")
    for height in map(int, arguments.heights.split(",")):
        cells = []
        for count in counts:
            image = scene(pictures, count, height)
            with mock.patch.object(stage, "search_regions", whole_only):
                before = run(image, count, round(arguments.seconds * FPS))
            after = run(image, count, round(arguments.seconds * FPS))
            last = "-" if after.last_s is None else f"{after.last_s:.1f} s"
            cells.append(f"{before.people}, {after.people}; {last}; {before.frame_ms:.0f}, {after.frame_ms:.0f} ms")
        print(f"| {height} px | {' | '.join(cells)} |", flush=True)


def first_picture(path: Path) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="bgr24")


def scene(pictures: list[NDArray[np.uint8]], count: int, height: int) -> NDArray[np.uint8]:
    """Return a picture of ``count`` people in one or two rows, as even as fits, shifted up or down a little."""
    W, H = SIZE
    image = np.full((H, W, 3), GRAY, np.uint8)
    rows = 1 if count * height * _WIDEST <= W else 2
    columns = -(-count // rows)
    shifts = np.random.default_rng(0).integers(-40, 40, count)
    for index in range(count):
        picture = pictures[index % len(pictures)]
        width = min(round(height * picture.shape[1] / picture.shape[0]), round(height * _WIDEST))
        scaled = cv2.resize(
            picture, None, fx=height / len(picture), fy=height / len(picture), interpolation=cv2.INTER_AREA
        )
        left = (scaled.shape[1] - width) // 2
        row, column = divmod(index, columns)
        x = round((column + 0.5) * W / columns - width / 2)
        y = min(max(round((row + 0.5) * H / rows - height / 2) + int(shifts[index]), 0), H - len(scaled))
        image[y : y + len(scaled), x : x + width] = scaled[:, left : left + width]
    return image


def whole_only(width: int, height: int, detector_px: int) -> Iterator[Region]:
    return repeat(Region(width / 2, height / 2, max(width, height), 0.0))


def run(image: NDArray[np.uint8], count: int, frames: int) -> Found:
    seen, cpu_s = [], []
    with stage.HolisticPose(load_layout("ma52"), focus=Focus(count), threads=1) as pose:
        for frame in range(frames):
            start_s = time.process_time()
            seen.append(len(pose.estimate(image, frame / FPS)))
            cpu_s.append(time.process_time() - start_s)
    last_s = next((frame / FPS for frame, people in enumerate(seen) if people == count), None)
    return Found(seen[-1], last_s, float(np.mean(cpu_s[-_TIMED:])) * 1e3)


if __name__ == "__main__":
    main()
