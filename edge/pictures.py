"""From the frames of a video to MANet's input. numpy and OpenCV, pure functions; knows no files and no network.

Frames are RGB, uint8, (H, W, 3). So is the input: the model file normalizes. Formulas: the test-time pipeline of the
authors. The whole picture is used: no person is looked for, and what lies outside the square in its middle is cut off.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError

SEGMENTS = 8
"""Frames of a clip."""
SIDE = 224
"""Width and height of an input frame, px."""
SHORT_SIDE = 256
"""Shorter side of a resized frame, before ``SIDE`` x ``SIDE`` are cut from its middle, px."""


def chosen(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return the (8, 224, 224, 3) clip that represents all pictures of a video, each made by ``small``.

    Raises:
        MarEdgeError: there is no picture.
    """
    return np.stack([pictures[i] for i in test_indices(len(pictures))])


def small(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what the network sees of a frame (H, W, 3): (224, 224, 3), the middle of it.

    Raises:
        MarEdgeError: it is not (H, W, 3) uint8, or is empty.
    """
    return center_crop(resized(frame))


def test_indices(frames: int) -> NDArray[np.int64]:
    """Return the (8,) numbers of the frames that represent a video: the middle of each eighth.

    Fewer than eight frames repeat themselves.

    Raises:
        MarEdgeError: there is no frame.
    """
    if frames < 1:
        raise MarEdgeError("the video holds no frame; expected one or more")
    indices: NDArray[np.int64] = np.floor((np.arange(SEGMENTS) + 0.5) * (frames / SEGMENTS)).astype(np.int64)
    return indices


def resized(picture: NDArray[np.uint8], short_side: int = SHORT_SIDE) -> NDArray[np.uint8]:
    """Scale (H, W, 3), with its aspect ratio, until its shorter side is ``short_side`` px. Small pictures are enlarged.

    Raises:
        MarEdgeError: the picture is not (H, W, 3) uint8, or is empty.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or 0 in picture.shape:
        raise MarEdgeError(f"a picture is (H, W, 3) uint8, this one is {picture.shape} {picture.dtype}")
    H, W, _ = picture.shape
    scale = short_side / min(H, W)
    size = (int(W * scale + 0.5), int(H * scale + 0.5))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def center_crop(picture: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """Return the (side, side, 3) middle of (H, W, 3), both sides of which are at least ``side``: a view, no copy."""
    H, W, _ = picture.shape
    top, left = (H - side) // 2, (W - side) // 2
    return picture[top : top + side, left : left + side]
