"""Features that make synthetic footage realistic: each against the same world without it."""

from dataclasses import replace

import numpy as np
import pytest
from synth_points import ELBOWS, HIPS, KNEES, LEFT_EYE, RIGHT_EYE, SHOULDERS, WRISTS, apart, extent

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.camera import FACE, POINTS
from mar_edge.training.synth.courses import LONG_S
from mar_edge.training.synth.drag import drag_shoulders
from mar_edge.training.synth.draws import Draws
from mar_edge.training.synth.faults import Shown, keypoints, skeletons
from mar_edge.training.synth.framing import Framing, draw_framing
from mar_edge.training.synth.generator import CLASSES, draw_scene, synthesize
from mar_edge.training.synth.hand_parts import PLACES
from mar_edge.training.synth.places import RESTS
from mar_edge.training.synth.world import FEATURES, HELD_OUT, TRAINING

N = 120
BY_NAME = {label.name: label for label in CLASSES}
NOTHING = (CLASSES[-1],)
DESK = replace(TRAINING.without(*FEATURES), desk=1.0)


def draws(seed: int = 0) -> Draws:
    return Draws(np.random.default_rng(seed))


def pixels(scene, world, seed: int = 1) -> np.ndarray:
    """Return the body keypoints (N, T, 33, 2) px of the pose stage."""
    body, *_ = keypoints(draws(seed), scene.views, scene.t, shown=scene.shown, world=world)
    return body[..., :2]


@pytest.mark.parametrize("world", [TRAINING, HELD_OUT])
def test_every_feature_can_be_left_out_by_name(world):
    for name, off in FEATURES.items():
        left = world.without(name)
        assert left != world
        assert {field: getattr(left, field) for field in off} == off
        assert replace(left, **{field: getattr(world, field) for field in off}) == world
    with pytest.raises(MarEdgeError, match=r"drags.*drag, framing, camera, hands, noise-by-size"):
        world.without("drags")
    assert world.without() == world


def test_shoulders_follow_the_head_only_without_visible_hips():
    scene = draw_scene(draws(3), N, (BY_NAME["turning head"],), DESK, alone=True)

    def narrowing(world, seen: bool) -> np.ndarray:
        points = scene.views.points.copy()
        found = np.zeros((*points.shape[:3],), bool)
        found[:, :, HIPS] = seen
        drag_shoulders(draws(5), points, seen=found, turn=scene.views.turn, size=scene.views.size, world=world)
        width = apart(points[:, :, SHOULDERS[0]], points[:, :, SHOULDERS[1]])
        return extent(width) / width.max(axis=1)

    dragged, still, held = narrowing(TRAINING, False), narrowing(DESK, False), narrowing(TRAINING, True)
    assert np.median(still) < 0.05
    assert 0.1 < np.median(dragged) < 0.4
    assert 0.1 < (dragged - still < 0.02).mean() < 0.5  # some people show no drag, and some turns are small
    assert np.quantile(dragged, 0.98) < 0.6
    assert np.median(held) < 0.07


def test_shoulders_outside_the_picture_follow_the_head():
    t = np.linspace(0, 2, 64, dtype=np.float32)
    points = np.zeros((N, 64, POINTS, 2), np.float32)
    points[:, :, :11] = (200, 150)
    points[:, :, :11, 0] += 30 * np.sin(3 * t)[:, None]
    points[:, :, SHOULDERS] = np.float32([[300, 360], [100, 360]])
    before, turn = points.copy(), np.zeros((N, 64, 3), np.float32)
    size, nothing = np.full((N, 2), (400, 300), np.float32), np.zeros((N, 64, POINTS), bool)
    drag_shoulders(draws(), points, seen=nothing, turn=turn, size=size, world=replace(TRAINING, drag=1.0))
    ways = extent(points[:, :, SHOULDERS].mean(axis=2)[..., 0])
    assert (before[:, :, :11] == points[:, :, :11]).all()
    assert (ways > 0.2 * 60).mean() > 0.9
    assert ways.max() < 61


