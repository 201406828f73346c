"""Keypoints of people as a pose model gives them: boxes around them, and similarity of two people.

A keypoint is (x px, y px, score in [0, 1]); keypoints 0 to 16 are COCO's in every model this package knows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BODY = 17
# Deviation between people who label keypoints, as a fraction of the square root of the area (COCO's evaluation). The
# order is nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles.
_HEAD, _ARMS, _LEGS = (0.026, 0.025, 0.025, 0.035, 0.035), (0.079, 0.072, 0.062), (0.107, 0.087, 0.089)
_SIGMAS = np.array((*_HEAD, *np.repeat(_ARMS, 2), *np.repeat(_LEGS, 2)), np.float32)
_LEAST_COMMON = 3
# Crown, fingers and soles are beyond the outermost keypoints.
_MARGIN = 0.08


def box_of(keypoints: NDArray[np.float32], min_score: float) -> NDArray[np.float32] | None:
    """Return the box (4,) xyxy around keypoints (K, 3) that score ``min_score``, with a margin; None below three."""
    seen = keypoints[keypoints[:, 2] >= min_score, :2]
    if len(seen) < _LEAST_COMMON:
        return None
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = _MARGIN * max(float((high - low).max()), 1.0)
    box: NDArray[np.float32] = np.concatenate([low - margin, high + margin]).astype(np.float32)
    return box


def iou(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return intersection over union (A, B) of boxes (A, 4) and (B, 4) xyxy."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=-1)
    union = area(boxes)[:, None] + area(others)[None] - common
    overlap: NDArray[np.float32] = (common / np.maximum(union, 1e-6)).astype(np.float32)
    return overlap


def area(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the areas (P,) px² of boxes (P, 4) xyxy."""
    sides: NDArray[np.float32] = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=-1)
    return sides


def oks(
    people: NDArray[np.float32], others: NDArray[np.float32], areas: NDArray[np.float32], min_score: float
) -> NDArray[np.float32]:
    """Return object keypoint similarity of bodies (A, 17, 3) and (B, 17, 3): 1 where they coincide.

    Args:
        people, others: keypoints; a pair with fewer than three in common counts as 0.
        areas: (A,) px² of ``people``'s boxes: the scale of distances.
        min_score: keypoints below it do not count.

    Returns:
        (A, B) float32 in [0, 1].
    """
    seen = (people[:, None, :, 2] >= min_score) & (others[None, :, :, 2] >= min_score)  # (A, B, 17)
    distance2 = np.square(people[:, None, :, :2] - others[None, :, :, :2]).sum(axis=-1)
    alike = np.exp(-distance2 / (8 * np.maximum(areas, 1.0)[:, None, None] * _SIGMAS**2))
    common = seen.sum(axis=-1)
    mean = np.where(seen, alike, 0.0).sum(axis=-1) / np.maximum(common, 1)
    return np.where(common >= _LEAST_COMMON, mean, 0.0).astype(np.float32)
