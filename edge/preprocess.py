"""A clip of joints -> the input of MMN. numpy only, pure functions; knows nothing of cameras or networks.

Formulas: MMN's test-time loader (min-max per axis over the whole clip, 64 frames picked evenly). The loader's
centering on a joint of frame 0 is left out because the min-max cancels it exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import Layout, load_layout

WINDOW_FRAMES = 64
_EPS = 1e-6


def clip_to_input(clip: ArrayLike, layout: Layout | None = None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the network's input for a clip of any length.

    Args:
        clip: (T, V, 2) coordinates in any unit, T >= 1; NaN where a joint was not seen.
        layout: decides V and what replaces unseen joints (default: ``ma52``).

    Returns:
        skeleton: (64, V, 2) float32 in [-1, 1], in the layout's own joint order. An axis without extent is -1
            throughout; T = 1 is that one frame 64 times.
        index_t: (64,) float32 in [-1, 1), the place of each picked frame in the clip.

    Raises:
        MarEdgeError: the clip has another shape, no frame, or infinite coordinates.
    """
    layout = layout or load_layout("ma52")
    frames = np.asarray(clip, dtype=np.float32)
    if frames.ndim != 3 or frames.shape[0] < 1 or frames.shape[1:] != (layout.num_joints, 2):
        raise MarEdgeError(
            f"a {layout.name} clip has the shape (T, {layout.num_joints}, 2) with T >= 1, this one is {frames.shape}"
        )
    if np.isinf(frames).any():
        raise MarEdgeError("the clip holds infinite coordinates; use NaN for a joint that was not seen")
    T = frames.shape[0]
    normalised = normalise(fill_missing(frames, layout))
    picked = np.linspace(0, T - 1, WINDOW_FRAMES).astype(np.int64)
    index_t = (2 * picked / T).astype(np.float32) - np.float32(1)  # rounded before the 1 is taken, as the loader does
    return normalised[picked], index_t


def window_to_input(window: Window, layout: Layout) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the network's input for a window of live frames, at any frame rate (see ``clip_to_input``).

    Frames arrive at 15 or at 60 per second, unevenly, with gaps where some were dropped. Sampling the window at 64
    even moments first makes one motion look the same at all of them.
    """
    return clip_to_input(resample(window.clip, window.times_s, layout), layout)


def resample(clip: NDArray[np.float32], times_s: NDArray[np.float64], layout: Layout) -> NDArray[np.float32]:
    """Resample (T, V, 2) at ``times_s`` (T,) to (64, V, 2) at even times from first to last, linear between frames."""
    T, V, _ = clip.shape
    filled = fill_missing(clip, layout).reshape(T, V * 2)
    even = np.linspace(times_s[0], times_s[-1], WINDOW_FRAMES)
    after = np.clip(np.searchsorted(times_s, even, side="right"), 1, max(T - 1, 1))
    before = after - 1
    after = np.minimum(after, T - 1)
    gap_s = np.where(after > before, times_s[after] - times_s[before], 1.0)
    weight = np.clip((even - times_s[before]) / gap_s, 0.0, 1.0)[:, None]
    out = filled[before] * (1 - weight) + filled[after] * weight
    even_clip: NDArray[np.float32] = out.reshape(WINDOW_FRAMES, V, 2).astype(np.float32)
    return even_clip


def normalise(clip: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale (..., T, V, 2) without NaN to [-1, 1], per axis over all frames and joints of each clip."""
    low = clip.min(axis=(-3, -2), keepdims=True)
    high = clip.max(axis=(-3, -2), keepdims=True)
    normalised: NDArray[np.float32] = (clip - low) / (high - low + _EPS) * 2 - 1
    return normalised


def fill_missing(clip: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
    """Replace the NaN of (..., T, V, 2), each clip on its own.

    A joint seen in some frames moves in a straight line between them and rests before the first and after the last.
    A joint that is never seen is placed on its ``layout.fill_parents`` joint, so that its bone is zero. If the root was
    never seen either, it is placed at the mean of all seen joints. A clip with nothing seen is zero.
    """
    missing = np.isnan(clip[..., 0]) | np.isnan(clip[..., 1])  # (..., T, V)
    if not missing.any():
        return clip
    T, V = missing.shape[-2:]
    tracks = clip.reshape(-1, T, V, 2).transpose(0, 2, 1, 3).copy()  # (N, V, T, 2)
    missing = missing.reshape(-1, T, V).swapaxes(1, 2)  # (N, V, T)
    never: NDArray[np.bool_] = np.all(missing, axis=-1)  # (N, V)
    partly: NDArray[np.bool_] = np.any(missing, axis=-1) & ~never
    tracks[partly] = _join_gaps(tracks[partly], ~missing[partly])

    tracks[never] = 0
    seen = np.maximum((~never).sum(axis=1), 1).astype(np.float32)
    middle = tracks.sum(axis=1) / seen[:, None, None]  # (N, T, 2)
    clips, joints = np.nonzero(never)
    parents = np.asarray(layout.fill_parents)
    source = joints
    for _ in range(V):
        climbs = never[clips, source] & (source != layout.root)
        if not climbs.any():
            break
        source = np.where(climbs, parents[source], source)
    lost = never[clips, source]
    tracks[clips, joints] = np.where(lost[:, None, None], middle[clips], tracks[clips, source])
    return np.ascontiguousarray(tracks.transpose(0, 2, 1, 3)).reshape(clip.shape)


def _join_gaps(tracks: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fill (M, T, 2), each seen (M, T) at least once, with straight lines over the gaps, the ends held."""
    M, T = seen.shape
    frames = np.arange(T)
    before = np.maximum.accumulate(np.where(seen, frames, -1), axis=1)
    after = np.minimum.accumulate(np.where(seen, frames, T)[:, ::-1], axis=1)[:, ::-1]
    before, after = np.where(before < 0, after, before), np.where(after == T, before, after)
    weight = ((frames - before) / np.maximum(after - before, 1)).astype(np.float32)[..., None]
    rows = np.arange(M)[:, None]
    start = tracks[rows, before]
    joined: NDArray[np.float32] = start + (tracks[rows, after] - start) * weight
    return joined
