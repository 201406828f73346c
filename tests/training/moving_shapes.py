"""Videos of a shape that moves, in MA-52's form. Their labels are directions: no single frame tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

LABELS = "id,action,body\n8,turning head,head\n9,nodding,head\n"
RIGHT, LEFT = 8, 9
SIZE = (72, 56)


def moving(label: int, seed: int, frames: int = 16) -> list[NDArray[np.uint8]]:
    """Return BGR frames (56, 72, 3): a square that moves to one side, through half of the picture or more."""
    rng = np.random.default_rng([seed, label])
    background = rng.integers(0, 60, (SIZE[1], SIZE[0], 3), np.uint8)
    color = rng.integers(150, 255, 3).tolist()
    side, y = int(rng.integers(14, 20)), int(rng.integers(4, 34))
    room = SIZE[0] - side - 4
    begin, end = 2 + rng.uniform(0, 0.25) * room, 2 + rng.uniform(0.75, 1) * room
    places = np.linspace(begin, end, frames).round().astype(int)
    if label == LEFT:
        places = places[::-1]
    film = []
    for x in places.tolist():
        frame = background.copy()
        cv2.rectangle(frame, (x, y), (x + side, y + side), color, -1)
        film.append(frame)
    return film


def write_video(path: Path, film: Sequence[NDArray[np.uint8]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    H, W, _ = film[0].shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (W, H))
    assert writer.isOpened()
    for frame in film:
        writer.write(frame)
    writer.release()


def write_split(folder: Path, split: str, each: int, *, seed: int = 0) -> Path:
    """Write ``each`` videos of both labels and their list, as MA-52 is released; return the list."""
    lines = []
    for i in range(each):
        for label in (RIGHT, LEFT):
            name = f"{split}/{split}{i:03}_{label}.avi"
            write_video(folder / name, moving(label, 1000 * seed + i))
            lines.append(f"{name} {label}")
    listed = folder / f"{split}_list_videos.txt"
    listed.write_text("\n".join(lines) + "\n")
    (folder / "labels.csv").write_text(LABELS)
    return listed
