"""From a pose model's keypoints to a layout. Index tables and arithmetic; knows no pose library.

Every function takes arrays with any leading dimensions (frames, people). Each keypoint is (x px, y px, score in
[0, 1]), with NaN or score 0 where the model saw none. Functions return joints (..., 44, 2) float32, NaN where missing,
and scores (..., 44) float32, 0 where missing.

The synthesizer in ``training`` uses the same functions, so the network gets in use what it got in training. ``imigue``
is a subset of ``ma52``; ``mapping_to`` chooses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import Layout, load_layout

MA52_JOINTS = 44
HEAD_TOP, NECK, HIP_CENTER = 17, 18, 19
_LEFT_EAR, _RIGHT_EAR = 3, 4
_HANDS = slice(32, 44)

# Distance of the crown from the neck (mid-shoulders), in that of the ears. In standing anthropometry the ear canal is
# about 0.2 m above the shoulder line, and the crown 0.13 m above the ear.
CROWN_FROM_NECK = 1.65

# Keypoints of the 68-point face and the 21-point hand that are in ma52.
_FACE68 = (28, 33, 36, 45, 51, 57)
_HAND21 = (0, 4, 8, 12, 16, 20)

_HALPE136 = (
    *range(26),
    *(26 + i for i in _FACE68),
    *(94 + i for i in _HAND21),
    *(115 + i for i in _HAND21),
)
_COCO133_FEET = (17, 20, 18, 21, 19, 22)
_COCO133 = (
    *range(17),
    *(-1, -1, -1),
    *_COCO133_FEET,
    *(23 + i for i in _FACE68),
    *(91 + i for i in _HAND21),
    *(112 + i for i in _HAND21),
)

# MediaPipe's 33 body keypoints (BlazePose) for ma52 0-16.
_BLAZE_COCO17 = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
# Heel and foot index. The small toe has no keypoint of its own and takes the foot index.
_BLAZE_FEET = (31, 32, 31, 32, 29, 30)
_BLAZE_INNER_EYES = (1, 4)
_BLAZE_MOUTH = (9, 10)
_BLAZE_NOSE, _BLAZE_RIGHT_EYE_OUTER, _BLAZE_LEFT_EYE_OUTER = 0, 6, 3
# Wrist, thumb, index, little finger of either hand.
_BLAZE_HANDS = ((15, 21, 19, 17), (16, 22, 20, 18))

# Smallest fraction of joints that a pose model must fill. A missing joint lies on its parent and does not move; the
# network was not trained with more joints missing.
_LEAST_FILLED = 0.7

# Keypoints of MediaPipe's 468-point face mesh for ma52 26-31: nose bridge, nose base, outer corners of the right and
# left eye, upper-lip top, lower-lip bottom.
FACE_MESH_POINTS = (197, 2, 33, 263, 0, 17)


def halpe136_to_ma52(keypoints: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Map Halpe full-body keypoints (..., 136, 3); a subset, nothing is derived."""
    points = _checked(keypoints, 136, "Halpe-136")
    return _split(points[..., _HALPE136, :])


