"""Clips of one action alone, and where its hands are."""

from functools import cache

import numpy as np
from synth_points import (
    HANDS,
    WRISTS,
)

from mar_edge.training.synth.draws import Draws
from mar_edge.training.synth.generator import CLASSES, Scene, draw_scene

N = 40


@cache
def scene_of(name: str) -> Scene:
    """Draw clips of one action alone."""
    label = next(label for label in CLASSES if label.name == name)
    return draw_scene(Draws(np.random.default_rng([7, label.id])), N, (label,), alone=True)


def points_of(name: str) -> np.ndarray:
    return scene_of(name).points


def tips(points: np.ndarray, *fingers: int) -> np.ndarray:
    """Return the midpoint (n, T, 2, 3) of those fingertips (1 thumb to 5 little finger) of the left and right hand."""
    return points[:, :, HANDS[:, list(fingers)]].mean(axis=-2)


def palms(points: np.ndarray) -> np.ndarray:
    wrists = points[:, :, WRISTS]
    return wrists + 0.4 * (tips(points, 3) - wrists)


def fingers(points: np.ndarray) -> np.ndarray:
    wrists = points[:, :, WRISTS]
    return wrists + 0.7 * (tips(points, 2, 3) - wrists)


def closest(distance: np.ndarray) -> np.ndarray:
    """Return the smallest value (n,) of each clip of (n, T, ...)."""
    return distance.reshape(len(distance), -1).min(axis=1)
