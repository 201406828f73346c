"""Augmentation of pictures, the same for all frames of a clip. numpy and OpenCV only.

As MANet's authors do: a random frame of each eighth, a crop of ten shapes at 13 places, or its mirror image. All draws
are from the given generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.pictures import SEGMENTS, SIDE

# Widths and heights of a crop, px of a frame whose shorter side is 256. The two are at most one step apart.
_SIDES = (256, 224, 192, 168)
_SHAPES = [(_SIDES[i], _SIDES[j]) for i, j in product(range(len(_SIDES)), repeat=2) if abs(i - j) <= 1]
# Places of a crop, in quarters of the room that it leaves to the right and below.
_PLACES = [(0, 0), (4, 0), (0, 4), (4, 4), (2, 2), (0, 2), (4, 2), (2, 4), (2, 0), (1, 1), (3, 1), (1, 3), (3, 3)]


@dataclass(frozen=True)
class Crop:
    """A part of a picture, px, and whether it is mirrored."""

    left: int
    top: int
    width: int
    height: int
    mirrored: bool

    def of(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the part of a picture (H, W, 3), scaled to (224, 224, 3) without keeping its aspect ratio."""
        part = picture[self.top : self.top + self.height, self.left : self.left + self.width]
        scaled = np.asarray(cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)
        return scaled[:, ::-1] if self.mirrored else scaled


def draw_indices(frames: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the (8,) numbers of the frames that represent a video of ``frames``: one of each eighth.

    Frames from 8 * floor(frames / 8) on are never drawn. Fewer than eight frames repeat themselves.
    """
    each = frames // SEGMENTS
    places = np.arange(SEGMENTS)
    if each:
        return places * each + rng.integers(0, each, SEGMENTS)
    evenly: NDArray[np.int64] = np.round(places * (frames / SEGMENTS)).astype(np.int64) % frames
    return evenly


def draw_crop(width: int, height: int, mirror: float, rng: np.random.Generator) -> Crop:
    """Draw a crop of a picture of this size, whose shorter side is 256 px.

    Args:
        mirror: probability of a mirror image.
    """
    crop_width, crop_height = _SHAPES[rng.integers(len(_SHAPES))]
    x, y = _PLACES[rng.integers(len(_PLACES))]
    left, top = x * ((width - crop_width) // 4), y * ((height - crop_height) // 4)
    return Crop(left, top, crop_width, crop_height, bool(rng.random() < mirror))
