"""Batches of labeled skeleton clips, made from a seed alone.

Stages: schedule of actions -> posture and motion -> figure -> camera -> keypoints with the errors of a pose model.
The ``ma52`` mapping and filling follow, as for live video. numpy only; independent of networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Window
from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.edge.layout import load_layout
from mar_edge.edge.preprocess import WINDOW_FRAMES, fill_missing
from mar_edge.edge.visibility import detectable, visible_regions
from mar_edge.training.synth.actions import ACTIONS, Action
from mar_edge.training.synth.camera import Views
from mar_edge.training.synth.draws import Bools, Draws, Floats, Range
from mar_edge.training.synth.faults import Shown, camera_rate, frozen_moments, keypoints, skeletons
from mar_edge.training.synth.figure import draw_figures
from mar_edge.training.synth.framing import Framing, draw_framing, shows_legs
from mar_edge.training.synth.hand_parts import uses_hands
from mar_edge.training.synth.idle import extra_motion, idle, posture
from mar_edge.training.synth.perform import drive_trunk, joined
from mar_edge.training.synth.schedule import rows_of, schedule
from mar_edge.training.synth.world import TRAINING, World


def class_labels(actions: Sequence[Action]) -> tuple[Label, ...]:
    """Return the labels of MA-52 in id order, those of actions beyond MA-52, and the background."""
    known = ma52_labels()
    ids = {label.id for label in known}
    own = (Label(action.id, action.name, action.body) for action in actions if action.id not in ids)
    return (*known, *own, background_label())


CLASSES: tuple[Label, ...] = class_labels(ACTIONS)
BACKGROUND_WEIGHT = 4.0  # relative to one action

# Clips that are mapped together: their arrays fit into the cache of a core.
_PIECE = 16
_WINDOW_S = 2.0
_EXACT_WINDOW = 0.65
_DURATION_S: Range = (0.7, 4.0)

# Motion in addition to the labeled one, degrees. In background clips it is well below all actions' amplitudes.
BACKGROUND_EXTRA_DEG = 1.3
# Extra head motion during a head action: up to this share of its amplitude.
_EXTRA_SHARE = 0.3
_STILL_BACKGROUND = 0.04  # share of still background clips: a photo of a person, a frozen camera

_BODY = {label.id: label.body for label in CLASSES}
_HEAD = np.array([_BODY[action.id] == "head" for action in ACTIONS])
_ONLY_SEATED = np.array([action.only_seated for action in ACTIONS])
_EXTRA = np.array([(action.head_extra, action.trunk_extra) for action in ACTIONS], np.float32)


@dataclass(frozen=True)
class SynthBatch:
    """N clips of 64 evenly spaced frames.

    joints: (N, 64, 44, 2) float32 pixels in ``ma52`` order, no NaN: missing joints are filled as in live use.
    labels: (N,) int64 index into the classes asked for.
    duration_s: (N,) float32 from the first frame to the last.
    amplitude: (N,) float32 size of the labeled action, in the unit of its row in ``ACTIONS``; 0 for background.
    visible: (N,) float32 share of the action, peak to peak, inside the clip; 1 for background.
    desk: (N,) bool, a webcam at a desk instead of a camera in the room.
    """

    joints: Floats
    labels: NDArray[np.int64]
    duration_s: Floats
    amplitude: Floats
    visible: Floats
    desk: Bools


@dataclass(frozen=True)
class Scene:
    """Clips before the pose model: the drawn actions, and error-free points.

    motion: (len(Channel), N, 64) degrees and meters. points: (N, 64, 51, 3) m in the room, in the order of ``camera``.
    views: in pixels. t: (N, 64) s. fragment: (N,) visible share of another action at the edge of the clip.
    """

    labels: NDArray[np.int64]
    t: Floats
    amplitude: Floats
    visible: Floats
    fragment: Floats
    shown: Shown
    motion: Floats
    points: Floats
    views: Views


def synthesize(
    seed: int, chunk: int, count: int = 256, *, classes: Sequence[Label] = CLASSES, world: World = TRAINING
) -> SynthBatch:
    """Make the clips of one chunk, deterministic in seed, chunk, count, classes and world on every machine.

    Args:
        classes: labels to draw from, in label order: labels of actions in ``ACTIONS``, and the background.
    """
    draws = Draws(np.random.default_rng([seed, chunk]))
    scene = draw_scene(draws, count, classes, world)
    body, left, right, face = keypoints(draws, scene.views, scene.t, shown=scene.shown, world=world)
    layout = load_layout("ma52")
    filled = []
    visible = np.empty(count, bool)
    for start in range(0, count, _PIECE):
        i = slice(start, start + _PIECE)
        some, _ = skeletons((body[i], left[i], right[i], face[i]), scene.views.size[i])
        visible[i] = [
            detectable(classes, visible_regions(Window(clip, t), layout))[label]
            for clip, t, label in zip(some, scene.t[i].astype(np.float64), scene.labels[i], strict=True)
        ]
        filled.append(fill_missing(some, layout))
    joints = np.concatenate(filled)
    duration_s = scene.t[:, -1] - scene.t[:, 0]
    joints = camera_rate(draws, joints, duration_s, world.camera_fps)
    is_background = rows_of(np.array([label.id for label in classes])) < 0
    still = is_background[scene.labels] & draws.chance(_STILL_BACKGROUND, count)
    joints[still] = joints[still, :1]
    # An action whose joints are not in the picture becomes background.
    labels = np.where(visible, scene.labels, is_background.argmax())
    amplitude = np.where(visible, scene.amplitude, np.float32(0))
    return SynthBatch(joints, labels, duration_s, amplitude, scene.visible, scene.shown.desk)


def draw_scene(
    draws: Draws, N: int, classes: Sequence[Label] = CLASSES, world: World = TRAINING, *, alone: bool = False
) -> Scene:
    """Draw N people moving in front of their cameras; ``alone``: only the labeled performances."""
    rows = rows_of(np.array([label.id for label in classes]))
    labels = draws.choice(np.where(rows < 0, BACKGROUND_WEIGHT, 1.0).tolist(), N).astype(np.int64)
    action = rows[labels]
    acting = action >= 0
    exact = draws.chance(_EXACT_WINDOW, N)
    duration_s: Floats = np.where(exact, np.float32(_WINDOW_S), draws.log_uniform(_DURATION_S, N))
    t: Floats = duration_s[:, None] * np.linspace(0, 1, WINDOW_FRAMES, dtype=np.float32)
    moments = frozen_moments(draws, t, duration_s)
    legs = acting & shows_legs(action)
    desk = draws.chance(world.desk, N) & ~legs
    framing = draw_framing(draws, desk, legs, world)
    on_feet = np.where(framing == Framing.HIPS, np.float32(world.standing_to_hips), np.float32(world.standing))
    standing = draws.chance(on_feet, N) & ~(acting & _ONLY_SEATED[action]) & ~desk & ~legs

    pace = draws.log_uniform(world.pace, N)
    labeled, others = schedule(draws, t, action, standing, pace, alone=alone)
    doing = joined(labeled, others)
    amplitude, visible, fragment = np.zeros(N, np.float32), np.ones(N, np.float32), np.zeros(N, np.float32)
    amplitude[labeled.clip], visible[labeled.clip] = labeled.amplitude, labeled.visible(t)
    named = others.row < len(ACTIONS)
    np.maximum.at(fragment, others.clip[named], others.visible(t)[named])

    motion = posture(draws, N, WINDOW_FRAMES, world.posture) + idle(draws, moments)
    drive_trunk(draws, doing, moments, motion)
    still = np.full((N, 1), BACKGROUND_EXTRA_DEG, np.float32)
    head_deg, trunk_deg = np.where(acting[:, None], _EXTRA[action], still).T
    of_head = acting & _HEAD[action]
    head_deg = np.where(of_head, np.minimum(amplitude * np.float32(_EXTRA_SHARE), head_deg), head_deg)
    motion += extra_motion(draws, moments, duration_s, head_deg, trunk_deg)

    points, views = draw_figures(
        draws,
        doing,
        motion,
        moments,
        desk=desk,
        standing=standing,
        acting=uses_hands(labeled, N),
        world=world,
        framing=framing,
    )
    shown = Shown(desk, legs, uses_hands(doing, N))
    return Scene(labels, t, amplitude, visible, fragment, shown, motion, points, views)
