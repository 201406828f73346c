"""From a picture and boxes to a network's input, and back. Pure functions; knows no network and no joints.

A region is (center x, center y, width, height) in pixels of the picture: a person's box, padded to the input's aspect
ratio. It is mapped onto the input linearly, as in the models' training (Jiang et al., *RTMPose*, 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

PADDING = 1.25


@dataclass(frozen=True)
class Colors:
    """Color normalization of a network. ``mean``, ``std``: of the channels, in the order of its input."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    rgb: bool

    def tables(self) -> list[NDArray[np.float32]]:
        """Return for each channel of the input (256,) float32: the normalized value of each byte."""
        return [
            ((np.arange(256) - mean) / std).astype(np.float32) for mean, std in zip(self.mean, self.std, strict=True)
        ]


IMAGENET_RGB = Colors((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), rgb=True)
IMAGENET_BGR = Colors((103.53, 116.28, 123.675), (57.375, 57.12, 58.395), rgb=False)
BYTES_BGR = Colors((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), rgb=False)


def regions(boxes: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Pad boxes (P, 4) xyxy px to regions (P, 4) with the aspect ratio of ``size`` (width, height)."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    extent = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0) * PADDING
    aspect = size[0] / size[1]
    width = np.maximum(extent[:, 0], extent[:, 1] * aspect)
    return np.column_stack([center, width, width / aspect]).astype(np.float32)


def cut(image: NDArray[np.uint8], places: NDArray[np.float32], size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Cut each region of ``image`` (H, W, 3) to ``size`` (width, height), black outside the picture."""
    crops = []
    for x, y, width, height in places.tolist():
        sx, sy = size[0] / width, size[1] / height
        matrix = np.array([[sx, 0.0, size[0] / 2 - sx * x], [0.0, sy, size[1] / 2 - sy * y]])
        crops.append(np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR), np.uint8))
    return crops


def normalized(crops: list[NDArray[np.uint8]], tables: list[NDArray[np.float32]], *, rgb: bool) -> NDArray[np.float32]:
    """Convert BGR pictures of one size (P, H, W, 3) to (P, 3, H, W) float32 by ``tables`` (see ``Colors``)."""
    H, W, _ = crops[0].shape
    batch = np.empty((len(crops), 3, H, W), np.float32)
    for crop, planes in zip(crops, batch, strict=True):
        for channel, plane in enumerate(cv2.split(crop)):
            target = 2 - channel if rgb else channel
            cv2.LUT(plane, tables[target], planes[target])
    return batch


def to_picture(points: NDArray[np.float32], places: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Map points (P, K, 2) from pixels of their crops to pixels of the picture."""
    scale = places[:, None, 2:] / np.array(size, np.float32)
    moved: NDArray[np.float32] = (points * scale + places[:, None, :2] - places[:, None, 2:] / 2).astype(np.float32)
    return moved
