"""Rotations and two-bone inverse kinematics over any leading dimensions. Meters and radians; independent of bodies."""

from __future__ import annotations

import numpy as np

from mar_edge.training.synth.draws import Floats


def rotation(yaw: Floats, pitch: Floats, roll: Floats) -> Floats:
    """Return the rotations (..., 3, 3) = Ry(yaw) Rx(pitch) Rz(roll) of angles (...,) in radians.

    Axes of the figure: x to its left, y up, z to the front. Positive yaw turns to its left, positive pitch tips
    forward, positive roll tips to its right.
    """
    cy, sy = np.cos(yaw), np.sin(yaw)
    cp, sp = np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    out = np.empty((*yaw.shape, 3, 3), np.float32)
    out[..., 0, 0] = cy * cr + sy * sp * sr
    out[..., 0, 1] = sy * sp * cr - cy * sr
    out[..., 0, 2] = sy * cp
    out[..., 1, 0] = cp * sr
    out[..., 1, 1] = cp * cr
    out[..., 1, 2] = -sp
    out[..., 2, 0] = cy * sp * sr - sy * cr
    out[..., 2, 1] = sy * sr + cy * sp * cr
    out[..., 2, 2] = cy * cp
    return out


def turned(frame: Floats, x: Floats, y: Floats, z: Floats) -> Floats:
    """Return the vector (x, y, z), each (...,), of a frame (..., 3, 3) in world coordinates (..., 3)."""
    moved = frame[..., 0] * x[..., None] + frame[..., 1] * y[..., None] + frame[..., 2] * z[..., None]
    return np.asarray(moved, np.float32)


def unit(vector: Floats) -> Floats:
    """Scale vectors (..., 3) to length 1."""
    length = np.sqrt(np.einsum("...i,...i->...", vector, vector))
    out: Floats = vector / np.maximum(length, np.float32(1e-6))[..., None]
    return out


def dot(a: Floats, b: Floats) -> Floats:
    """Return the dot product (..., 1) of vectors (..., 3)."""
    product: Floats = np.einsum("...i,...i->...", a, b)[..., None]
    return product


def cross(a: Floats, b: Floats) -> Floats:
    """Return the cross product (..., 3); ``np.cross`` is several times slower on such arrays."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=-1)


def two_bones(root: Floats, target: Floats, upper: Floats, lower: Floats, pole: Floats) -> tuple[Floats, Floats]:
    """Solve a limb of two bones from ``root`` toward ``target``, bent to the side of ``pole``.

    Args:
        root, target: (..., 3) m. upper, lower: (...,) bone lengths in m.
        pole: (..., 3) a direction, any length, not along the limb.

    Returns:
        The middle joint, by the law of cosines, and the end, (..., 3). The end does not reach a target that is too
        far.
    """
    reach = target - root
    distance: Floats = np.sqrt(dot(reach, reach))
    a, b = upper[..., None], lower[..., None]
    held: Floats = np.clip(distance, np.abs(a - b) + np.float32(0.02), (a + b) * np.float32(0.998))
    along = np.asarray(reach / np.maximum(distance, np.float32(1e-6)), np.float32)
    cosine = (a * a + held * held - b * b) / (2 * a * held)
    sideways = unit(pole - dot(pole, along) * along)
    middle = root + a * (cosine * along + np.sqrt(np.maximum(1 - cosine * cosine, np.float32(0))) * sideways)
    out: Floats = held * along
    return middle, root + out
