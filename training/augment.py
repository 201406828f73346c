"""Augmentation of normalised clips, batched. numpy only; draws from the generator it is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.layout import Layout

_SCALE = (0.7, 1.0)
_FROZEN_CLIPS = 0.1
_FROZEN_JOINTS = 0.15


def augment(skeleton: NDArray[np.float32], layout: Layout, rng: np.random.Generator) -> NDArray[np.float32]:
    """(N, 64, V, 2) normalised -> the same shape: mirrored, squeezed and shifted per axis, some joints frozen.

    Mirroring swaps left and right joints; a label must not tell sides for that. A squeezed clip still lies within
    [-1, 1], as it would if a joint elsewhere had stretched its range.
    """
    N, _, V, _ = skeleton.shape
    out = skeleton.copy()
    mirrored = rng.random(N) < 0.5
    out[mirrored] = out[mirrored][:, :, layout.mirrored] * np.array([-1, 1], np.float32)
    scale = rng.uniform(*_SCALE, size=(N, 1, 1, 2)).astype(np.float32)
    shift = rng.uniform(-1, 1, size=(N, 1, 1, 2)).astype(np.float32) * (1 - scale)
    out = out * scale + shift
    frozen = (rng.random((N, 1)) < _FROZEN_CLIPS) & (rng.random((N, V)) < _FROZEN_JOINTS)
    return np.where(frozen[:, None, :, None], out[:, :1], out)