def coco133_to_ma52(keypoints: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Map COCO-WholeBody keypoints (..., 133, 3); head top, neck and hip center are derived."""
    points = _checked(keypoints, 133, "COCO-WholeBody-133")
    out = points[..., _COCO133, :]
    _derive_midline(out)
    return _split(out)


def halpe26_to_ma52(keypoints: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Map Halpe body-and-feet keypoints (..., 26, 3): no fingers and no mouth; the face follows from nose and eyes."""
    points = _checked(keypoints, 26, "Halpe-26")
    out = np.full((*points.shape[:-2], MA52_JOINTS, 3), np.nan, np.float32)
    out[..., :26, :] = points
    out[..., 26, :] = _mean(points[..., (1, 2), :])
    out[..., (27, 28, 29), :] = points[..., (0, 2, 1), :]
    out[..., (32, 38), :] = points[..., (9, 10), :]
    return _split(out)


Mapping = Callable[[ArrayLike], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Keypoints (..., K, 3) -> joints (..., V, 2) and scores (..., V)."""

_TO_MA52: dict[int, Mapping] = {26: halpe26_to_ma52, 133: coco133_to_ma52, 136: halpe136_to_ma52}


def mapping_to(layout: Layout, points: int) -> Mapping:
    """Return the mapping of a whole-body model with ``points`` keypoints to ``layout``.

    Raises:
        MarEdgeError: no known model has that number of keypoints, or too much of the layout stays empty.
    """
    if points not in _TO_MA52:
        raise MarEdgeError(
            f"a pose model of {points} keypoints; known are those of 133 (COCO-WholeBody), 136 and 26 (Halpe): "
            "others lack feet, face or hands"
        )
    to_ma52 = _TO_MA52[points]
    ma52 = load_layout("ma52").joints
    # Joints of ``imigue`` have the same names in ``ma52``.
    chosen = np.array([ma52.index(name) for name in layout.joints])

    def fill(keypoints: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        joints, scores = to_ma52(keypoints)
        return joints[..., chosen, :], scores[..., chosen]

    _, filled = fill(np.ones((points, 3), np.float32))
    if np.count_nonzero(filled) < _LEAST_FILLED * layout.num_joints:
        missing = ", ".join(name for name, there in zip(layout.joints, filled, strict=True) if not there)
        raise MarEdgeError(
            f"a pose model of {points} keypoints cannot fill the layout {layout.name}: it has no {missing}; "
            "take one of 133 keypoints (rtmw-m)"
        )
    return fill


def mediapipe_to_ma52(
    body: ArrayLike,
    left_hand: ArrayLike | None = None,
    right_hand: ArrayLike | None = None,
    face: ArrayLike | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Map MediaPipe holistic: 33 keypoints of the body, 21 of each hand, and six of the face mesh.

    Args:
        body: (..., 33, 3) BlazePose keypoints.
        left_hand, right_hand: (..., 21, 3), the person's own left and right. Where a hand is missing, its wrist
            and fingertips come from the body's wrist, thumb, index and little-finger keypoints.
        face: (..., 6, 3) ``FACE_MESH_POINTS`` of the mesh. Where missing, the nearest body keypoints.
    """
    points = _checked(body, 33, "MediaPipe body")
    out = np.full((*points.shape[:-2], MA52_JOINTS, 3), np.nan, np.float32)
    out[..., :17, :] = points[..., _BLAZE_COCO17, :]
    _derive_midline(out)
    out[..., 20:26, :] = points[..., _BLAZE_FEET, :]

    mouth = _mean(points[..., _BLAZE_MOUTH, :])
    out[..., 26, :] = _mean(points[..., _BLAZE_INNER_EYES, :])
    out[..., 27, :] = points[..., _BLAZE_NOSE, :]
    out[..., 28, :] = points[..., _BLAZE_RIGHT_EYE_OUTER, :]
    out[..., 29, :] = points[..., _BLAZE_LEFT_EYE_OUTER, :]
    out[..., 30, :] = mouth
    out[..., 31, :] = mouth
    if face is not None:
        _overlay(out[..., 26:32, :], _checked(face, 6, "MediaPipe face"))

    for start, (wrist, thumb, index, little) in zip((32, 38), _BLAZE_HANDS, strict=True):
        out[..., start, :] = points[..., wrist, :]
        out[..., start + 1, :] = points[..., thumb, :]
        out[..., start + 2, :] = points[..., index, :]
        out[..., start + 3, :] = (2 * points[..., index, :] + points[..., little, :]) / 3
        out[..., start + 4, :] = (points[..., index, :] + 2 * points[..., little, :]) / 3
        out[..., start + 5, :] = points[..., little, :]
    for start, hand in ((32, left_hand), (38, right_hand)):
        if hand is not None:
            _overlay(out[..., start : start + 6, :], _checked(hand, 21, "MediaPipe hand")[..., _HAND21, :])
    return _split(out)


def _checked(keypoints: ArrayLike, count: int, what: str) -> NDArray[np.float32]:
    points = np.asarray(keypoints, dtype=np.float32)
    if points.ndim < 2 or points.shape[-2:] != (count, 3):
        raise MarEdgeError(f"{what} keypoints have the shape (..., {count}, 3) as x, y, score; got {points.shape}")
    # Not ``all(axis=-1)``: its loop over three values took half of the time here, for every synthetic clip.
    finite = np.isfinite(points)
    seen = finite[..., 0] & finite[..., 1] & finite[..., 2] & (points[..., 2] > 0)
    checked = points.copy()
    checked[~seen] = np.nan
    return checked


def _overlay(target: NDArray[np.float32], points: NDArray[np.float32]) -> None:
    """Write ``points`` over ``target`` (both (..., N, 3)) where all of them were seen, so that sources are not mixed.

    All three values of a keypoint are finite, or all are NaN (``_checked``).
    """
    whole: NDArray[np.bool_] = np.all(np.isfinite(points[..., 0]), axis=-1)
    np.copyto(target, points, where=whole[..., None, None])


def _mean(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (..., 3) for (..., N, 3): the mean position with the lowest score."""
    mean: NDArray[np.float32] = points.mean(axis=-2)
    mean[..., 2] = points[..., 2].min(axis=-1)
    return mean


def _derive_midline(out: NDArray[np.float32]) -> None:
    """Set head top, neck and hip center of (..., 44, 3) from ears, shoulders and hips, in place."""
    out[..., NECK, :] = _mean(out[..., (5, 6), :])
    out[..., HIP_CENTER, :] = _mean(out[..., (11, 12), :])
    ears = _mean(out[..., (_LEFT_EAR, _RIGHT_EAR), :])
    out[..., HEAD_TOP, :] = out[..., NECK, :] + CROWN_FROM_NECK * (ears - out[..., NECK, :])
    out[..., HEAD_TOP, 2] = np.minimum(ears[..., 2], out[..., NECK, 2])


def _split(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    scores = points[..., 2]
    return np.ascontiguousarray(points[..., :2]), np.where(np.isnan(scores), np.float32(0), scores)
