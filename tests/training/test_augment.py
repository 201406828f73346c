"""Augmentation of clips before their frames are picked, and of normalized batches, reconstructed from the result."""

import clips
import networks
import numpy as np
import pytest

from mar_edge.edge.layout import load_layout
from mar_edge.edge.preprocess import clip_to_input, normalise
from mar_edge.training.augment import NO_AUGMENTATION, Augmentation, augment, network_input, sample
from mar_edge.training.recipe import SYNTHETIC

LAYOUT = load_layout("ma52")
BATCH = SYNTHETIC.augmentation
N = 600


@pytest.fixture(scope="module")
def original():
    return networks.windows(1, 44)[0][0]


@pytest.fixture(scope="module")
def batch(original):
    return augment(np.repeat(original[None], N, axis=0), LAYOUT, BATCH, np.random.default_rng(0))


def fit(clip, target, joints):
    """Return scale, shift and largest error per axis of target = clip scale + shift over some joints."""
    scales, shifts, errors = [], [], []
    for axis in range(2):
        x, y = (a[:, joints, axis].ravel().astype(np.float64) for a in (clip, target))
        scale, shift = np.polyfit(x, y, 1)
        scales.append(scale)
        shifts.append(shift)
        errors.append(np.abs(x * scale + shift - y).max())
    return np.array(scales), np.array(shifts), max(errors)


def test_each_clip_is_the_original_or_its_mirror_image_within_its_range(original, batch):
    mirror_image = original[:, LAYOUT.mirrored] * np.float32([-1, 1])
    mirrored = 0
    for clip in batch:
        moving = np.ptp(clip[..., 0], axis=0) > 0
        straight, mirror = fit(original, clip, moving), fit(mirror_image, clip, moving)
        assert (straight[2] < 1e-5) != (mirror[2] < 1e-5)
        scale, shift, _ = min(straight, mirror, key=lambda fitted: fitted[2])
        assert (scale > 0.7 - 1e-4).all()
        assert (scale < 1 + 1e-4).all()
        assert (np.abs(shift) <= 1 - scale + 1e-4).all()
        mirrored += mirror[2] < 1e-5
    assert 0.4 < mirrored / N < 0.6


def test_some_joints_of_some_clips_are_frozen(batch):
    frozen = np.ptp(batch[..., 0], axis=1) == 0
    clips_with = frozen.any(axis=1)
    assert 0.05 < clips_with.mean() < 0.16
    assert 0.1 < frozen[clips_with].mean() < 0.22
    np.testing.assert_array_equal(frozen, np.ptp(batch[..., 1], axis=1) == 0)


def test_range_type_and_input_are_kept():
    rng = np.random.default_rng(1)
    skeleton = rng.choice(np.float32([-1, 1]), (50, 64, 44, 2))
    before = skeleton.copy()
    out = augment(skeleton, LAYOUT, BATCH, rng)
    assert out.shape == skeleton.shape
    assert out.dtype == np.float32
    assert np.abs(out).max() <= 1 + 1e-6
    np.testing.assert_array_equal(skeleton, before)


