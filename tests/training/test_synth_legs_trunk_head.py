"""Actions of legs, trunk and head move the points of the figure (meters) as their labels mean."""

import numpy as np
import pytest
from synth_points import (
    ANKLES,
    HEELS,
    HIPS,
    KNEES,
    LEFT_EAR,
    LEFT_EYE,
    NOSE,
    RIGHT_EAR,
    RIGHT_EYE,
    SHOULDERS,
    TOES,
    apart,
    extent,
    reversals,
)
from synth_scenes import N, points_of, scene_of

from mar_edge.training.synth.rig import Channel


def knees_apart(p: np.ndarray) -> np.ndarray:
    return apart(p[:, :, KNEES[0]], p[:, :, KNEES[1]])


def test_knees_open_and_close():
    spread = knees_apart(points_of("spread legs"))
    assert (spread.max(axis=1) - spread[:, 0] > 0.08).mean() > 0.9
    closing = knees_apart(points_of("closing legs"))
    assert (closing[:, 0] - closing[:, -1] > 0.08).mean() > 0.9


def ahead(p: np.ndarray) -> np.ndarray:
    """Return the distance (n, T, 2) m of the feet from the hips in the room, forward or sideways."""
    return apart(p[:, :, ANKLES][..., (0, 2)], p[:, :, HIPS][:, :, :, (0, 2)])


def test_feet_stretch_and_retract():
    out = ahead(points_of("stretching feet"))
    assert ((out - out[:, :1]).max(axis=(1, 2)) > 0.07).mean() > 0.9
    back = ahead(points_of("retracting feet"))
    assert ((back - back[:, :1]).min(axis=(1, 2)) < -0.12).mean() > 0.9


def over(p: np.ndarray) -> np.ndarray:
    """Return the height (n, T, 2) of each ankle above the floor, m."""
    return p[:, :, ANKLES, 1] - np.minimum(p[:, :, HEELS, 1], p[:, :, TOES, 1]).min(axis=(1, 2))[:, None, None]


def test_crossing_legs_puts_one_leg_over_the_other():
    lifted = over(points_of("curling legs"))
    assert (lifted.max(axis=(1, 2)) > 0.28).mean() > 0.85
    assert (lifted[:, 0].max(axis=1) < 0.25).mean() > 0.8


def test_crossed_legs_change_over():
    p = points_of("crossing legs")
    order = p[:, :, ANKLES[0], 0] - p[:, :, ANKLES[1], 0]
    assert (extent(order) > 0.12).mean() > 0.9


def test_tiptoe_raises_the_heel_or_rolls_the_foot():
    p = points_of("tiptoe")
    lift = p[:, :, HEELS, 1] - p[:, :, TOES, 1]
    tilt = np.abs(p[:, :, TOES, 0] - p[:, :, ANKLES, 0])
    assert ((extent(lift.reshape(N, -1)) > 0.03) | (extent(tilt.reshape(N, -1)) > 0.04)).mean() > 0.9


def test_legs_shake():
    p = points_of("shaking legs")
    knees = p[:, :, KNEES]
    feet = p[:, :, ANKLES]
    count = [
        reversals(track, np.full(N, 0.006))
        for joint in (knees, feet)
        for side in range(2)
        for track in (joint[:, :, side, 0], joint[:, :, side, 1])
    ]
    assert (np.max(count, axis=0) >= 2).mean() > 0.85


def test_trunk_actions_move_the_named_part():
    scene = scene_of("shaking body")
    sway = scene.motion[Channel.SWAY] + scene.motion[Channel.CHEST_YAW]
    assert (extent(sway) > 0.5 * scene.amplitude).mean() > 0.9
    rise = points_of("rising up")
    height = rise[:, :, HIPS[0], 1] - rise[:, :, ANKLES[0], 1]
    assert (extent(height) > 0.4 * scene_of("rising up").amplitude).mean() > 0.9
    sit = points_of("sitting straightly")
    head = sit[:, :, NOSE, 1] - sit[:, :, HIPS[0], 1]
    assert (head.max(axis=1) - head[:, 0] > 0.01).mean() > 0.9
    turn = scene_of("turning around")
    line = turn.points[:, :, 11] - turn.points[:, :, 12]
    assert (extent(np.rad2deg(np.arctan2(line[..., 2], line[..., 0]))) > 0.3 * turn.amplitude).all()


def relative_nose(name: str) -> np.ndarray:
    points = scene_of(name).views.points
    return points[:, :, NOSE] - points[:, :, SHOULDERS].mean(axis=2)


@pytest.mark.parametrize("name", ["nodding", "bowing head", "head up"])
def test_pitch_moves_the_nose_up_and_down(name):
    nose = relative_nose(name)
    assert (extent(nose[..., 1]) > extent(nose[..., 0])).mean() > 0.9


@pytest.mark.parametrize("name", ["shaking head", "turning head"])
def test_yaw_moves_the_nose_sideways(name):
    nose = relative_nose(name)
    assert (extent(nose[..., 0]) > extent(nose[..., 1])).mean() > 0.9


def test_shaking_reverses_more_often_than_turning():
    def count(name: str) -> np.ndarray:
        yaw = scene_of(name).motion[Channel.HEAD_YAW]
        return reversals(yaw, 0.25 * extent(yaw))

    # A shake that is cut off at the edge of its clip may show one of its reversals fewer.
    assert (count("shaking head") >= 2).mean() > 0.75
    assert (count("turning head") <= 1).mean() > 0.9


def test_tilting_rolls_the_line_of_the_eyes():
    scene = scene_of("tilting head")
    eyes = scene.views.points[:, :, LEFT_EYE] - scene.views.points[:, :, RIGHT_EYE]
    assert (extent(np.rad2deg(np.arctan2(eyes[..., 1], eyes[..., 0]))) > 0.35 * scene.amplitude).all()


def test_shrugging_brings_shoulders_to_the_ears():
    scene = scene_of("shrugging")
    up = scene.motion[Channel.LEFT_SHOULDER_UP] + scene.motion[Channel.RIGHT_SHOULDER_UP]
    raising = extent(up) > scene.amplitude  # the others push forward, or raise only one
    gap = sum(
        apart(scene.points[:, :, ear], scene.points[:, :, shoulder])
        for ear, shoulder in zip((LEFT_EAR, RIGHT_EAR), SHOULDERS, strict=True)
    )
    clips = np.arange(N)
    shrugged, relaxed = gap[clips, up.argmax(axis=1)], gap[clips, up.argmin(axis=1)]
    assert raising.mean() > 0.4
    assert (shrugged < relaxed - 0.005)[raising].mean() > 0.9
