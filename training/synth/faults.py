"""Errors of a pose model: noise, lag, points outside the image, hands and faces that appear and disappear.

``drag`` has the shoulders that follow the head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mar_edge.edge.pose.mapping import mediapipe_to_ma52
from mar_edge.training.synth.camera import BODY, FACE, LEFT_HAND, POINTS, RIGHT_HAND, Views
from mar_edge.training.synth.drag import drag_shoulders
from mar_edge.training.synth.draws import Bools, Draws, Floats, Range, wander
from mar_edge.training.synth.framing import Framing
from mar_edge.training.synth.world import TRAINING, World

# Scale of a person whose seated height is 880 px; noise grows with the size of the person in the image.
_REFERENCE_PX_PER_M = 880 / 1.35
_WHITE_PX: Range = (0.05, 1.5)
_DRIFT_PX: Range = (0.1, 2.0)
# The pose model finds the face mesh and the hands in separate crops, at a finer scale.
_FINE = 0.55
_SPIKES = (0.2, 0.01)  # probability per clip, and per point and frame in such clips
_SPIKE_PX: Range = (4, 40)
_WANDERS = 0.12
_WANDER_M: Range = (0.02, 0.12)
_WEAK_FACE = 0.15
_WEAK_FACE_GAIN: Range = (0.55, 0.95)
_LAG = 0.6
_LAG_HZ: Range = (0.8, 6.0)  # cutoff at rest
_LAG_FREE_M_S: Range = (0.05, 0.4)  # speed above which a point no longer lags
_ABSENT_LEGS = (0.85, 0.15)  # probability at a desk, in a room: behind a table, a bag
_FROZEN = 0.12

# Probability of being visible in the whole clip, in none of it, in parts of it.
_HAND_SEEN = (0.4, 0.35, 0.25)
_ACTIVE_HAND_SEEN = (0.68, 0.1, 0.22)  # raised, in front of the body or the face: easier to find
_FACE_SEEN = (0.8, 0.1, 0.1)

# A pose model also marks shoulders outside the picture, up to this distance, m; it differs between people.
_SHOULDERS_BEYOND_M: Range = (-0.02, 0.13)

# Slow wander that grows as the person gets smaller, measured by scaling clips down. Standard deviation in px of a
# person of 880 px, at 0.5 and 0.3 times that size. Most of it is common to the points of a body part.
_SMALL = (1.0, 2.0, 10 / 3, 6.0)  # factors of reduction
_SMALL_HZ: Range = (0.5, 5.0)
_SMALL_WANDER: tuple[tuple[tuple[int, ...], tuple[float, float], float], ...] = (
    (tuple(range(0, 11)), (2.7, 3.3), 0.85),
    (tuple(range(FACE.start, FACE.stop)), (3.3, 6.2), 0.85),
    ((*range(LEFT_HAND.start, LEFT_HAND.stop),), (5.3, 9.2), 0.6),
    ((*range(RIGHT_HAND.start, RIGHT_HAND.stop),), (5.3, 9.2), 0.6),
    ((15, 17, 19, 21), (1.5, 2.4), 0.7),
    ((16, 18, 20, 22), (1.5, 2.4), 0.7),
    ((11, 12, 13, 14), (1.0, 1.1), 0.8),
    ((23, 24), (1.3, 1.5), 0.8),
    (tuple(range(25, 33)), (2.2, 4.6), 0.8),
)
_SMALL_STRENGTH: Range = (0.4, 1.3)
# Fast jitter in px of a person of 880 px is constant except for hands and faces: factors on that of full size.
_SMALL_JITTER = (1.0, 1.4, 2.0, 3.0)

# Hands that touch or hide each other: fingers are not located separately, and wrists jump.
_LOOSE_M: Range = (0.002, 0.014)
_LOOSE_HZ: Range = (2.0, 9.0)
_LOOSE_WITHIN_M = 0.25
_HANDS_OF = (
    (15, 17, 19, 21, *range(LEFT_HAND.start, LEFT_HAND.stop)),
    (16, 18, 20, 22, *range(RIGHT_HAND.start, RIGHT_HAND.stop)),
)

# Points that drift off together.
_LIMBS: tuple[tuple[int, ...], ...] = (
    (13, 15, 17, 19, 21, *range(LEFT_HAND.start, LEFT_HAND.stop)),
    (14, 16, 18, 20, 22, *range(RIGHT_HAND.start, RIGHT_HAND.stop)),
    (25, 27, 29, 31),
    (26, 28, 30, 32),
    (23, 24),
)
_BLAZE_FACE = slice(0, 11)
_EARS = slice(7, 9)
_HIPS_DOWN, _KNEES_DOWN = slice(23, 33), slice(25, 33)
_SHOULDERS = slice(11, 13)
# Indices of our six hand points among MediaPipe's 21.
_HAND_POINTS = (0, 4, 8, 12, 16, 20)


@dataclass(frozen=True)
class Shown:
    """N clips: at a ``desk`` (N,); ``legs`` (N,) that act, so nothing hides them; ``hands`` (N, 2) that act."""

    desk: Bools
    legs: Bools
    hands: Bools


Keypoints = tuple[Floats, Floats, Floats, Floats]


def frozen_moments(draws: Draws, t: Floats, duration_s: Floats) -> Floats:
    """Return t (N, T) in which, for some clips, the camera repeats one frame for up to an eighth of the time."""
    N = len(t)
    start = draws.uniform((0, 1), N, 1) * duration_s[:, None]
    length = draws.uniform((0.02, 0.12), N, 1) * duration_s[:, None]
    held = (t > start) & (t < start + length) & draws.chance(_FROZEN, N, 1)
    return np.where(held, start, t)


def keypoints(draws: Draws, views: Views, t: Floats, *, shown: Shown, world: World = TRAINING) -> Keypoints:
    """Simulate the output of MediaPipe: body (N, T, 33, 3), left and right hand (N, T, 21, 3), face (N, T, 6, 3).

    Each point is x px, y px, score; score 0 if it was not found. Shoulders may be found outside the picture.
    """
    N, T = t.shape
    pixels = views.points.copy()
    seen = _seen(draws, views, t, shown)
    drag_shoulders(draws, pixels, seen=seen, turn=views.turn, size=views.size, world=world)
    _weaken_face(draws, pixels)
    pixels += _noise(draws, views, t, world)
    _loosen_hands(draws, pixels, views.scale, t, world)
    _lag(draws, pixels, views.scale, t)

    out = np.empty((N, T, POINTS, 3), np.float32)
    out[..., :2] = pixels
    out[..., 2] = seen
    hands = []
    for hand in (LEFT_HAND, RIGHT_HAND):
        full = np.zeros((N, T, 21, 3), np.float32)
        full[:, :, _HAND_POINTS] = out[:, :, hand]
        hands.append(full)
    return out[:, :, BODY], hands[0], hands[1], out[:, :, FACE]


def skeletons(marked: Keypoints, size: Floats) -> tuple[Floats, Floats]:
    """Return joints (N, T, 44, 2) px in ``ma52`` order and scores (N, T, 44), as the pose stage does.

    Points outside the picture of ``size`` (N, 2) are removed after the mapping, so a shoulder just outside the picture
    still contributes to the neck.
    """
    joints, scores = mediapipe_to_ma52(*marked)
    x, y = joints[..., 0], joints[..., 1]
    width, height = size[:, 0, None, None], size[:, 1, None, None]
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    joints[~inside] = np.nan
    scores[~inside] = 0
    return joints, scores


def camera_rate(draws: Draws, joints: Floats, duration_s: Floats, fps: Range) -> Floats:
    """Resample joints (N, T, V, 2) to a camera of ``fps`` frames per second, interpolated linearly between frames.

    Resampling a live window to T even moments has the same effect. Clips with a coarser sampling stay unchanged.
    """
    N, T = joints.shape[:2]
    gap = duration_s / (T - 1)  # (N,) s between samples
    frame = np.float32(1) / draws.log_uniform(fps, N)
    finer = np.flatnonzero(frame > gap)
    if not len(finer):
        return joints
    stride = (frame / gap)[finer, None, None]  # samples per frame
    sample = np.arange(T, dtype=np.float32)
    moment = (np.arange(T + 1, dtype=np.float32)[None, :] - draws.uniform((0, 1), len(finer), 1)) * stride[:, 0]
    hat = np.maximum(0, 1 - np.abs(sample[None, :, None] - moment[:, None, :]) / stride)  # (n, T, frames)
    hat /= np.maximum(hat.sum(axis=-1, keepdims=True), np.float32(1e-6))
    moment = np.clip(moment, 0, T - 1)
    pick = np.maximum(0, 1 - np.abs(moment[:, :, None] - sample[None, None, :]))  # (n, frames, T)
    out = joints.copy()
    out[finer] = ((hat @ pick) @ joints[finer].reshape(len(finer), T, -1)).reshape(len(finer), *joints.shape[1:])
    return out


def _seen(draws: Draws, views: Views, t: Floats, shown: Shown) -> Bools:
    """Tell which points (N, T, 51) the model finds with enough confidence."""
    N = len(t)
    # Confidence fades at the border: each clip has its own margin, inside or outside.
    margin = (views.size * draws.uniform((-0.01, 0.02), N, 1))[:, None, None]
    within = (views.points > margin) & (views.points < views.size[:, None, None] - margin)
    inside = within[..., 0] & within[..., 1]
    beyond = draws.uniform(_SHOULDERS_BEYOND_M, N)[:, None, None, None] * views.scale[:, None, None, None]
    pair = views.points[:, :, _SHOULDERS]
    inside[:, :, _SHOULDERS] = ((pair > -beyond) & (pair < views.size[:, None, None] + beyond)).all(axis=-1)
    to_hips = views.framing == Framing.HIPS
    hidden = draws.chance(np.where(shown.desk, np.float32(_ABSENT_LEGS[0]), np.float32(_ABSENT_LEGS[1])), N)
    inside[hidden & ~shown.legs & ~to_hips, :, _HIPS_DOWN] = False
    inside[to_hips, :, _KNEES_DOWN] = False
    for part, active in ((LEFT_HAND, shown.hands[:, 0]), (RIGHT_HAND, shown.hands[:, 1]), (FACE, None)):
        kind = draws.choice(_HAND_SEEN if active is not None else _FACE_SEEN, N)[:, None]
        if active is not None:
            kind = np.where(active[:, None], draws.choice(_ACTIVE_HAND_SEEN, N)[:, None], kind)
        flicker = wander(draws, 1, t, (0.4, 4.0))[0] > draws.uniform((-0.8, 0.8), N, 1)
        found = (kind == 0) | ((kind == 2) & flicker)
        inside[:, :, part] &= (found & inside[:, :, part].all(axis=-1))[..., None]
    return inside


def _weaken_face(draws: Draws, pixels: Floats) -> None:
    """Pull the face toward its mean shape about the ears, in place: some body models hardly follow a turning head."""
    rows = np.flatnonzero(draws.chance(_WEAK_FACE, len(pixels)))
    gain = draws.uniform(_WEAK_FACE_GAIN, len(rows))[:, None, None, None]
    face = pixels[rows, :, _BLAZE_FACE]
    middle = face[:, :, _EARS].mean(axis=2, keepdims=True)
    shape = face - middle
    pixels[rows, :, _BLAZE_FACE] = middle + gain * shape + (1 - gain) * shape.mean(axis=1, keepdims=True)


def _noise(draws: Draws, views: Views, t: Floats, world: World) -> Floats:
    """Return white jitter, slow drift, spikes and wandering limbs, (N, T, 51, 2) px."""
    N, T = t.shape
    size = (views.scale / np.float32(_REFERENCE_PX_PER_M))[:, None, None, None]
    fine = np.ones(POINTS, np.float32)
    fine[LEFT_HAND.start :] = _FINE
    rough = draws.uniform((0.6, 1.5), N, 1, POINTS, 1) * fine[:, None]
    # Legs are located less precisely than faces.
    rough[:, :, _HIPS_DOWN] *= draws.uniform((1, 2.5), N, 1, 1, 1)
    smaller = 1 / size
    fast = rough.copy()
    times = np.interp(smaller, _SMALL, _SMALL_JITTER) - 1
    fast[:, :, LEFT_HAND.start :] *= (1 + min(world.noise_by_size, 1) * times).astype(np.float32)
    noise = draws.normal(N, T, POINTS, 2)
    noise *= draws.log_uniform(_WHITE_PX, N, 1, 1, 1) * size * fast
    drift = wander(draws, POINTS * 2, t, (0.1, 3.0), waves=5).reshape(POINTS, 2, N, T).transpose(2, 3, 0, 1)
    noise += drift * (draws.log_uniform(_DRIFT_PX, N, 1, 1, 1) * size * rough)
    noise += _wander_of_small(draws, drift, size[:, 0, 0, 0], t, world)

    rows = np.flatnonzero(draws.chance(_SPIKES[0], N))
    spike = draws.chance(_SPIKES[1], len(rows), T, POINTS)[..., None]
    noise[rows] += (
        spike * draws.normal(len(rows), T, POINTS, 2) * (draws.log_uniform(_SPIKE_PX, len(rows), 1, 1, 1) * size[rows])
    )

    astray = draws.chance(_WANDERS, N)
    which = draws.choice([1.0] * len(_LIMBS), N)
    for index, limb in enumerate(_LIMBS):
        rows = np.flatnonzero(astray & (which == index))
        if not len(rows):
            continue
        way = wander(draws, 2, t[rows], (0.2, 2.0)).transpose(1, 2, 0)[:, :, None]
        far = (draws.log_uniform(_WANDER_M, len(rows)) * views.scale[rows])[:, None, None, None]
        for point in limb:
            noise[rows, :, point] += (way * far)[:, :, 0]
    return noise


def _wander_of_small(draws: Draws, drift: Floats, size: Floats, t: Floats, world: World) -> Floats:
    """Return the wander of body parts, (N, T, 51, 2) px, of people of ``size`` (N,); ``drift``: single points."""
    noise = np.zeros_like(drift)
    strength = world.noise_by_size * draws.log_uniform(_SMALL_STRENGTH, len(t)) * size
    common = wander(draws, 2 * len(_SMALL_WANDER), t, _SMALL_HZ).reshape(len(_SMALL_WANDER), 2, *t.shape)
    for (points, (half, third), share), way in zip(_SMALL_WANDER, common, strict=True):
        px = strength * np.interp(1 / size, _SMALL, (0, half, third, 1.6 * third)).astype(np.float32)
        px = px[:, None, None]
        together = np.moveaxis(way, 0, -1) * (np.float32(np.sqrt(share)) * px)  # (N, T, 2)
        own = np.float32(np.sqrt(1 - share)) * px[..., None]
        part = slice(points[0], points[-1] + 1, points[1] - points[0])
        noise[:, :, part] += together[:, :, None] + own * drift[:, :, part]
    return noise


def _loosen_hands(draws: Draws, pixels: Floats, scale: Floats, t: Floats, world: World) -> None:
    """Add jitter to hands that are close to each other, in place; the closer, the more."""
    rows = np.flatnonzero(draws.chance(world.loose_hands, len(pixels)))
    n = len(rows)
    apart = pixels[rows, :, 15] - pixels[rows, :, 16]
    near = np.sqrt((apart**2).sum(axis=-1)) / (np.float32(_LOOSE_WITHIN_M) * scale[rows, None])
    how = np.clip(2 * (1 - near), 0, 1) * draws.log_uniform(_LOOSE_M, n, 1) * scale[rows, None]  # (n, T)
    some = np.flatnonzero(how.max(axis=1, initial=0) > 0)
    rows, how = rows[some], how[some]
    way = wander(draws, 4, t[rows], _LOOSE_HZ).reshape(2, 2, len(rows), t.shape[1])
    for hand, own in zip(_HANDS_OF, way, strict=True):
        together = np.moveaxis(own, 0, -1)[:, :, None] * how[..., None, None]
        alone = draws.normal(len(rows), t.shape[1], len(hand), 2) * (np.float32(0.6) * how[..., None, None])
        pixels[np.ix_(rows, np.arange(t.shape[1]), hand)] += together + alone


def _lag(draws: Draws, pixels: Floats, scale: Floats, t: Floats) -> None:
    """Smooth in place like a one-euro filter: a first-order low-pass that releases fast points.

    The recursion of the filter is a matrix over time. The adaptive cutoff is a blend between the filtered and the raw
    point by speed.
    """
    rows = np.flatnonzero(draws.chance(_LAG, len(pixels)))
    n, T = len(rows), t.shape[1]
    if not n:
        return
    gap = (t[rows, -1] - t[rows, 0]) / (T - 1)
    keep = np.exp(np.float32(-2 * np.pi) * draws.log_uniform(_LAG_HZ, n) * gap)[:, None, None]
    kept = keep[:, :, 0] ** np.arange(T, dtype=np.float32)  # (n, T), after 0, 1, ... frames
    age = np.arange(T)[:, None] - np.arange(T)
    response = np.where(age >= 0, np.take((1 - keep[:, :, 0]) * kept, np.maximum(age, 0), axis=1), np.float32(0))
    response[:, :, 0] = kept  # starts at rest on the first frame
    raw = pixels[rows].reshape(n, T, -1)
    slow = response @ raw
    behind = np.abs(raw - slow)
    free = draws.log_uniform(_LAG_FREE_M_S, n)[:, None, None] * scale[rows, None, None]
    # The lag of a low-pass is speed times its time constant.
    speed = behind * (1 - keep) / (keep * gap[:, None, None] + np.float32(1e-6))
    weight = speed / (speed + free)
    pixels[rows] = (slow + weight * (raw - slow)).reshape(n, T, POINTS, 2)
