"""Indices of the generator's points, and measures of them for several tests."""

import numpy as np

# BlazePose numbers.
NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR = 0, 2, 5, 7, 8
MOUTH = (9, 10)
SHOULDERS, ELBOWS, WRISTS, HIPS, KNEES, ANKLES, HEELS, TOES = (
    np.array((left, left + 1)) for left in (11, 13, 15, 23, 25, 27, 29, 31)
)
# Wrist and tips, thumb to little finger, of each hand.
HANDS = np.arange(33, 45).reshape(2, 6)
BRIDGE = 45


def extent(track: np.ndarray) -> np.ndarray:
    """Return the peak-to-peak size (n,) of tracks (n, T)."""
    return np.ptp(track, axis=1)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the distances (...,) of points (..., D)."""
    return np.linalg.norm(a - b, axis=-1)


def from_line(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the distances (...,) of points (..., D) from the line between two points."""
    way = end - start
    u = np.clip(((point - start) * way).sum(-1) / (way**2).sum(-1), 0, 1)
    return apart(point, start + u[..., None] * way)


def reversals(track: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Count changes of direction (n,) of tracks (n, T), each after a distance of at least ``least`` (n,)."""
    counts = np.zeros(len(track), int)
    for i, (values, way) in enumerate(zip(track, least, strict=True)):
        extreme, direction = values[0], 0
        for value in values:
            if direction * (value - extreme) > 0 or (direction == 0 and abs(value - extreme) > way):
                direction = direction or np.sign(value - extreme)
                extreme = value
            elif direction * (extreme - value) > way:
                counts[i] += 1
                extreme, direction = value, -direction
    return counts
