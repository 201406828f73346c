"""Permanent motion of people: individual posture, sway, breathing, talking, and small movements besides the action."""

from __future__ import annotations

import numpy as np

from mar_edge.training.synth.courses import Course, Step, Swing, smooth_step
from mar_edge.training.synth.draws import Draws, Floats, Range, wander
from mar_edge.training.synth.rig import Channel

C = Channel

# Standard deviation of people's posture about upright, degrees and meters.
_POSTURE: dict[Channel, float] = {
    C.HEAD_YAW: 11,
    C.HEAD_PITCH: 9,
    C.HEAD_ROLL: 4,
    C.CHEST_YAW: 4,
    C.CHEST_ROLL: 2,
    C.PELVIS_YAW: 4,
    C.LEAN: 7,
    C.SWAY: 2,
    C.LEFT_SHOULDER_UP: 0.008,
    C.RIGHT_SHOULDER_UP: 0.008,
    C.LEFT_SHOULDER_FORWARD: 0.01,
    C.RIGHT_SHOULDER_FORWARD: 0.01,
}
_SLOUCH_DEG: Range = (0, 22)
_SUNK = (0.3, (5.0, 28.0))  # probability of an extra slouch, and its range: not only before sitting up

# Standard deviation of idle motion at level 1, degrees and meters; levels are log-uniform in _IDLE_LEVEL.
_IDLE: dict[Channel, float] = {
    C.HEAD_YAW: 0.6,
    C.HEAD_PITCH: 0.4,
    C.HEAD_ROLL: 0.3,
    C.CHEST_YAW: 0.25,
    C.CHEST_PITCH: 0.15,
    C.PELVIS_YAW: 0.1,
    C.LEAN: 0.7,
    C.SWAY: 0.7,
    C.LEFT_SHOULDER_UP: 0.001,
    C.RIGHT_SHOULDER_UP: 0.001,
    C.LEFT_SHOULDER_FORWARD: 0.001,
    C.RIGHT_SHOULDER_FORWARD: 0.001,
}
_IDLE_LEVEL: Range = (0.3, 3.0)
_TALKING = 0.6  # probability
_TALK_DEG: Range = (0.15, 1.5)
_TALK_HZ: Range = (0.4, 4.0)
_TALK_GATE_HZ: Range = (0.1, 0.8)
_TALK_GATE: Range = (-1.0, 0.8)  # gate on a unit wander: above it the person talks

_BREATH_HZ: Range = (0.2, 0.4)
_BREATH_M: Range = (0.0005, 0.004)

# Movements too small for a label: channels and time courses.
_EXTRA_HEAD = (C.HEAD_YAW, C.HEAD_PITCH, C.HEAD_ROLL)
_EXTRA_TRUNK = (C.LEAN, C.SWAY, C.CHEST_YAW, C.CHEST_PITCH)
# Leaning to the screen or back has no label: it may be larger, and the gaze stays level.
_LEANING = 0.2  # probability
_LEAN_DEG: Range = (1.5, 9)
_LEAN_GAZE: Range = (-1.0, -0.75)  # head pitch per degree of lean
_LEAN = Step(move_s=(0.5, 2.5))
_EXTRA_COURSES: tuple[Course, ...] = (Step(move_s=(0.2, 2.0)), Swing(hz=(0.3, 2.5), cycles=(0.5, 6)))


def posture(draws: Draws, N: int, T: int, spread: float) -> Floats:
    """Draw the constant posture of each person, (len(Channel), N, T) degrees and meters; ``spread`` times the usual."""
    motion = np.zeros((len(Channel), N, T), np.float32)
    for channel, deviation in _POSTURE.items():
        motion[channel] = np.float32(spread * deviation) * draws.normal(N, 1)
    motion[C.SLOUCH] = draws.uniform(_SLOUCH_DEG, N, 1)
    motion[C.SLOUCH] += draws.uniform(_SUNK[1], N, 1) * draws.chance(_SUNK[0], N, 1)
    return motion


def idle(draws: Draws, t: Floats) -> Floats:
    """Draw sway, breathing and talking, (len(Channel), N, T) degrees and meters, at t (N, T) seconds."""
    N = len(t)
    motion = np.zeros((len(Channel), *t.shape), np.float32)
    slow = wander(draws, len(_IDLE), t, (0.08, 1.2))
    level = draws.log_uniform(_IDLE_LEVEL, N, 1)
    for track, (channel, deviation) in zip(slow, _IDLE.items(), strict=True):
        motion[channel] = np.float32(deviation) * level * track

    talk = wander(draws, len(_EXTRA_HEAD), t, _TALK_HZ, waves=4)
    loudness = draws.log_uniform(_TALK_DEG, N, 1) * draws.chance(_TALKING, N, 1)
    loudness = loudness * smooth_step(4 * (wander(draws, 1, t, _TALK_GATE_HZ)[0] - draws.uniform(_TALK_GATE, N, 1)))
    for track, channel in zip(talk, _EXTRA_HEAD, strict=True):
        motion[channel] += loudness * track

    breath = np.sin(np.float32(2 * np.pi) * (draws.log_uniform(_BREATH_HZ, N, 1) * t + draws.uniform((0, 1), N, 1)))
    breath *= draws.log_uniform(_BREATH_M, N, 1)
    for channel in (C.LEFT_SHOULDER_UP, C.RIGHT_SHOULDER_UP):
        motion[channel] += breath
    motion[C.CHEST_PITCH] -= 80 * breath
    return motion


def extra_motion(draws: Draws, t: Floats, duration_s: Floats, head_deg: Floats, trunk_deg: Floats) -> Floats:
    """Draw small movements besides the action, (len(Channel), N, T) degrees.

    A clip has none, or one of the head, up to ``head_deg`` (N,), and one of the trunk, up to ``trunk_deg`` (N,).
    Some people lean forward or back.
    """
    N = len(t)
    motion = np.zeros((len(Channel), *t.shape), np.float32)
    for channels, most in ((_EXTRA_HEAD, head_deg), (_EXTRA_TRUNK, trunk_deg)):
        channel = np.asarray(channels)[draws.choice([1.0] * len(channels), N)]
        size = most * draws.uniform((0.1, 1), N) * draws.sign(N) * draws.chance(0.6, N)
        which = draws.choice([1.0] * len(_EXTRA_COURSES), N)
        for index, course in enumerate(_EXTRA_COURSES):
            rows = np.flatnonzero(which == index)
            curve = course.draw(draws, duration_s[rows])
            # The peak-to-peak size of a swing is twice its amplitude.
            motion[channel[rows], rows] += (size[rows] / curve.full)[:, None] * curve(t[rows])
    lean = draws.log_uniform(_LEAN_DEG, N) * draws.sign(N) * draws.chance(_LEANING, N)
    leaning = lean[:, None] * _LEAN.draw(draws, duration_s)(t)
    motion[C.LEAN] += leaning
    motion[C.HEAD_PITCH] += draws.uniform(_LEAN_GAZE, N, 1) * leaning
    return motion
