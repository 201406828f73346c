"""From clips to the network's input: the authors' numbers, and what only a live pose stage does."""

import networks
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.network.inputs import stream_input
from mar_edge.edge.preprocess import clip_to_input, fill_missing, normalise, resample, window_to_input

MA52 = load_layout("ma52")
ROOT, NECKLESS = MA52.root, (5, 6, 17, 19)
WRIST, HAND_ROOT, THUMB = 9, 32, 33


def walk(T, V=44, seed=0):
    """(T, V, 2) joints that wander through a picture, in pixels."""
    rng = np.random.default_rng(seed)
    return (rng.uniform(100, 900, (1, V, 2)) + np.cumsum(rng.normal(0, 2, (T, V, 2)), axis=0)).astype(np.float32)


def check_against(measured, name):
    layout = load_layout(name)
    numbers = [key.removeprefix(f"{name}_clip") for key in measured.files if key.startswith(f"{name}_clip")]
    assert numbers
    for i in numbers:
        skeleton, index_t = clip_to_input(measured[f"{name}_clip{i}"], layout)
        assert skeleton.dtype == index_t.dtype == np.float32
        for letter, stream in (("j", "joint"), ("b", "bone")):
            np.testing.assert_array_equal(index_t, measured[f"{name}_{letter}{i}_index_t"])
            x = stream_input(torch.from_numpy(skeleton)[None], layout, stream)[0, ..., 0].numpy()
            np.testing.assert_allclose(x, measured[f"{name}_{letter}{i}_x"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["ma52", "imigue"])
def test_equals_the_authors_loader(data, name):
    check_against(np.load(data / "golden_preprocess.npz"), name)


@pytest.mark.parametrize("name", ["ma52", "imigue"])
def test_equals_all_that_was_measured(shared, name):
    check_against(np.load(shared("spec/golden_preprocess.npz")), name)


def test_one_frame_is_that_frame_64_times():
    skeleton, index_t = clip_to_input(walk(1))
    assert skeleton.shape == (64, 44, 2)
    np.testing.assert_array_equal(skeleton, np.repeat(skeleton[:1], 64, axis=0))
    assert skeleton.min() == -1
    assert skeleton.max() == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(index_t, np.full(64, -1, np.float32))


def test_a_clip_without_extent_is_minus_one():
    skeleton, _ = clip_to_input(np.full((30, 44, 2), 250.0))
    np.testing.assert_array_equal(skeleton, np.full((64, 44, 2), -1, np.float32))


def test_an_axis_without_extent_leaves_the_other_alone():
    clip = walk(30)
    expected, _ = clip_to_input(clip)
    clip[..., 1] = 77
    skeleton, _ = clip_to_input(clip)
    np.testing.assert_array_equal(skeleton[..., 1], -1)
    np.testing.assert_array_equal(skeleton[..., 0], expected[..., 0])


def test_the_clip_is_not_changed():
    clip = walk(30)
    clip[3:5, 7] = np.nan
    before = clip.copy()
    clip_to_input(clip)
    np.testing.assert_array_equal(clip, before)


def test_unseen_frames_are_joined_by_a_line_and_the_ends_held():
    clip = walk(10)
    clip[:, 4] = np.stack([np.arange(10) * 10.0, np.arange(10) * -3.0], axis=1)
    whole = clip.copy()
    clip[4:7, 4] = np.nan  # on a line: the gap is filled with what was there
    clip[:2, 4, 0] = np.nan  # one coordinate is enough to be unseen
    clip[9:, 4] = np.nan
    filled = fill_missing(clip, MA52)
    np.testing.assert_allclose(filled[2:9, 4], whole[2:9, 4], rtol=1e-6)
    np.testing.assert_array_equal(filled[:2, 4], whole[[2, 2], 4])
    np.testing.assert_array_equal(filled[9, 4], whole[8, 4])
    others = np.arange(44) != 4
    np.testing.assert_array_equal(filled[:, others], whole[:, others])


def test_a_joint_never_seen_is_placed_on_the_next_seen_one_toward_the_root():
    clip = walk(20)
    clip[:, THUMB] = np.nan
    filled = fill_missing(clip, MA52)
    np.testing.assert_array_equal(filled[:, THUMB], clip[:, HAND_ROOT])
    clip[:, HAND_ROOT] = np.nan
    filled = fill_missing(clip, MA52)
    np.testing.assert_array_equal(filled[:, [THUMB, HAND_ROOT]], clip[:, [WRIST, WRIST]])
    skeleton, _ = clip_to_input(clip)
    bones = stream_input(torch.from_numpy(skeleton)[None], MA52, "bone")[0, :, :, :, 0]
    for joint in (THUMB, HAND_ROOT):  # the bone that is not there has no length
        place = MA52.network_order.index(joint)
        parent = {THUMB: HAND_ROOT, HAND_ROOT: 37}[joint]
        if parent == HAND_ROOT:
            assert not bones[:, :, place].any()


def test_a_parent_that_comes_and_goes_is_followed_through_its_gaps():
    clip = walk(20)
    clip[5:9, HAND_ROOT] = np.nan
    clip[:, THUMB] = np.nan
    filled = fill_missing(clip, MA52)
    np.testing.assert_array_equal(filled[:, THUMB], filled[:, HAND_ROOT])
    assert np.isfinite(filled).all()


def test_without_a_root_unseen_joints_are_placed_in_the_middle_of_the_seen_ones():
    clip = walk(12)
    clip[:, [ROOT, 5]] = np.nan
    filled = fill_missing(clip, MA52)
    seen = np.delete(clip, [ROOT, 5], axis=1)
    for joint in (ROOT, 5):
        np.testing.assert_allclose(filled[:, joint], seen.mean(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(np.delete(filled, [ROOT, 5], axis=1), seen)


def test_nothing_seen_is_a_point():
    clip = np.full((9, 44, 2), np.nan, np.float32)
    np.testing.assert_array_equal(fill_missing(clip, MA52), np.zeros_like(clip))
    skeleton, _ = clip_to_input(clip)
    np.testing.assert_array_equal(skeleton, np.full((64, 44, 2), -1, np.float32))


def test_clips_of_a_batch_are_filled_separately():
    clips = np.stack([walk(6, seed=1), walk(6, seed=2)])
    clips[0, :, [ROOT, 5]] = np.nan
    filled = fill_missing(clips, MA52)
    np.testing.assert_array_equal(filled[0], fill_missing(clips[0], MA52))
    np.testing.assert_array_equal(filled[1], clips[1])


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_coordinates_are_an_error(value):
    clip = walk(10)
    clip[3, 5, 1] = value
    with pytest.raises(MarEdgeError, match="infinite coordinates; use NaN"):
        clip_to_input(clip)


@pytest.mark.parametrize(
    "shape", [(0, 44, 2), (10, 43, 2), (10, 22, 2), (10, 44, 3), (44, 2), (1, 10, 44, 2), (10, 88), ()]
)
def test_another_shape_is_an_error_that_names_both(shape):
    with pytest.raises(MarEdgeError) as error:
        clip_to_input(np.zeros(shape))
    assert "(T, 44, 2) with T >= 1" in str(error.value)
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("kind", [list, np.float64, np.int32])
def test_any_array_of_numbers_will_do(kind):
    clip = walk(8).round()
    given = clip.tolist() if kind is list else clip.astype(kind)
    for got, expected in zip(clip_to_input(given), clip_to_input(clip), strict=True):
        np.testing.assert_array_equal(got, expected)


def line(times_s):
    """(T, 44, 2) every joint on a straight line of its own."""
    start, speed = walk(2, seed=4)[0], np.random.default_rng(5).normal(0, 40, (44, 2))
    return (start + speed * np.asarray(times_s)[:, None, None]).astype(np.float32)


UNEVEN_S = np.sort(np.r_[0, np.random.default_rng(6).uniform(0, 2, 25), 2.0])


@pytest.mark.parametrize(
    "times_s",
    [*(np.arange(2 * fps + 1) / fps for fps in (15, 25, 30, 60)), UNEVEN_S, np.array([0.0, 2.0])],
    ids=["15 fps", "25 fps", "30 fps", "60 fps", "unevenly", "its ends only"],
)
@pytest.mark.parametrize("start_s", [0.0, 1e6])
def test_a_motion_is_the_same_64_frames_at_any_rate(times_s, start_s):
    expected = line(np.linspace(0, 2, 64))
    window = Window(line(times_s), times_s + start_s)
    np.testing.assert_allclose(resample(window.clip, window.times_s, MA52), expected, atol=2e-3)  # pixels
    skeleton, index_t = window_to_input(window, MA52)
    np.testing.assert_allclose(skeleton, normalise(expected), atol=1e-5)
    np.testing.assert_array_equal(index_t, (np.arange(64) / 32 - 1).astype(np.float32))


def test_64_even_frames_are_taken_as_they_are():
    clip = walk(64)
    np.testing.assert_allclose(resample(clip, np.arange(64) / 30, MA52), clip, atol=1e-3)
    direct, window = clip_to_input(clip), window_to_input(Window(clip, np.arange(64) / 30), MA52)
    np.testing.assert_allclose(window[0], direct[0], atol=1e-5)
    np.testing.assert_array_equal(window[1], direct[1])


def test_a_window_of_one_frame_is_a_still_picture():
    skeleton, _ = window_to_input(Window(walk(1), np.array([3.5])), MA52)
    expected, _ = clip_to_input(walk(1))
    np.testing.assert_array_equal(skeleton, expected)


def test_a_gap_in_time_is_crossed_on_a_straight_line():
    times_s = np.r_[np.arange(10) / 30, 1.0 + np.arange(10) / 30]
    clip = np.zeros((20, 44, 2), np.float32)
    clip[10:] = 100
    moved = resample(clip, times_s, MA52)[:, 0, 0]
    even = np.linspace(times_s[0], times_s[-1], 64)
    np.testing.assert_allclose(moved, np.interp(even, [9 / 30, 1.0], [0, 100]), atol=1e-3)


clips = st.builds(
    lambda seed, T, size, gaps, lost: (seed, T, size, gaps, lost),
    st.integers(0, 2**32 - 1),
    st.integers(1, 90),
    st.floats(0, 1e5),
    st.floats(0, 1),
    st.floats(0, 1),
)


def drawn(parameters):
    """Return a clip of noise of a size, with some joints unseen in some frames and some in all."""
    seed, T, size, gaps, lost = parameters
    rng = np.random.default_rng(seed)
    clip = (rng.normal(0, 1, (T, 44, 2)) * size + rng.uniform(-1e4, 1e4, 2)).astype(np.float32)
    clip[rng.random((T, 44)) < gaps] = np.nan
    clip[:, rng.random(44) < lost] = np.nan
    return clip


@given(clips)
@settings(max_examples=80, deadline=None)
def test_any_clip_gives_finite_inputs_in_range(parameters):
    clip = drawn(parameters)
    skeleton, index_t = clip_to_input(clip)
    assert np.isfinite(skeleton).all()
    assert skeleton.min() >= -1
    assert skeleton.max() <= 1
    assert index_t.min() == -1
    assert index_t.max() < 1
    assert (np.diff(index_t) >= 0).all()
    times_s = np.cumsum(np.random.default_rng(0).uniform(1e-3, 1, len(clip)))
    skeleton, _ = window_to_input(Window(clip, times_s), MA52)
    assert np.isfinite(skeleton).all()
    assert np.abs(skeleton).max() <= 1


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 50), st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)))
@settings(max_examples=50, deadline=None)
def test_position_and_size_of_the_person_do_not_matter(seed, scale, shift):
    clip = walk(20, seed=seed)
    expected, _ = clip_to_input(clip)
    skeleton, _ = clip_to_input(clip * np.float32(scale) + np.float32(shift))
    np.testing.assert_allclose(skeleton, expected, atol=2e-3)


def test_a_batch_is_normalized_clip_by_clip():
    batch = np.stack([walk(64, seed=1), 5 * walk(64, seed=2)])
    np.testing.assert_array_equal(normalise(batch), np.stack([normalise(clip) for clip in batch]))


@pytest.mark.parametrize("name", ["ma52", "imigue"])
def test_bones_point_from_parent_to_joint(name):
    layout = load_layout(name)
    skeleton, _ = networks.windows(2, layout.num_joints)
    bones = stream_input(torch.from_numpy(skeleton), layout, "bone")[..., 0].numpy()
    last_entry = dict(layout.bones)
    for place, joint in enumerate(layout.network_order):
        parent = last_entry.get(joint, joint)
        expected = (skeleton[:, :, joint] - skeleton[:, :, parent]).transpose(0, 2, 1)
        np.testing.assert_array_equal(bones[:, :, :, place], expected)
