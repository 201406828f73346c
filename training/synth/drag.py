"""Shoulder drag: the keypoints of the shoulders follow the head where the pose stage sees little else of a body.

Medians on real head turns in front of webcams: shoulders 24 % narrower, their line tilted by 10 degrees, their middle
shifted by 0.09 shoulder widths. The shoulders in the picture do not move. Strength and direction of the tilt differ
between people; some show no drag. Both shoulders come in, the one on the far side of the turn more, and both lift.
Elbows and hips follow less.
"""

from __future__ import annotations

import numpy as np

from mar_edge.training.synth.draws import Bools, Draws, Floats, Range
from mar_edge.training.synth.world import World

_STRENGTH: Range = (0.6, 2.6)
# Visible hips hold the shoulders in place; visible elbows hold them a little.
_WITH_HIPS, _WITH_ELBOWS = np.float32(0.1), np.float32(0.8)
# At strength 1. Narrowing for a turn by 90 degrees, its part that depends on the side, and for a bow by 90 degrees.
_NARROW: Range = (0.35, 0.9)
_SOONER = np.float32(1.4)  # a turned head narrows the shoulders like a trunk turned by this multiple of the angle
_NARROW_ODD = 0.12
_NARROW_BOW: Range = (0.0, 1.6)
_FAR_SIDE: Range = (0.0, 0.5)  # extra part of the far shoulder: 0 equal, 1 all
_LIFT: Range = (0.0, 0.35)  # shoulder widths, for a narrowing of 1
# Degrees of tilt for a turn and a bow by 90 degrees, in either direction, and per degree of head tilt.
_TILT_TURN: Range = (3, 32)
_TILT_BOW: Range = (5, 90)
_TILT_ROLL: Range = (0.1, 0.6)
_SHIFT_TURN: Range = (-0.03, 0.08)  # shoulder widths, in the direction of the turn
_SHIFT_HEAD: Range = (0.0, 0.15)  # share of the head's shift in the picture
_SHIFT_HEAD_OUTSIDE: Range = (0.3, 1.0)  # of shoulders outside the picture
_MOST_NARROW, _LEAST_NARROW = np.float32(0.36), np.float32(-0.08)
_MOST_TILT = np.deg2rad(np.float32(20))
_MOST_SHIFT = np.float32(0.15)
_ELBOWS, _HIPS = np.float32(0.5), np.float32(0.3)  # share of a shoulder's shift

_HEAD_POINTS = slice(0, 11)
_SHOULDERS, _ELBOW_POINTS, _HIP_POINTS = slice(11, 13), slice(13, 15), slice(23, 25)


def drag_shoulders(draws: Draws, pixels: Floats, *, seen: Bools, turn: Floats, size: Floats, world: World) -> None:
    """Let the shoulders of points (N, T, 51, 2) px follow the head, in place.

    Args:
        seen: (N, T, 51) points that the pose stage finds. turn: (N, T, 3) rad of head turn to the left, bow, and tilt
            to the right, relative to the chest. size: (N, 2) px of the picture.
    """
    N = len(pixels)
    strength = draws.log_uniform(_STRENGTH, N) * draws.chance(world.drag, N)
    hips = seen[:, :, _HIP_POINTS].any(axis=2).mean(axis=1, dtype=np.float32)
    elbows = seen[:, :, _ELBOW_POINTS].any(axis=2).mean(axis=1, dtype=np.float32)
    strength = strength * (1 - (1 - _WITH_HIPS) * hips) * (1 - (1 - _WITH_ELBOWS) * elbows)
    rows = np.flatnonzero(strength > 0)
    n = len(rows)
    if not n:
        return
    g = strength[rows, None]
    yaw, bow, roll = np.moveaxis(turn[rows], -1, 0)
    left, right = (pixels[rows, :, side] for side in (11, 12))
    middle, half = (left + right) / 2, (left - right) / 2
    width = np.maximum(2 * np.sqrt((half**2).sum(axis=-1)), 1)  # (n, T)
    head = pixels[rows, :, _HEAD_POINTS].mean(axis=2)
    way = head - head.mean(axis=1, keepdims=True)  # shift of the head, px

    to_left, bowed = np.sin(yaw), np.sin(bow)
    narrow = draws.uniform(_NARROW, n, 1) * (1 - np.cos(_SOONER * yaw)) + _NARROW_ODD * draws.normal(n, 1) * to_left
    narrow += draws.uniform(_NARROW_BOW, n, 1) * bowed
    narrow = np.clip(g * narrow, _LEAST_NARROW, _MOST_NARROW)
    tilt = np.deg2rad(draws.uniform(_TILT_TURN, n, 1)) * draws.sign(n, 1) * to_left
    tilt += np.deg2rad(draws.uniform(_TILT_BOW, n, 1)) * draws.sign(n, 1) * bowed
    tilt += draws.uniform(_TILT_ROLL, n, 1) * roll
    tilt = np.clip(g * tilt, -_MOST_TILT, _MOST_TILT)

    # In shoulder widths. The far shoulder comes in more, so the middle shifts in the direction of the gaze.
    shift = np.zeros((*tilt.shape, 2), np.float32)
    shift[..., 0] = draws.uniform(_SHIFT_TURN, n, 1) * to_left * g
    shift[..., 0] += draws.uniform(_FAR_SIDE, n, 1) * np.float32(0.5) * np.maximum(narrow, 0) * np.tanh(3 * to_left)
    shift[..., 1] = -draws.uniform(_LIFT, n, 1) * np.maximum(narrow, 0)
    shift += (np.minimum(g, 1) * draws.uniform(_SHIFT_HEAD, n, 1))[..., None] * way / width[..., None]
    shift = np.clip(shift, -_MOST_SHIFT, _MOST_SHIFT)
    beyond = np.maximum(left[..., 1], right[..., 1]) - size[rows, None, 1]
    beyond = np.clip(beyond / (np.float32(0.3) * width), 0, 1) * draws.uniform(_SHIFT_HEAD_OUTSIDE, n, 1)
    shift += beyond[..., None] * np.minimum(g, 1)[..., None] * (way / width[..., None] - shift)

    cos, sin = np.cos(tilt) * (1 - narrow), np.sin(tilt) * (1 - narrow)
    turned = np.stack([cos * half[..., 0] - sin * half[..., 1], sin * half[..., 0] + cos * half[..., 1]], axis=-1)
    middle = middle + shift * width[..., None]
    moves = np.stack([middle + turned - left, middle - turned - right], axis=2)  # (n, T, 2, 2)
    pixels[rows, :, _SHOULDERS] += moves
    pixels[rows, :, _ELBOW_POINTS] += _ELBOWS * moves
    pixels[rows, :, _HIP_POINTS] += _HIPS * moves
