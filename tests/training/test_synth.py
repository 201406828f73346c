import itertools

import numpy as np
import pytest

from edge.labels import background_label
from edge.layout import load_layout
from edge.preprocess import fill_missing
from training.synth.actions import ACTIONS, Action
from training.synth.camera import BODY
from training.synth.courses import Step, Swing
from training.synth.draw import contact_sheet, write_animation
from training.synth.draws import Draws
from training.synth.faults import camera_rate
from training.synth.generator import CLASSES, Scene, draw_scene, synthesise
from training.synth.ik import rotation, two_bones
from training.synth.rig import Channel

# BlazePose numbers.
NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR, LEFT_SHOULDER, RIGHT_SHOULDER = 0, 2, 5, 7, 8, 11, 12
LEFT_HIP, RIGHT_HIP, LEFT_ANKLE = 23, 24, 27


@pytest.fixture(scope="module")
def scene() -> Scene:
    return draw_scene(Draws(np.random.default_rng(11)), 700)


@pytest.fixture(scope="module")
def batch():
    return synthesise(3, 0, 256)


def clips_of(scene: Scene, name: str) -> np.ndarray:
    index = [label.name for label in CLASSES].index(name)
    return np.flatnonzero(scene.labels == index)


def extent(track: np.ndarray) -> np.ndarray:
    """(n, T) -> (n,) peak to peak."""
    return np.ptp(track, axis=1)


def test_classes_are_the_trunk_and_head_actions_and_the_background():
    assert [label.id for label in CLASSES] == [*range(11), background_label().id]
    assert [(label.id, label.name) for label in CLASSES[:-1]] == [(a.id, a.name) for a in ACTIONS]


def test_a_chunk_is_always_the_same_clips(batch):
    again = synthesise(3, 0, 256)
    np.testing.assert_array_equal(batch.joints, again.joints)
    np.testing.assert_array_equal(batch.labels, again.labels)


@pytest.mark.parametrize(("seed", "chunk"), [(3, 1), (4, 0)])
def test_another_chunk_or_seed_is_other_clips(batch, seed, chunk):
    other = synthesise(seed, chunk, 256)
    assert not np.isclose(batch.joints, other.joints).all(axis=(1, 2, 3)).any()


def test_a_batch_is_what_it_says(batch):
    assert batch.joints.shape == (256, 64, 44, 2)
    assert batch.joints.dtype == np.float32
    assert batch.labels.dtype == np.int64
    assert np.isfinite(batch.joints).all()
    assert set(batch.labels) == set(range(len(CLASSES)))
    assert (batch.duration_s > 0.69).all()
    assert (batch.duration_s < 4.01).all()
    assert 0.5 < np.isclose(batch.duration_s, 2).mean() < 0.8


def test_background_is_about_twice_as_frequent(scene):
    counts = np.bincount(scene.labels)
    assert 1.3 < counts[-1] / counts[:-1].mean() < 2.9


def test_fewer_classes_can_be_asked_for():
    wanted = (CLASSES[9], CLASSES[-1])
    batch = synthesise(0, 0, 60, classes=wanted)
    assert set(batch.labels) == {0, 1}
    assert (batch.amplitude[batch.labels == 0] > 0).all()
    assert (batch.amplitude[batch.labels == 1] == 0).all()


def test_limbs_keep_their_lengths(scene):
    for chain in ((11, 13, 15), (12, 14, 16), (23, 25, 27), (24, 26, 28)):
        for a, b in itertools.pairwise(chain):
            length = np.linalg.norm(scene.points[:, :, a] - scene.points[:, :, b], axis=-1)
            assert extent(length).max() < 1e-4


def test_two_bones_reach_the_target_and_bend_to_the_pole():
    root, target = np.zeros((5, 3), np.float32), np.tile(np.float32((0, -0.4, 0.1)), (5, 1))
    ones = np.ones(5, np.float32)
    middle, end = two_bones(root, target, 0.3 * ones, 0.25 * ones, np.tile(np.float32((1, 0, 0)), (5, 1)))
    np.testing.assert_allclose(end, target, atol=1e-6)
    assert (middle[:, 0] > 0.05).all()
    np.testing.assert_allclose(np.linalg.norm(middle, axis=-1), 0.3, atol=1e-5)


def test_rotations_turn_the_way_they_say():
    quarter, nil = np.float32([np.pi / 2]), np.zeros(1, np.float32)
    front, top = np.float32((0, 0, 1)), np.float32((0, 1, 0))
    np.testing.assert_allclose(rotation(quarter, nil, nil)[0] @ front, (1, 0, 0), atol=1e-6)
    np.testing.assert_allclose(rotation(nil, quarter, nil)[0] @ top, (0, 0, 1), atol=1e-6)
    np.testing.assert_allclose(rotation(nil, nil, quarter)[0] @ top, (-1, 0, 0), atol=1e-6)


def test_enough_of_every_action_is_inside_its_clip(scene):
    assert scene.visible.min() >= 0.45


