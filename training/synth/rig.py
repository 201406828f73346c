"""Trunk and head of the figure: a chain pelvis - chest - neck - head, driven by named channels of motion.

Meters; x to the figure's left, y up from the floor, z to its front. ``arms`` and ``legs`` attach the limbs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from mar_edge.training.synth.draws import Draws, Floats
from mar_edge.training.synth.ik import rotation, turned
from mar_edge.training.synth.world import World


class Channel(IntEnum):
    """The degrees of freedom of trunk and head. Angles are degrees in the tables, shifts are meters."""

    HEAD_YAW = 0
    HEAD_PITCH = 1
    HEAD_ROLL = 2
    CHEST_YAW = 3
    CHEST_PITCH = 4
    CHEST_ROLL = 5
    PELVIS_YAW = 6
    LEAN = 7  # trunk about the hips, forward
    SWAY = 8  # trunk about the hips, to the right
    SLOUCH = 9  # pelvis tips back, chest forward, spine sags
    LEFT_SHOULDER_UP = 10
    RIGHT_SHOULDER_UP = 11
    LEFT_SHOULDER_FORWARD = 12
    RIGHT_SHOULDER_FORWARD = 13
    PELVIS_X = 14
    PELVIS_Y = 15
    PELVIS_Z = 16


# Channels whose sign means a side of the body.
SIDED = (
    Channel.HEAD_YAW,
    Channel.HEAD_ROLL,
    Channel.CHEST_YAW,
    Channel.CHEST_ROLL,
    Channel.PELVIS_YAW,
    Channel.SWAY,
    Channel.PELVIS_X,
)
_ANGLES = slice(Channel.HEAD_YAW, Channel.SLOUCH + 1)
_NECK_SHARE = np.float32(0.4)  # share of a head rotation; the rest is at the skull
_SAG_PER_RADIAN = np.float32(0.08)  # m the spine shortens as it slouches


@dataclass(frozen=True)
class Body:
    """Lengths in m, each (N,), proportional to stature, varied per person.

    Limbs follow Winter's segment table. Trunk and neck follow the joints that a pose model marks on real people: their
    shoulders are 0.65 shoulder widths below the eyes, their hips 1.6.

    head: (N, 3) width, height and depth relative to an average head.
    """

    stature: Floats
    lumbar: Floats
    thorax: Floats
    neck: Floats
    shoulder_half: Floats
    hip_half: Floats
    upper_arm: Floats
    forearm: Floats
    hand: Floats
    thigh: Floats
    shin: Floats
    foot: Floats
    head: Floats


def draw_bodies(draws: Draws, N: int, world: World) -> Body:
    """Draw N bodies."""
    mean, deviation = world.stature_m
    stature = np.clip(mean + deviation * draws.normal(N), 1.3, 2.1).astype(np.float32)

    def length(share: float) -> Floats:
        usual: Floats = stature * np.float32(share)
        return usual * draws.uniform(world.proportion, N)

    return Body(
        stature=stature,
        lumbar=length(0.127),
        thorax=length(0.175),
        neck=length(0.098),
        shoulder_half=length(0.097),
        hip_half=length(0.064),
        upper_arm=length(0.172),
        forearm=length(0.15),
        hand=length(0.105),
        thigh=length(0.242),
        shin=length(0.242),
        foot=length(0.15),
        head=draws.uniform(world.head, N, 1) * draws.uniform((0.93, 1.07), N, 3),
    )


@dataclass(frozen=True)
class Trunk:
    """Points (N, T, 3) m and frames (N, T, 3, 3) of trunk and head; sides are (N, T, 2, 3), left first."""

    pelvis: Floats
    seat_frame: Floats
    chest: Floats
    chest_frame: Floats
    neck: Floats
    head: Floats
    head_frame: Floats
    shoulders: Floats
    hips: Floats


def pose_trunk(body: Body, pelvis_height: Floats, motion: Floats) -> Trunk:
    """Pose trunk and head from channels.

    Args:
        pelvis_height: (N,) m, height of the hips above the floor at rest.
        motion: (len(Channel), N, T) degrees and meters.
    """
    _, N, T = motion.shape
    angle = np.deg2rad(motion[_ANGLES]).astype(np.float32)
    slouch = angle[Channel.SLOUCH]
    zero = np.zeros_like(slouch)
    C = Channel

    def along(value: Floats) -> Floats:
        return np.broadcast_to(value[:, None], (N, T))

    pelvis = motion[C.PELVIS_X : C.PELVIS_Z + 1].transpose(1, 2, 0).copy()  # (N, T, 3)
    pelvis[..., 1] += pelvis_height[:, None]
    # A seated trunk sways above the seat; the hips follow only a little.
    seat = rotation(angle[C.PELVIS_YAW], zero, np.float32(0.15) * angle[C.SWAY])
    lumbar: Floats = seat @ rotation(zero, angle[C.LEAN] - np.float32(0.6) * slouch, np.float32(0.85) * angle[C.SWAY])
    chest_frame: Floats = lumbar @ rotation(
        angle[C.CHEST_YAW], angle[C.CHEST_PITCH] + np.float32(1.4) * slouch, angle[C.CHEST_ROLL]
    )
    # The gaze stays nearly level as the back bends, and the chin comes forward.
    neck_pitch = _NECK_SHARE * angle[C.HEAD_PITCH] + np.float32(0.1) * slouch
    skull_pitch = (1 - _NECK_SHARE) * angle[C.HEAD_PITCH] - np.float32(0.7) * slouch
    neck_frame: Floats = chest_frame @ rotation(
        _NECK_SHARE * angle[C.HEAD_YAW], neck_pitch, _NECK_SHARE * angle[C.HEAD_ROLL]
    )
    head_frame: Floats = neck_frame @ rotation(
        (1 - _NECK_SHARE) * angle[C.HEAD_YAW], skull_pitch, (1 - _NECK_SHARE) * angle[C.HEAD_ROLL]
    )
    chest = pelvis + turned(lumbar, zero, along(body.lumbar) - _SAG_PER_RADIAN * slouch, zero)
    neck = chest + turned(chest_frame, zero, along(body.thorax) - _SAG_PER_RADIAN * slouch, zero)
    head = neck + turned(neck_frame, zero, along(body.neck), along(body.neck * np.float32(0.15)))

    shoulders = np.empty((N, T, 2, 3), np.float32)
    hips = np.empty((N, T, 2, 3), np.float32)
    for side, sign in enumerate((1, -1)):
        up, forward = motion[C.LEFT_SHOULDER_UP + side], motion[C.LEFT_SHOULDER_FORWARD + side]
        # A raised shoulder also moves inward, about the inner end of the collarbone.
        out = sign * (along(body.shoulder_half) - np.float32(0.25) * np.abs(up))
        shoulders[:, :, side] = neck + turned(chest_frame, out, up, forward)
        hips[:, :, side] = pelvis + turned(seat, sign * along(body.hip_half), zero, zero)
    return Trunk(pelvis, seat, chest, chest_frame, neck, head, head_frame, shoulders, hips)
