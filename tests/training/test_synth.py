"""Batches of clips and their components; ``test_synth_actions`` and ``test_synth_legs_trunk_head`` test the actions."""

import itertools
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from synth_points import HIPS, LEFT_EYE, NOSE, RIGHT_EYE, apart, extent

from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.edge.layout import load_layout
from mar_edge.edge.preprocess import fill_missing
from mar_edge.training.synth.actions import ACTIONS, Action
from mar_edge.training.synth.actions.row import Manner
from mar_edge.training.synth.camera import BODY
from mar_edge.training.synth.courses import Step, Swing
from mar_edge.training.synth.curves import CourseTable, Curves
from mar_edge.training.synth.draw import contact_sheet, write_animation
from mar_edge.training.synth.draws import Draws
from mar_edge.training.synth.faults import camera_rate
from mar_edge.training.synth.framing import Framing
from mar_edge.training.synth.generator import (
    BACKGROUND_WEIGHT,
    CLASSES,
    Scene,
    SynthBatch,
    class_labels,
    draw_scene,
    synthesize,
)
from mar_edge.training.synth.ik import rotation, two_bones
from mar_edge.training.synth.perform import Lists, add_rows
from mar_edge.training.synth.rig import Channel
from mar_edge.training.synth.schedule import MOST_OF_FRAGMENT
from mar_edge.training.synth.world import HELD_OUT, TRAINING

BACKGROUND = len(CLASSES) - 1


@pytest.fixture(scope="module")
def scene() -> Scene:
    return draw_scene(Draws(np.random.default_rng(11)), 1500)


@pytest.fixture(scope="module")
def batch() -> SynthBatch:
    return synthesize(3, 0, 256)


def test_classes_are_the_52_actions_and_the_background():
    assert list(CLASSES) == [*ma52_labels(), background_label()]


def test_an_action_beyond_ma52_becomes_a_class():
    own = Action(53, "winking", (Manner(Step((0.1, 0.2))),), body="head")
    assert class_labels((*ACTIONS, own)) == (*ma52_labels(), Label(53, "winking", "head"), background_label())


def test_a_chunk_is_deterministic():
    here = [synthesize(3, number, 96) for number in (0, 1, 2)]
    order = (2, 0, 1)
    with ProcessPoolExecutor(2, get_context("spawn")) as workers:
        for number, there in zip(order, workers.map(synthesize, (3, 3, 3), order, (96, 96, 96)), strict=True):
            np.testing.assert_array_equal(there.joints, here[number].joints)
            np.testing.assert_array_equal(there.labels, here[number].labels)


@pytest.mark.parametrize(("seed", "chunk"), [(3, 1), (4, 0)])
def test_another_chunk_or_seed_gives_other_clips(batch, seed, chunk):
    other = synthesize(seed, chunk, 256)
    assert not np.isclose(batch.joints, other.joints).all(axis=(1, 2, 3)).any()


def test_a_batch_has_the_documented_shapes_and_ranges(batch):
    assert batch.joints.shape == (256, 64, 44, 2)
    assert batch.joints.dtype == np.float32
    assert batch.labels.dtype == np.int64
    assert np.isfinite(batch.joints).all()
    assert (batch.duration_s > 0.69).all()
    assert (batch.duration_s < 4.01).all()
    assert 0.5 < np.isclose(batch.duration_s, 2).mean() < 0.8
    assert ((batch.amplitude > 0) == (batch.labels != BACKGROUND)).all()


def test_classes_have_their_frequencies(scene):
    counts = np.bincount(scene.labels, minlength=len(CLASSES))
    assert (counts[:-1] > 5).all()
    assert 0.7 < counts[-1] / (BACKGROUND_WEIGHT * counts[:-1].mean()) < 1.4


def test_a_batch_of_few_classes_has_only_those():
    few = synthesize(0, 0, 60, classes=(CLASSES[9], CLASSES[-1]))
    assert set(few.labels) == {0, 1}
    assert (few.amplitude[few.labels == 0] > 0).all()
    assert (few.amplitude[few.labels == 1] == 0).all()


def test_enough_of_every_action_is_inside_its_clip(scene):
    assert scene.visible.min() >= 0.45


def test_fragments_are_less_visible_than_the_labeled_action(scene):
    with_label, without = MOST_OF_FRAGMENT
    labeled = scene.labels != BACKGROUND
    assert 0.15 < (scene.fragment > 0).mean() < 0.3
    assert scene.fragment[labeled].max() <= with_label + 1e-5 < 0.2
    assert scene.fragment[~labeled].max() <= without + 1e-5 < 0.15
    assert (scene.fragment < 0.45 * scene.visible)[labeled].all()


