"""Chunks of clips: of one action each, or some of them windows cut from recordings. What data sets are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.synth.draws import Floats
from training.synth.generator import synthesise
from training.synth.live import WINDOW_S, live_windows
from training.synth.world import World

CHUNK = 256
# Beside the numbers of a chunk's own clips.
_STREAM = 54_000


@dataclass(frozen=True)
class Chunk:
    """joints (256, 64, 44, 2) float32 px, none missing; labels (256,) int64 of ``CLASSES``; duration_s (256,)."""

    joints: Floats
    labels: NDArray[np.int64]
    duration_s: Floats


def make_chunk(seed: int, number: int, *, live: float, world: World) -> Chunk:
    """The clips of one chunk, the same for the same arguments.

    Args:
        live: share of windows cut from recordings (``training.synth.live``), among the others in random order.
    """
    cut = round(CHUNK * live)
    parts = []
    if cut < CHUNK:
        clips = synthesise(seed, number, CHUNK - cut, world=world)
        parts.append(Chunk(clips.joints, clips.labels, clips.duration_s))
    if cut:
        joints, labels = live_windows(seed, number, cut, world=world)
        parts.append(Chunk(joints, labels, np.full(cut, WINDOW_S, np.float32)))
    if len(parts) == 1:
        return parts[0]
    order = np.random.default_rng([seed, number, _STREAM]).permutation(CHUNK)
    return Chunk(
        np.concatenate([part.joints for part in parts])[order],
        np.concatenate([part.labels for part in parts])[order],
        np.concatenate([part.duration_s for part in parts])[order],
    )