@pytest.mark.parametrize("course", [Step((0.2, 3)), Swing((0.2, 4), (0.5, 9)), Swing((0.2, 4), (1, 9), min_cycles=1)])
def test_a_course_shows_itself_in_clips_of_any_length(course):
    duration_s = np.repeat(np.float32((0.7, 1, 2, 4)), 100)
    t = duration_s[:, None] * np.linspace(0, 1, 64, dtype=np.float32)
    curve = course.draw(Draws(np.random.default_rng(0)), duration_s)
    assert (extent(curve(t)) / curve.full).min() >= 0.44


def relative_nose(scene: Scene, rows: np.ndarray) -> np.ndarray:
    shoulders = (scene.views.points[rows, :, LEFT_SHOULDER] + scene.views.points[rows, :, RIGHT_SHOULDER]) / 2
    return scene.views.points[rows, :, NOSE] - shoulders


@pytest.mark.parametrize("name", ["nodding", "bowing head", "head up"])
def test_pitch_moves_the_nose_up_and_down(scene, name):
    nose = relative_nose(scene, clips_of(scene, name))
    assert (extent(nose[..., 1]) > extent(nose[..., 0])).mean() > 0.9


@pytest.mark.parametrize("name", ["shaking head", "turning head"])
def test_yaw_moves_the_nose_sideways(scene, name):
    nose = relative_nose(scene, clips_of(scene, name))
    assert (extent(nose[..., 0]) > extent(nose[..., 1])).mean() > 0.9


def reversals(track: np.ndarray, least: np.ndarray) -> np.ndarray:
    """(n, T) -> (n,) changes of direction, each after a way of at least ``least`` (n,)."""
    counts = np.zeros(len(track), int)
    for i, (values, way) in enumerate(zip(track, least, strict=True)):
        extreme, direction = values[0], 0
        for value in values:
            if direction * (value - extreme) > 0 or (direction == 0 and abs(value - extreme) > way):
                direction = direction or np.sign(value - extreme)
                extreme = value
            elif direction * (extreme - value) > way:
                counts[i] += 1
                extreme, direction = value, -direction
    return counts


def test_a_shaken_head_comes_back_and_a_turned_one_hardly_does(scene):
    def count(name: str) -> np.ndarray:
        yaw = scene.motion[Channel.HEAD_YAW, clips_of(scene, name)]
        return reversals(yaw, 0.25 * extent(yaw))

    # A shake that is cut off at the edge of its clip may show one of its reversals fewer.
    assert (count("shaking head") >= 2).mean() > 0.75
    assert (count("turning head") <= 1).mean() > 0.9


def test_tilting_rolls_the_line_of_the_eyes(scene):
    rows = clips_of(scene, "tilting head")
    eyes = scene.views.points[rows, :, LEFT_EYE] - scene.views.points[rows, :, RIGHT_EYE]
    roll_deg = np.rad2deg(np.arctan2(eyes[..., 1], eyes[..., 0]))
    assert (extent(roll_deg) > 0.35 * scene.amplitude[rows]).all()


def test_shrugging_brings_shoulders_to_the_ears():
    draws = Draws(np.random.default_rng(0))
    scene = draw_scene(draws, 120, [label for label in CLASSES if label.name == "shrugging"])
    up = scene.motion[Channel.LEFT_SHOULDER_UP] + scene.motion[Channel.RIGHT_SHOULDER_UP]
    raising = extent(up) > scene.amplitude  # the others push forward, or raise one alone
    apart = sum(
        np.linalg.norm(scene.points[:, :, ear] - scene.points[:, :, shoulder], axis=-1)
        for ear, shoulder in ((LEFT_EAR, LEFT_SHOULDER), (RIGHT_EAR, RIGHT_SHOULDER))
    )
    frames = np.arange(120)
    shrugged, relaxed = apart[frames, up.argmax(axis=1)], apart[frames, up.argmin(axis=1)]
    assert raising.mean() > 0.5
    assert (shrugged < relaxed - 0.005)[raising].mean() > 0.95


def test_rising_lifts_the_hips_off_the_seat(scene):
    rows = clips_of(scene, "rising up")
    height = scene.points[rows, :, LEFT_HIP, 1] - scene.points[rows, :, LEFT_ANKLE, 1]
    assert (extent(height) > 0.4 * scene.amplitude[rows]).mean() > 0.9


def test_sitting_straight_lifts_the_head_over_the_hips(scene):
    rows = clips_of(scene, "sitting straightly")
    height = scene.points[rows, :, NOSE, 1] - scene.points[rows, :, LEFT_HIP, 1]
    peak = height.max(axis=1) - height[:, 0]
    assert (peak > 0.01).mean() > 0.9


def test_turning_around_turns_the_shoulders(scene):
    rows = clips_of(scene, "turning around")
    line = scene.points[rows, :, LEFT_SHOULDER] - scene.points[rows, :, RIGHT_SHOULDER]
    yaw_deg = np.rad2deg(np.arctan2(line[..., 2], line[..., 0]))
    assert (extent(yaw_deg) > 0.3 * scene.amplitude[rows]).all()


