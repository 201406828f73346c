"""Where the synthesizer's points are, and measures of them that several tests take."""

import numpy as np

# BlazePose numbers.
NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR = 0, 2, 5, 7, 8
MOUTH = (9, 10)
SHOULDERS, ELBOWS, WRISTS, HIPS, KNEES, ANKLES, HEELS, TOES = (
    np.array((left, left + 1)) for left in (11, 13, 15, 23, 25, 27, 29, 31)
)
# The wrist and, from thumb to little finger, the tips of either hand.
HANDS = np.arange(33, 45).reshape(2, 6)
BRIDGE = 45


def extent(track: np.ndarray) -> np.ndarray:
    """(n, T) -> (n,) peak to peak."""
    return np.ptp(track, axis=1)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(..., D), (..., D) -> (...,) distance."""
    return np.linalg.norm(a - b, axis=-1)


def from_line(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(..., D) -> (...,) distance from the line between two points."""
    way = end - start
    u = np.clip(((point - start) * way).sum(-1) / (way**2).sum(-1), 0, 1)
    return apart(point, start + u[..., None] * way)


def reversals(track: np.ndarray, least: np.ndarray) -> np.ndarray:
    """(n, T) -> (n,) changes of direction, each after a way of at least ``least`` (n,)."""
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
