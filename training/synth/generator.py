"""Batches of labelled skeleton clips, made from nothing but a seed.

The way of a clip: posture and motion -> figure -> camera -> the pose model's points with their faults -> the ``ma52``
mapping and filling that live video goes through. numpy only; knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.labels import Label, background_label, ma52_labels
from edge.layout import load_layout
from edge.pose.mapping import mediapipe_to_ma52
from edge.preprocess import WINDOW_FRAMES, fill_missing
from training.synth.actions import ACTIONS
from training.synth.arms import pose_arms
from training.synth.camera import Views, marked_points, view
from training.synth.draws import Bools, Draws, Floats, Range, wander
from training.synth.faults import camera_rate, frozen_moments, keypoints
from training.synth.idle import beside, idle, posture
from training.synth.legs import pose_legs
from training.synth.perform import perform
from training.synth.rig import draw_bodies, pose_trunk

_ACTION_OF = {action.id: action for action in ACTIONS}
CLASSES: tuple[Label, ...] = (
    *(label for label in ma52_labels() if label.id in _ACTION_OF),
    background_label(),
)

_BACKGROUND_WEIGHT = 2.0
_WINDOW_S = 2.0
_EXACT_WINDOW = 0.65
_DURATION_S: Range = (0.7, 4.0)
_DESK = 0.4
_STANDING = 0.06
_SEAT_M: Range = (0.42, 0.58)

# Motion beside the labelled one, degrees; in background clips well below the smallest amplitude of any action.
_BACKGROUND_BESIDE_DEG = 1.3
# A head action hides smaller head motion: up to this share of it.
_BESIDE_SHARE = 0.3
_HEAD_BODY = "head"
_BUSY_HANDS = (0.3, 0.55)  # probability with a labelled action, without
_FINGERS = 0.5
_BUSY_LEGS = (0.15, 0.25)
_TALKING = 0.4
_MOUTH_HZ: Range = (0.8, 6.0)
_MOUTH_M: Range = (0.0005, 0.012)
_STILL_BACKGROUND = 0.04  # a picture of a person, a camera that hangs


@dataclass(frozen=True)
class SynthBatch:
    """N clips of 64 evenly spaced frames.

    joints: (N, 64, 44, 2) float32 pixels in ``ma52`` order, no NaN: what was not seen is filled as in live use.
    labels: (N,) int64 index into the classes asked for.
    duration_s: (N,) float32 from the first frame to the last.
    amplitude: (N,) float32 size of the labelled action, in the unit of its row in ``ACTIONS``; 0 for background.
    visible: (N,) float32 the part of the action, peak to peak, that is inside the clip; 1 for background.
    desk: (N,) bool, seen by a webcam at a desk rather than by a camera in the room.
    """

    joints: Floats
    labels: NDArray[np.int64]
    duration_s: Floats
    amplitude: Floats
    visible: Floats
    desk: Bools


@dataclass(frozen=True)
class Scene:
    """Clips before the pose model: what was drawn, and its points as a perfect model would mark them.

    motion (len(Channel), N, 64) degrees and metres; points (N, 64, 51, 3) m in the room, ``camera`` says in which
    order; views in pixels; t (N, 64) s.
    """

    labels: NDArray[np.int64]
    t: Floats
    amplitude: Floats
    visible: Floats
    desk: Bools
    motion: Floats
    points: Floats
    views: Views


def synthesise(seed: int, chunk: int, count: int = 256, *, classes: Sequence[Label] = CLASSES) -> SynthBatch:
    """The clips of one chunk: the same for the same seed, chunk, count and classes, wherever they are made.

    Args:
        classes: what to draw from, in label order: labels of actions that ``ACTIONS`` holds, and the background.
    """
    draws = Draws(np.random.default_rng([seed, chunk]))
    scene = draw_scene(draws, count, classes)
    body, left, right, face = keypoints(draws, scene.views, scene.t, scene.desk)
    mapped, _ = mediapipe_to_ma52(body, left, right, face)
    joints = fill_missing(mapped, load_layout("ma52"))
    duration_s = scene.t[:, -1] - scene.t[:, 0]
    joints = camera_rate(draws, joints, duration_s)
    background = np.array([label.id not in _ACTION_OF for label in classes])[scene.labels]
    still = background & draws.chance(_STILL_BACKGROUND, count)
    joints[still] = joints[still, :1]
    return SynthBatch(joints, scene.labels, duration_s, scene.amplitude, scene.visible, scene.desk)


def draw_scene(draws: Draws, N: int, classes: Sequence[Label] = CLASSES) -> Scene:
    """N people moving in front of their cameras."""
    ids = np.array([label.id for label in classes])
    weights = [1.0 if label.id in _ACTION_OF else _BACKGROUND_WEIGHT for label in classes]
    labels = draws.choice(weights, N).astype(np.int64)
    exact = draws.chance(_EXACT_WINDOW, N)
    duration_s: Floats = np.where(exact, np.float32(_WINDOW_S), draws.log_uniform(_DURATION_S, N))
    t: Floats = duration_s[:, None] * np.linspace(0, 1, WINDOW_FRAMES, dtype=np.float32)
    moments = frozen_moments(draws, t, duration_s)
    desk = draws.chance(_DESK, N)
    seated_only = np.isin(ids, [action.id for action in ACTIONS if action.only_seated])[labels]
    standing = draws.chance(_STANDING, N) & ~seated_only & ~desk

    motion = posture(draws, N, WINDOW_FRAMES) + idle(draws, moments)
    amplitude, visible = np.zeros(N, np.float32), np.ones(N, np.float32)
    head_deg = np.full(N, _BACKGROUND_BESIDE_DEG, np.float32)
    trunk_deg = head_deg.copy()
    for k, label in enumerate(classes):
        rows = np.flatnonzero(labels == k)
        if label.id not in _ACTION_OF or not len(rows):
            continue
        action = _ACTION_OF[label.id]
        motion[:, rows], done = perform(action, draws, moments[rows], duration_s[rows], motion[:, rows])
        amplitude[rows], visible[rows] = done.amplitude, done.visible
        head_deg[rows], trunk_deg[rows] = action.head_beside, action.trunk_beside
        if label.body == _HEAD_BODY:
            head_deg[rows] = np.minimum(done.amplitude * np.float32(_BESIDE_SHARE), action.head_beside)
    motion += beside(draws, moments, duration_s, head_deg, trunk_deg)

    acting = np.isin(ids, list(_ACTION_OF))[labels]
    busy = draws.chance(_either(acting, _BUSY_HANDS), N)
    stepping = draws.chance(_either(acting, _BUSY_LEGS), N)
    body = draw_bodies(draws, N)
    seat = draws.uniform(_SEAT_M, N) * body.stature / np.float32(1.7)
    upright = (body.thigh + body.shin) * np.float32(0.985) + np.float32(0.08)
    trunk = pose_trunk(body, np.where(standing, upright, seat), motion)
    legs = pose_legs(draws, body, trunk, moments, standing=standing, fidget=stepping)
    arms = pose_arms(draws, body, trunk, legs, moments, desk=desk, busy=busy, fidget=draws.chance(_FINGERS, N))
    mouth = np.maximum(wander(draws, 1, moments, _MOUTH_HZ)[0], 0)
    mouth *= draws.log_uniform(_MOUTH_M, N, 1) * draws.chance(_TALKING, N, 1)
    points = marked_points(draws, body, trunk, arms, legs, talking=mouth)
    views = view(draws, points, trunk, desk)
    return Scene(labels, t, amplitude, visible, desk, motion, points, views)


def _either(acting: Bools, probability: Range) -> Floats:
    """(N,) the first probability where a clip has a labelled action, else the second."""
    return np.where(acting, np.float32(probability[0]), np.float32(probability[1]))
