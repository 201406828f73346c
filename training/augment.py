"""Augmentation: of a clip before its 64 frames are picked, then of the normalised batch. numpy only.

Both draw from the generator they are given. The authors' loader computes its affine, its time jitter and its reversal
after the frames were picked, so that they never reach the network (MMN, training code); here they come first.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.layout import Layout
from mar_edge.edge.preprocess import WINDOW_FRAMES, clip_to_input, normalise


class Augmentation(msgspec.Struct, frozen=True, kw_only=True):
    """How far a clip may be changed without changing what it shows. The default changes nothing.

    crop: largest share of a clip's frames cut off, both ends together. jitter: how far a picked frame may lie from its
    even place, in steps between two picks; 1 keeps their order. reverse: probability that a clip runs backwards.
    rotate_deg, shear: largest turn and slant of the picture.
    mirror: probability of swapping left and right. squeeze: range of a scale per axis; what is left of [-1, 1] is
    shifted in. frozen_clips, frozen_joints: share of clips in which joints stand still, and of their joints that do.

    ``reverse`` is no default anywhere, for a class may be another one backwards: of MA-52's, bowing head is head up,
    stretching arms is retracting arms (feet likewise), spread legs is closing legs, and rising up is no class at all;
    a data set whose classes have names of their own may hold such pairs as well. ``mirror`` is none where labels may
    tell sides.
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
    """N clips (T, V, 2) -> skeleton (N, 64, V, 2) and index_t (N, 64), as ``clip_to_input`` gives them.

    With ``rng`` each is augmented; the clips are then without NaN.
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
    """A clip (T, V, 2) without NaN -> 64 normalised frames (64, V, 2) of it and their places (64,).

    Cropped, reversed, turned and slanted first: normalisation follows, so that the network's input spans [-1, 1] as
    it does when it is used. Frames are picked as ``clip_to_input`` does, jittered.
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
    """(N, 64, V, 2) normalised -> the same shape: mirrored, squeezed and shifted per axis, some joints frozen.

    Mirroring swaps left and right joints. A squeezed clip still lies within [-1, 1], as it would if a joint elsewhere
    had stretched its range.
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