def test_the_held_out_world_differs_from_the_training_world():
    def measures(world) -> list[np.ndarray]:
        views = draw_scene(Draws(np.random.default_rng(2)), 400, (CLASSES[-1],), world)
        first = views.points[:, 0]
        width, trunk, thigh = (apart(first[:, a], first[:, b]) for a, b in ((11, 12), (11, 23), (23, 25)))
        return [width / trunk, thigh / trunk, thigh, views.views.scale / views.views.size[:, 1]]

    # Crops hide distance and height of the camera.
    plain, beyond = (measures(world.without("framing")) for world in (TRAINING, HELD_OUT))
    for known, other in zip(plain, beyond, strict=True):
        low, high = np.quantile(known, [0.01, 0.99])
        assert ((other < low) | (other > high)).mean() > 0.06


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


def test_rotations_have_the_documented_directions():
    quarter, nil = np.float32([np.pi / 2]), np.zeros(1, np.float32)
    front, top = np.float32((0, 0, 1)), np.float32((0, 1, 0))
    np.testing.assert_allclose(rotation(quarter, nil, nil)[0] @ front, (1, 0, 0), atol=1e-6)
    np.testing.assert_allclose(rotation(nil, quarter, nil)[0] @ top, (0, 0, 1), atol=1e-6)
    np.testing.assert_allclose(rotation(nil, nil, quarter)[0] @ top, (-1, 0, 0), atol=1e-6)


LENGTHS = np.repeat(np.float32((0.7, 1, 2, 4)), 100)
COURSES = [
    Step((0.2, 3)),
    Step((0.3, 1.2), (0.3, 3), returns=0.7, dwell_s=0.4, held=0.2),
    Swing((0.2, 4), (0.5, 9)),
    Swing((0.2, 4), (1, 9), min_cycles=1),
]


def moments(duration_s: np.ndarray, frames: int = 64) -> np.ndarray:
    return duration_s[:, None] * np.linspace(0, 1, frames, dtype=np.float32)


@pytest.mark.parametrize("course", COURSES)
def test_a_course_is_visible_in_clips_of_any_length(course):
    curve = course.draw(Draws(np.random.default_rng(0)), LENGTHS)
    assert curve.visible(moments(LENGTHS)).min() >= 0.44


def test_mixed_courses_equal_separate_ones():
    which = np.arange(len(LENGTHS)) % len(COURSES)
    curves = Curves.draw(CourseTable(COURSES), which, Draws(np.random.default_rng(0)), LENGTHS, np.ones_like(LENGTHS))
    t = moments(LENGTHS)
    assert curves.visible(t).min() >= 0.44
    for i, course in enumerate(COURSES):
        rows = np.flatnonzero(which == i)
        kind = curves.swing if isinstance(course, Swing) else curves.step
        assert (curves.swings[rows] == isinstance(course, Swing)).all()
        np.testing.assert_array_equal(curves.take(rows)(t[rows]), kind(t)[rows])


def test_a_course_can_be_moved_and_slowed_down():
    pace = np.full(len(LENGTHS), 1.5, np.float32)
    course = Step((0.5, 0.5), (1, 1), returns=1).paced(pace)
    slow = course.draw(Draws(np.random.default_rng(0)), np.full_like(LENGTHS, 9)).starting(np.full_like(LENGTHS, 2))
    np.testing.assert_allclose(slow.move, 0.75, rtol=1e-5)
    curve = slow(moments(np.full_like(LENGTHS, 9), 901))
    assert not curve[:, :200].any()
    np.testing.assert_allclose(curve[:, 275:424], 1, atol=1e-4)
    assert not curve[:, -1].any()


def test_lists_expand_and_pick_by_weight():
    lists = Lists([2, 0, 3], [1, 3, 0, 1, 1])
    owner, item = lists.expand(np.array([2, 0, 1]))
    assert owner.tolist() == [0, 0, 0, 1, 1]
    assert item.tolist() == [2, 3, 4, 0, 1]
    picked = lists.pick(Draws(np.random.default_rng(0)), np.array([0, 2] * 4000))
    np.testing.assert_allclose(np.bincount(picked, minlength=5) / 4000, [0.25, 0.75, 0, 0.5, 0.5], atol=0.03)


