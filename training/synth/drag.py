"""The pose stage's shoulders follow the head where it sees little else of a body.

Measured on real head turns before webcams (medians): shoulders 24 % narrower, their line tilted by 10 degrees, their
middle shifted by 0.09 shoulder widths, while the shoulders in the picture stay where they are. How strongly, and
which way the line tilts, differs from person to person; some have none of it. Both shoulders come in, the one on
the far side of the turn more, and both lift. Elbows and hips go along less.
"""

from __future__ import annotations

import numpy as np

from mar_edge.training.synth.draws import Bools, Draws, Floats, Range
from mar_edge.training.synth.world import World

_STRENGTH: Range = (0.6, 2.6)
# Of what is seen: hips hold the shoulders in their place, elbows a little.
_WITH_HIPS, _WITH_ELBOWS = np.float32(0.1), np.float32(0.8)
# At strength 1. Narrowing for a turn by a right angle, and what is odd in the turn's direction; for a bow by one.
_NARROW: Range = (0.35, 0.9)
_SOONER = np.float32(1.4)  # a head turned so far narrows as a trunk would that is turned so many times as far
_NARROW_ODD = 0.12
_NARROW_BOW: Range = (0.0, 1.6)
_FAR_SIDE: Range = (0.0, 0.5)  # how much more of it the far shoulder takes: 0 alike, 1 all
_LIFT: Range = (0.0, 0.35)  # for a narrowing of 1, shoulder widths
# Degrees of tilt for a turn, a bow by a right angle (either way), and of degrees of head tilt.
_TILT_TURN: Range = (3, 32)
_TILT_BOW: Range = (5, 90)
_TILT_ROLL: Range = (0.1, 0.6)
_SHIFT_TURN: Range = (-0.03, 0.08)  # shoulder widths, towards where the face turns
_SHIFT_HEAD: Range = (0.0, 0.15)  # of the head's own way in the picture
_SHIFT_HEAD_OUTSIDE: Range = (0.3, 1.0)  # of shoulders outside the picture
_MOST_NARROW, _LEAST_NARROW = np.float32(0.36), np.float32(-0.08)
_MOST_TILT = np.deg2rad(np.float32(20))
_MOST_SHIFT = np.float32(0.15)
_ELBOWS, _HIPS = np.float32(0.5), np.float32(0.3)  # of a shoulder's way

_HEAD_POINTS = slice(0, 11)
_SHOULDERS, _ELBOW_POINTS, _HIP_POINTS = slice(11, 13), slice(13, 15), slice(23, 25)


def drag_shoulders(draws: Draws, pixels: Floats, *, seen: Bools, turn: Floats, size: Floats, world: World) -> None:
    """Let the shoulders of points (N, T, 51, 2) px follow the head, in place.

    Args:
        seen: (N, T, 51) which points the pose stage finds. turn: (N, T, 3) rad the head is turned to the left, bowed
            and tilted to the right, relative to the chest. size: (N, 2) px of the picture.
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
    way = head - head.mean(axis=1, keepdims=True)  # the head's own, px

    to_left, bowed = np.sin(yaw), np.sin(bow)
    narrow = draws.uniform(_NARROW, n, 1) * (1 - np.cos(_SOONER * yaw)) + _NARROW_ODD * draws.normal(n, 1) * to_left
    narrow += draws.uniform(_NARROW_BOW, n, 1) * bowed
    narrow = np.clip(g * narrow, _LEAST_NARROW, _MOST_NARROW)
    tilt = np.deg2rad(draws.uniform(_TILT_TURN, n, 1)) * draws.sign(n, 1) * to_left
    tilt += np.deg2rad(draws.uniform(_TILT_BOW, n, 1)) * draws.sign(n, 1) * bowed
    tilt += draws.uniform(_TILT_ROLL, n, 1) * roll
    tilt = np.clip(g * tilt, -_MOST_TILT, _MOST_TILT)

    # In shoulder widths; the far shoulder comes in more, so that the middle goes where the face looks.
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