def seen_joints(world, count: int = 160) -> np.ndarray:
    scene = draw_scene(draws(9), count, NOTHING, world)
    marked = keypoints(draws(2), scene.views, scene.t, shown=scene.shown, world=world)
    joints, _ = skeletons(marked, scene.views.size)
    return np.isfinite(joints[..., 0]).mean(axis=1) > 0.5


def test_a_face_fills_the_picture():
    joints = load_layout("ma52").joints
    seen = seen_joints(replace(DESK, face_only=1.0))
    assert seen[:, [joints.index("left_eye"), joints.index("right_eye")]].all(axis=1).mean() > 0.95
    assert seen[:, [joints.index("left_shoulder"), joints.index("right_shoulder")]].any(axis=1).mean() < 0.25
    assert seen[:, [joints.index("left_wrist"), joints.index("left_hip")]].any(axis=1).mean() < 0.05


def test_a_picture_to_the_hips_has_no_knees():
    joints = load_layout("ma52").joints
    for world in (replace(DESK, desk_to_hips=1.0), replace(DESK, desk=0.0, room_to_hips=1.0, standing_to_hips=0.5)):
        seen = seen_joints(world)
        assert seen[:, [joints.index("left_hip"), joints.index("right_hip")]].any(axis=1).mean() > 0.9
        assert not seen[:, [joints.index("left_knee"), joints.index("right_knee")]].any()


def test_crops_show_any_part_but_always_acting_legs():
    world = replace(TRAINING, desk=0.0, room_crop=0.8, room_to_hips=0.2)
    legs = np.arange(400) < 200
    framing = draw_framing(draws(), np.zeros(400, bool), legs, world)
    assert (framing[legs] == Framing.FULL).all()
    assert set(framing[~legs].tolist()) == {Framing.CROP, Framing.HIPS}
    scene = draw_scene(draws(), N, (BY_NAME["crossing legs"],), world)
    assert (scene.views.framing == Framing.FULL).all()


def test_standing_people_let_their_hands_hang():
    hanging = []
    for standing in (0.0, 1.0):
        points = draw_scene(draws(4), N, NOTHING, replace(DESK, desk=0.0, standing=standing)).points
        forearm = points[:, :, ELBOWS] - points[:, :, WRISTS]
        down = (forearm[..., 1] / np.linalg.norm(forearm, axis=-1)).max(axis=2).mean(axis=1)
        hanging.append((down > 0.85).mean())
    assert hanging[0] < 0.25
    assert hanging[1] > 0.4
    assert any(place.name == "hanging" for place in RESTS)


def test_only_worlds_with_the_camera_feature_have_moving_cameras():
    def sky(world) -> np.ndarray:
        """Tell for 300 clips whether the feet, which stay on the floor, move in the picture."""
        scene = draw_scene(draws(6), 300, NOTHING, world, alone=True)
        feet = scene.views.points[:, :, 27:29].mean(axis=2)
        way = np.linalg.norm(extent(feet), axis=-1) / scene.views.size.min(axis=1)
        return way > 0.012

    world = replace(DESK, desk=0.0)
    still, moving = sky(world).mean(), sky(replace(world, moving_camera=1.0)).mean()
    assert still < 0.1
    assert moving > 0.7


def test_cuts_are_jumps():
    scene = draw_scene(draws(6), 300, NOTHING, replace(DESK, desk=0.0, moving_camera=1.0), alone=True)
    jump = np.abs(np.diff(scene.views.points[:, :, 27], axis=1)).max(axis=(1, 2)) / scene.views.size.min(axis=1)
    assert 0.1 < (jump > 0.04).mean() < 0.5


