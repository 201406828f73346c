"""Detections on a grid of anchors (Liu et al., "SSD", ECCV 2016), for the person and the face detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.pose.holistic.networks import sigmoid

MIN_SCORE = 0.5
_MERGE_IOU = 0.3


@dataclass(frozen=True)
class Detection:
    """A detection. score: in [0, 1]. box: (4,) xyxy and points: (K, 2), as fractions of the detector's picture."""

    score: float
    box: NDArray[np.float32]
    points: NDArray[np.float32]


def anchor_centers(grids: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """Return (A, 2) x and y as fractions of the picture, row by row.

    ``grids``: cells on a side and anchors in a cell, of each grid.
    """
    parts = []
    for cells, each in grids:
        middle = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(middle, middle)
        parts.append(np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), each, axis=0))
    centers: NDArray[np.float32] = np.concatenate(parts).astype(np.float32)
    return centers


def detections(
    rows: NDArray[np.float32], logits: NDArray[np.float32], anchors: NDArray[np.float32], size: int
) -> list[Detection]:
    """Return detections, best first, each the mean of those that overlap, weighted by score.

    Args:
        rows: (A, 4 + 2 K) center x, y, width, height, then points; px of the detector's picture, from the anchor.
        logits: (A,) of the scores; scores below ``MIN_SCORE`` are no detections.
        anchors: (A, 2), see ``anchor_centers``.
        size: width and height of the detector's picture, px.
    """
    scores = sigmoid(logits)
    likely = np.flatnonzero(scores >= MIN_SCORE)
    likely = likely[np.argsort(-scores[likely], kind="stable")]
    scores = scores[likely]
    if not len(likely):
        return []
    places = (rows[likely] / np.float32(size)).reshape(len(likely), -1, 2)
    places[:, 0] += anchors[likely]
    places[:, 2:] += anchors[likely, None]
    half = places[:, 1] / 2
    boxes = np.concatenate([places[:, 0] - half, places[:, 0] + half], axis=1)
    found = []
    left = np.ones(len(likely), bool)
    while left.any():
        best = int(left.argmax())
        merged = left & (_overlap(boxes[best], boxes) > _MERGE_IOU)
        merged[best] = True  # a box without area does not even overlap itself
        weights = scores[merged] / scores[merged].sum()
        box, points = weights @ boxes[merged], np.tensordot(weights, places[merged, 2:], axes=1)
        found.append(Detection(float(scores[best]), box.astype(np.float32), points.astype(np.float32)))
        left &= ~merged
    return found


def _overlap(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (N,) intersection over union of ``box`` (4,) with each of ``boxes`` (N, 4)."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    union = np.prod(box[2:] - box[:2]) + areas - shared
    return np.asarray(shared / np.maximum(union, 1e-12), np.float32)