def test_augmentation_draws_from_the_given_generator(original):
    many = np.repeat(original[None], 4, axis=0)
    first, again, other = (augment(many, LAYOUT, BATCH, np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.fixture(scope="module")
def raw():
    return clips.moving(2, "ma52", frames=90)


def drawn(clip, count=200, **changes):
    rng = np.random.default_rng(3)
    return [sample(clip, Augmentation(**changes), rng) for _ in range(count)]


@pytest.mark.parametrize("frames", [1, 2, 40, 64, 90, 300])
def test_without_augmentation_it_is_the_preprocessing(frames):
    clip = clips.moving(1, "ma52", frames=frames)
    expected = clip_to_input(clip)
    for got in (sample(clip, NO_AUGMENTATION, np.random.default_rng(0)), drawn(clip, 1)[0]):
        np.testing.assert_array_equal(got[0], expected[0])
        np.testing.assert_array_equal(got[1], expected[1])
    for rng in (None, np.random.default_rng(0)):
        skeleton, index_t = network_input([clip, clip], LAYOUT, NO_AUGMENTATION, rng)
        np.testing.assert_allclose(skeleton[1], expected[0], atol=1e-6)
        np.testing.assert_array_equal(index_t[0], expected[1])


def frames_of(clip, sampled):
    """Return which frame of ``clip`` each picked one is, by its coordinates, which are unique."""
    whole = normalise(clip)
    return np.array([int(np.abs(whole - frame).sum(axis=(1, 2)).argmin()) for frame in sampled])


def test_jitter_picks_other_frames_in_order(raw):
    picks = np.array([frames_of(raw, skeleton) for skeleton, _ in drawn(raw, 100, jitter=1.0)])
    even = np.linspace(0, 89, 64)
    assert (np.diff(picks, axis=1) >= 0).all()
    assert np.abs(picks - even).max() <= 0.5 * 89 / 63 + 1
    assert (picks.std(axis=0)[1:] > 0.2).all()
    for skeleton, index_t in drawn(raw, 5, jitter=1.0):
        np.testing.assert_allclose(index_t, 2 * frames_of(raw, skeleton) / 90 - 1, atol=1e-6)


def test_reversal_turns_the_clip_not_its_index(raw):
    backwards = clip_to_input(raw[::-1])
    forwards = clip_to_input(raw)
    turned = 0
    for skeleton, index_t in drawn(raw, 200, reverse=0.5):
        is_turned = np.array_equal(skeleton, backwards[0])
        assert is_turned or np.array_equal(skeleton, forwards[0])
        np.testing.assert_array_equal(index_t, forwards[1])
        turned += is_turned
    assert 70 < turned < 130


def test_a_crop_is_contiguous(raw):
    begins, lengths = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        _, index_t = sample(raw, Augmentation(crop=0.4), rng)
        steps = np.unique(np.round((index_t + 1) / 2 * 10000))
        lengths.append(len(steps))
        marked = np.broadcast_to(np.arange(90, dtype=np.float32)[:, None, None], (90, 44, 2))
        skeleton, _ = sample(marked, Augmentation(crop=0.4), np.random.default_rng(seed))
        assert skeleton.min() == -1  # normalized after it was cropped
        assert skeleton.max() == pytest.approx(1, abs=1e-5)
        begins.append(skeleton[0, 0, 0])
    assert min(lengths) >= 0.6 * 90 - 2
    assert max(lengths) == 64
    short = sample(raw[:1], Augmentation(crop=0.9), np.random.default_rng(0))
    np.testing.assert_array_equal(short[0], clip_to_input(raw[:1])[0])


def test_rotation_and_shear_remain_after_normalization(raw):
    raw = raw[:64]  # every frame is picked
    plain, _ = clip_to_input(raw)
    for changes in ({"rotate_deg": 20.0}, {"shear": 0.3}):
        some = [np.abs(skeleton - plain).max() for skeleton, _ in drawn(raw, 50, **changes)]
        assert max(some) > 0.1
        for skeleton, _ in drawn(raw, 20, **changes):
            assert skeleton.min() == -1
            assert skeleton.max() == pytest.approx(1, abs=1e-4)
            # still an affine picture of the clip: straight lines stay straight
            flat, target = plain.reshape(-1, 2), skeleton.reshape(-1, 2)
            design = np.c_[flat, np.ones(len(flat))].astype(np.float64)
            residual = target - design @ np.linalg.lstsq(design, target.astype(np.float64), rcond=None)[0]
            assert np.abs(residual).max() < 1e-4


def test_the_clip_is_not_changed(raw):
    before = raw.copy()
    drawn(raw, 5, crop=0.3, jitter=1.0, reverse=1.0, rotate_deg=10.0, shear=0.1)
    np.testing.assert_array_equal(raw, before)
