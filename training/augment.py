"""Augmentation: of a clip before its 64 frames are picked, then of the normalized batch. numpy only.

Both draw from the given generator. The authors' loader computes affine, time jitter and reversal after picking the
frames, so they never reach the network (MMN, training code). Here they come first.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.layout import Layout
from mar_edge.edge.preprocess import WINDOW_FRAMES, clip_to_input, normalise


class Augmentation(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of changes that keep the meaning of a clip. The default changes nothing.

    crop: largest share of a clip's frames to cut off, both ends together.

    jitter: largest distance of a picked frame from its even place, in steps between two picks. 1 keeps their order.

    reverse: probability of playing a clip backward. mirror: probability of swapping left and right.

    rotate_deg, shear: largest rotation and shear of the picture.

    squeeze: range of a scale per axis. The squeezed clip is shifted at random within [-1, 1].

    frozen_clips, frozen_joints: share of clips with frozen joints, and share of joints frozen in them.

    No preset uses ``reverse``, because a class may be another class backward. In MA-52, bowing head becomes head up,
    and stretching arms or feet becomes retracting them. Spread legs becomes closing legs, and rising up becomes no
    class at all. Other data sets may hold such pairs, too. ``mirror`` is for labels that do not name a side.
    """

    crop: float = 0.0
    jitter: float = 0.0
    reverse: float = 0.0
    rotate_deg: float = 0.0
    shear: float = 0.0
    mirror: float = 0.0
    squeeze: tuple[float, float] = (1.0, 1.0)
    frozen_clips: float = 0.0
    frozen_joints: float = 0.0


NO_AUGMENTATION = Augmentation()


def network_input(
    clips: Sequence[NDArray[np.float32]],
    layout: Layout,
    augmentation: Augmentation = NO_AUGMENTATION,
    rng: np.random.Generator | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Convert N clips (T, V, 2) to skeleton (N, 64, V, 2) and index_t (N, 64), as ``clip_to_input`` does.

    With ``rng`` each clip is augmented. It must then be free of NaN.
    """
    if rng is None:
        inputs = [clip_to_input(clip, layout) for clip in clips]
    else:
        inputs = [sample(clip, augmentation, rng) for clip in clips]
    skeleton = np.stack([skeleton for skeleton, _ in inputs])
    index_t = np.stack([index_t for _, index_t in inputs])
    return (skeleton if rng is None else augment(skeleton, layout, augmentation, rng)), index_t


def sample(
    clip: NDArray[np.float32], augmentation: Augmentation, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pick 64 frames of a clip (T, V, 2) without NaN: normalized frames (64, V, 2) and their places (64,).

    Cropping, reversal, rotation and shear come before normalization. So the network's input spans [-1, 1] as in use.
    Frames are picked as in ``clip_to_input``, with jitter.
    """
    cut = rng.uniform(0, augmentation.crop)
    begin = rng.uniform(0, cut)
    T = len(clip)
    clip = clip[int(begin * T) : max(int(begin * T) + 1, round((1 - cut + begin) * T))]
    if rng.random() < augmentation.reverse:
        clip = clip[::-1]
    turn = np.radians(rng.uniform(-augmentation.rotate_deg, augmentation.rotate_deg))
    slant = rng.uniform(-augmentation.shear, augmentation.shear)
    if turn or slant:
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        clip = clip @ (rotation @ [[1, slant], [0, 1]]).T.astype(np.float32)
    T = len(clip)
    even = np.linspace(0, T - 1, WINDOW_FRAMES)
    step = (T - 1) / (WINDOW_FRAMES - 1)
    moved = even + rng.uniform(-0.5, 0.5, WINDOW_FRAMES) * step * augmentation.jitter
    picked = np.clip(moved, 0, T - 1).astype(np.int64)
    index_t = (2 * picked / T).astype(np.float32) - np.float32(1)
    return normalise(clip)[picked], index_t


def augment(
    skeleton: NDArray[np.float32], layout: Layout, augmentation: Augmentation, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Mirror, squeeze and shift normalized clips (N, 64, V, 2), and freeze some joints; return the same shape.

    Mirroring swaps left and right joints. A squeezed clip still lies within [-1, 1], as if an outlying joint had
    widened its range.
    """
    N, _, V, _ = skeleton.shape
    out = skeleton.copy()
    mirrored = rng.random(N) < augmentation.mirror
    out[mirrored] = out[mirrored][:, :, layout.mirrored] * np.array([-1, 1], np.float32)
    scale = rng.uniform(*augmentation.squeeze, size=(N, 1, 1, 2)).astype(np.float32)
    shift = rng.uniform(-1, 1, size=(N, 1, 1, 2)).astype(np.float32) * (1 - scale)
    out = out * scale + shift
    frozen = (rng.random((N, 1)) < augmentation.frozen_clips) & (rng.random((N, V)) < augmentation.frozen_joints)
    return np.where(frozen[:, None, :, None], out[:, :1], out)