def test_background_heads_move_less_than_any_labelled_one(scene):
    rows = clips_of(scene, background_label().name)
    motion = scene.motion[:, rows]
    yaw = motion[Channel.HEAD_YAW] + motion[Channel.CHEST_YAW]
    pitch = motion[Channel.HEAD_PITCH] + motion[Channel.CHEST_PITCH] + motion[Channel.LEAN]
    roll = motion[Channel.HEAD_ROLL] + motion[Channel.SWAY]
    for name, angle in (("turning head", yaw), ("bowing head", pitch), ("tilting head", roll)):
        smallest = next(action.amplitude[0] for action in ACTIONS if action.name == name)
        assert np.quantile(extent(angle), 0.5) < 0.4 * smallest
        assert np.quantile(extent(angle), 0.97) < smallest


def test_every_camera_keeps_the_head_and_a_room_camera_the_hips(scene):
    def inside(points: np.ndarray) -> np.ndarray:
        return ((points > 0) & (points < scene.views.size[:, None, None])).all(axis=(-1, -2)).mean(axis=1) > 0.5

    assert inside(scene.views.points[:, :, [LEFT_HIP, RIGHT_HIP]])[~scene.desk].mean() > 0.95
    assert inside(scene.views.points[:, :, [NOSE, LEFT_EYE, RIGHT_EYE]]).mean() > 0.97


def test_a_desk_camera_loses_the_hips(batch):
    layout = load_layout("ma52")
    neck, hip_centre = layout.root, layout.joints.index("hip_centre")
    lost = np.isclose(batch.joints[:, :, hip_centre], batch.joints[:, :, neck], atol=1e-2).all(axis=(1, 2))
    assert lost[batch.desk].mean() > 0.75
    assert lost[~batch.desk].mean() < 0.3


def test_the_figure_is_smooth(scene):
    # 2 s in 64 frames: nothing crosses a third of a metre between two of them.
    step = np.abs(np.diff(scene.points[:, :, BODY], axis=1)).max(axis=(1, 2, 3))
    assert np.quantile(step, 0.99) < 0.35


def test_a_camera_slower_than_the_frames_draws_straight_lines():
    joints = np.random.default_rng(0).normal(size=(40, 64, 3, 2)).astype(np.float32)
    out = camera_rate(Draws(np.random.default_rng(1)), joints, np.full(40, 2, np.float32))
    roughness = [np.abs(np.diff(x, n=2, axis=1)).mean() for x in (out, joints)]
    assert roughness[0] < 0.8 * roughness[1]
    line = np.broadcast_to(np.linspace(0, 63, 64, dtype=np.float32)[None, :, None, None], (40, 64, 3, 2))
    straight = camera_rate(Draws(np.random.default_rng(1)), line.copy(), np.full(40, 2, np.float32))
    np.testing.assert_allclose(straight[:, 4:-4], line[:, 4:-4], atol=1e-3)


def one_at_a_time(clip: np.ndarray) -> np.ndarray:
    """What ``fill_missing`` promises, joint by joint and in words of its own."""
    layout = load_layout("ma52")
    missing = np.isnan(clip).any(axis=-1)
    out, frames = clip.astype(np.float64), np.arange(len(clip))
    never = missing.all(axis=0)
    if never.all():
        return np.zeros_like(out)
    for v in np.flatnonzero(~never):
        for axis in range(2):
            out[:, v, axis] = np.interp(frames, frames[~missing[:, v]], clip[~missing[:, v], v, axis])
    middle = out[:, ~never].mean(axis=1)
    for v in np.flatnonzero(never):
        parent = int(v)
        while never[parent] and parent != layout.root:
            parent = layout.fill_parents[parent]
        out[:, v] = middle if never[parent] else out[:, parent]
    return out


@pytest.mark.parametrize("gaps", [0, 0.1, 0.6, 0.98, 1])
def test_filling_a_batch_equals_filling_each_clip(gaps):
    rng, layout = np.random.default_rng(5), load_layout("ma52")
    clips = rng.normal(300, 200, (2, 6, 20, 44, 2)).astype(np.float32)
    clips[rng.random((2, 6, 20, 44)) < gaps] = np.nan
    clips.swapaxes(2, 3)[rng.random((2, 6, 44)) < 0.4 * (gaps > 0)] = np.nan
    filled = fill_missing(clips, layout)
    assert filled.shape == clips.shape
    for i, j in np.ndindex(2, 6):
        np.testing.assert_allclose(filled[i, j], one_at_a_time(clips[i, j]), atol=2e-3)
        np.testing.assert_array_equal(filled[i, j], fill_missing(clips[i, j], layout))


def test_every_row_of_the_table_is_sound():
    for action in ACTIONS:
        assert isinstance(action, Action)
        assert 0 < action.amplitude[0] < action.amplitude[1]
        for manner in action.manners:
            for drive in (*manner.drives, *manner.start):
                assert drive.gain[0] <= drive.gain[1]


def test_clips_can_be_drawn(batch, tmp_path):
    sheet = contact_sheet(batch.joints[:2], ["one", "two"], columns=4, height=120)
    assert sheet.shape[0] == 2 * 122
    assert sheet.max() > 200
    path = tmp_path / "clip.mp4"
    write_animation(path, batch.joints[0], 2.0, "one", height=160)
    assert path.stat().st_size > 1000
