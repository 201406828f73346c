"""Chunks of clips, the units of synthetic data sets: clips of one action, and windows cut from recordings.

If the recordings show several actions at once, all clips have targets instead of one label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.labels import background_label
from mar_edge.training.synth.draws import Floats
from mar_edge.training.synth.generator import CLASSES, synthesize
from mar_edge.training.synth.live import WINDOW_S, concurrent_windows, live_windows
from mar_edge.training.synth.world import World

CHUNK = 256
# Separate from the random numbers of a chunk's own clips.
_STREAM = 54_000
_BACKGROUND = next(i for i, label in enumerate(CLASSES) if label.id == background_label().id)


@dataclass(frozen=True)
class Chunk:
    """joints (256, 64, 44, 2) float32 px, none missing; labels (256,) int64 of ``CLASSES``; duration_s (256,).

    targets: (256, K) float32, see ``ClipBatch``; None if each clip shows one action.
    """

    joints: Floats
    labels: NDArray[np.int64]
    duration_s: Floats
    targets: Floats | None = None


def make_chunk(seed: int, number: int, *, live: float, world: World, concurrent: bool = False) -> Chunk:
    """Make the clips of one chunk, deterministic in the arguments.

    Args:
        live: share of windows cut from recordings (``training.synth.live``), in random order among the others.
        concurrent: whether those recordings show several actions at once.
    """
    cut = round(CHUNK * live)
    parts = []
    if cut < CHUNK:
        clips = synthesize(seed, number, CHUNK - cut, world=world)
        targets = one_hot(clips.labels) if concurrent else None
        parts.append(Chunk(clips.joints, clips.labels, clips.duration_s, targets))
    if cut:
        parts.append(_windows(seed, number, cut, world, concurrent))
    if len(parts) == 1:
        return parts[0]
    order = np.random.default_rng([seed, number, _STREAM]).permutation(CHUNK)
    shown = [part.targets for part in parts if part.targets is not None]
    return Chunk(
        np.concatenate([part.joints for part in parts])[order],
        np.concatenate([part.labels for part in parts])[order],
        np.concatenate([part.duration_s for part in parts])[order],
        np.concatenate(shown)[order] if shown else None,
    )


def one_hot(labels: NDArray[np.int64]) -> Floats:
    """Return targets (N, K) of clips that show one class of ``CLASSES`` each; all 0 for the background."""
    targets = np.eye(len(CLASSES), dtype=np.float32)
    targets[_BACKGROUND] = 0
    shown: Floats = targets[labels]
    return shown


def _windows(seed: int, number: int, count: int, world: World, concurrent: bool) -> Chunk:
    duration_s = np.full(count, WINDOW_S, np.float32)
    if concurrent:
        windows = concurrent_windows(seed, number, count, world=world)
        return Chunk(windows.joints, windows.labels, duration_s, windows.targets)
    joints, labels = live_windows(seed, number, count, world=world)
    return Chunk(joints, labels, duration_s)