def test_rows_with_one_key_add_up():
    target = np.ones((3, 2), np.float32)
    add_rows(target, np.array([2, 0, 2]), np.float32([[1, 2], [3, 4], [5, 6]]))
    assert target.tolist() == [[4, 5], [1, 1], [7, 9]]


def test_background_heads_move_less_than_in_any_head_action():
    motion = draw_scene(Draws(np.random.default_rng(4)), 300, (CLASSES[-1],), alone=True).motion
    yaw = motion[Channel.HEAD_YAW] + motion[Channel.CHEST_YAW]
    pitch = motion[Channel.HEAD_PITCH] + motion[Channel.CHEST_PITCH] + motion[Channel.LEAN]
    roll = motion[Channel.HEAD_ROLL] + motion[Channel.SWAY]
    for name, angle in (("turning head", yaw), ("bowing head", pitch), ("tilting head", roll)):
        smallest = next(action.amplitude[0] for action in ACTIONS if action.name == name)
        assert np.quantile(extent(angle), 0.5) < 0.4 * smallest
        assert np.quantile(extent(angle), 0.97) < smallest


def test_every_camera_keeps_the_head_and_the_hips_where_it_frames_them(scene):
    def inside(points: np.ndarray) -> np.ndarray:
        return ((points > 0) & (points < scene.views.size[:, None, None])).all(axis=(-1, -2)).mean(axis=1) > 0.5

    hips = inside(scene.views.points[:, :, HIPS])
    assert hips[np.isin(scene.views.framing, (Framing.FULL, Framing.HIPS))].mean() > 0.93  # cameras that move lose some
    assert inside(scene.views.points[:, :, [NOSE, LEFT_EYE, RIGHT_EYE]]).mean() > 0.95


def test_a_desk_camera_loses_the_hips(batch):
    layout = load_layout("ma52")
    neck, hip_center = layout.root, layout.joints.index("hip_centre")
    lost = np.isclose(batch.joints[:, :, hip_center], batch.joints[:, :, neck], atol=1e-2).all(axis=(1, 2))
    assert lost[batch.desk].mean() > 0.75
    assert lost[~batch.desk].mean() < 0.3


def test_the_figure_is_smooth(scene):
    # 2 s in 64 frames: nothing crosses a third of a meter between two of them.
    step = np.abs(np.diff(scene.points[:, :, BODY], axis=1)).max(axis=(1, 2, 3))
    assert np.quantile(step, 0.99) < 0.35


def test_a_camera_slower_than_the_frames_gives_straight_lines():
    joints = np.random.default_rng(0).normal(size=(40, 64, 3, 2)).astype(np.float32)
    two_s = np.full(40, 2, np.float32)
    out = camera_rate(Draws(np.random.default_rng(1)), joints, two_s, TRAINING.camera_fps)
    roughness = [np.abs(np.diff(x, n=2, axis=1)).mean() for x in (out, joints)]
    assert roughness[0] < 0.8 * roughness[1]
    line = np.broadcast_to(np.linspace(0, 63, 64, dtype=np.float32)[None, :, None, None], (40, 64, 3, 2))
    straight = camera_rate(Draws(np.random.default_rng(1)), line.copy(), two_s, TRAINING.camera_fps)
    np.testing.assert_allclose(straight[:, 4:-4], line[:, 4:-4], atol=1e-3)


def one_at_a_time(clip: np.ndarray) -> np.ndarray:
    """Fill gaps as ``fill_missing`` does, in an independent implementation, joint by joint."""
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


@pytest.mark.parametrize("view", ["all", "upper", "head"])
def test_clips_can_be_drawn(batch, view):
    sheet = contact_sheet(batch.joints[:2], ["one", "two"], columns=4, height=120, view=view)
    assert sheet.shape[0] == 2 * 122
    assert sheet.max() > 200


def test_a_clip_can_be_animated_as_a_video(batch, tmp_path):
    write_animation(tmp_path / "clip.mp4", batch.joints[0], 2.0, "one", height=160)
    assert (tmp_path / "clip.mp4").stat().st_size > 1000


def test_a_gif_lasts_as_long_as_the_clip(batch, tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    write_animation(tmp_path / "clip.gif", batch.joints[0], 2.0, height=160)
    durations_ms = []
    with pillow.open(tmp_path / "clip.gif") as image:
        for frame in range(image.n_frames):
            image.seek(frame)
            durations_ms.append(image.info["duration"])
    assert len(durations_ms) > 30
    assert sum(durations_ms[:-1]) / 1000 == pytest.approx(2.0, abs=0.06)