def test_keypoints_of_small_people_wander_together_by_part():
    scene = draw_scene(draws(7), N, NOTHING, replace(DESK, desk=0.0), alone=True)
    small = replace(
        scene.views,
        points=scene.views.points * (200 / scene.views.scale)[:, None, None, None],
        size=scene.views.size * (200 / scene.views.scale)[:, None],
        scale=np.full_like(scene.views.scale, 200),
    )
    noise = {}
    for name, world in (("with", replace(DESK, noise_by_size=1.0)), ("without", DESK)):
        body, _, _, face = keypoints(draws(8), small, scene.t, shown=scene.shown, world=world)
        noise[name] = body[..., :2] - small.points[:, :, :33], face[..., :2] - small.points[:, :, FACE]
    added = [a - b for a, b in zip(noise["with"], noise["without"], strict=True)]
    # px at 200 px per meter; the values of the table are at 652 px per meter.
    eyes, knees = ((part[:, :, pair] * 652 / 200).std(axis=1) for part, pair in ((added[0], (2, 5)), (added[0], KNEES)))
    assert 1 < np.median(eyes) < 4
    assert np.median(knees) > 1
    assert np.median((added[1] * 652 / 200).std(axis=1)) > 2
    together = [np.corrcoef(clip[:, LEFT_EYE, 0], clip[:, RIGHT_EYE, 0])[0, 1] for clip in added[0]]
    assert np.median(together) > 0.6


def test_hands_that_touch_jitter():
    scene = draw_scene(draws(7), N, (BY_NAME["putting hands together"],), DESK, alone=True)
    points = scene.views.points
    near = apart(points[:, :, WRISTS[0]], points[:, :, WRISTS[1]]) < 0.12 * scene.views.scale[:, None]

    def jitter(world) -> float:
        bend = np.diff(pixels(scene, world)[:, :, WRISTS], n=2, axis=1) / scene.views.scale[:, None, None, None]
        return float(np.median(np.linalg.norm(bend, axis=-1)[near[:, 1:-1]]))

    assert near.mean() > 0.2
    assert jitter(replace(DESK, loose_hands=1.0)) > 2 * jitter(DESK)


def test_a_shoulder_just_outside_the_picture_still_gives_the_neck():
    body = np.ones((1, 1, 33, 3), np.float32)
    body[..., :2] = 50
    body[:, :, 11, :2], body[:, :, 12, :2] = (110, 80), (40, 80)
    hand, face = np.zeros((1, 1, 21, 3), np.float32), np.zeros((1, 1, 6, 3), np.float32)
    joints, scores = skeletons((body, hand, hand, face), np.float32([[100, 100]]))
    names = load_layout("ma52").joints
    assert joints[0, 0, names.index("neck")].tolist() == [75, 80]
    assert np.isnan(joints[0, 0, names.index("left_shoulder")]).all()
    assert scores[0, 0, names.index("left_shoulder")] == 0
    assert scores[0, 0, names.index("right_shoulder")] == 1


def test_shoulders_are_found_outside_the_picture():
    scene = draw_scene(draws(3), 200, NOTHING, replace(DESK, face_only=1.0))
    body, *_ = keypoints(
        draws(2), scene.views, scene.t, shown=Shown(scene.shown.desk, scene.shown.legs, scene.shown.hands)
    )
    seen = body[:, :, SHOULDERS, 2] > 0
    outside = body[:, :, SHOULDERS, 1] > scene.views.size[:, None, None, 1]
    assert (seen & outside).any(axis=(1, 2)).mean() > 0.2


def test_postures_may_be_held_long():
    holds = {
        action.name: max(getattr(manner.course, "hold_s", (0, 0))[1] for manner in action.manners) for action in ACTIONS
    }
    for name in ("crossing arms", "covering face", "scratching or touching face", "touching legs", "playing objects"):
        assert holds[name] == LONG_S >= 14
    assert holds["turning head"] < 4
    assert len(PLACES) == len(set(PLACES))


def test_a_world_without_features_makes_other_clips():
    plain = synthesize(3, 0, 32, world=TRAINING.without(*FEATURES))
    assert np.isfinite(plain.joints).all()
    assert not np.array_equal(plain.joints, synthesize(3, 0, 32).joints)
