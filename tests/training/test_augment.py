"""Augmentation by taking it apart again: each clip is the one given, perhaps mirrored, squeezed and shifted."""

import networks
import numpy as np
import pytest

from edge.layout import load_layout
from training.augment import augment

LAYOUT = load_layout("ma52")
N = 600


@pytest.fixture(scope="module")
def original():
    return networks.windows(1, 44)[0][0]


@pytest.fixture(scope="module")
def batch(original):
    return augment(np.repeat(original[None], N, axis=0), LAYOUT, np.random.default_rng(0))


def fit(clip, target, joints):
    """Scale, shift and largest error per axis of target = clip scale + shift over some joints."""
    scales, shifts, errors = [], [], []
    for axis in range(2):
        x, y = (a[:, joints, axis].ravel().astype(np.float64) for a in (clip, target))
        scale, shift = np.polyfit(x, y, 1)
        scales.append(scale)
        shifts.append(shift)
        errors.append(np.abs(x * scale + shift - y).max())
    return np.array(scales), np.array(shifts), max(errors)


def test_each_clip_is_the_original_mirrored_or_not_within_its_range(original, batch):
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


def test_some_joints_of_some_clips_are_frozen_where_they_began(batch):
    frozen = np.ptp(batch[..., 0], axis=1) == 0
    clips = frozen.any(axis=1)
    assert 0.05 < clips.mean() < 0.16
    assert 0.1 < frozen[clips].mean() < 0.22
    np.testing.assert_array_equal(frozen, np.ptp(batch[..., 1], axis=1) == 0)


def test_range_type_and_input_are_kept():
    rng = np.random.default_rng(1)
    skeleton = rng.choice(np.float32([-1, 1]), (50, 64, 44, 2))
    before = skeleton.copy()
    out = augment(skeleton, LAYOUT, rng)
    assert out.shape == skeleton.shape
    assert out.dtype == np.float32
    assert np.abs(out).max() <= 1 + 1e-6
    np.testing.assert_array_equal(skeleton, before)


def test_it_draws_from_the_generator_it_is_given(original):
    clips = np.repeat(original[None], 4, axis=0)
    first, again, other = (augment(clips, LAYOUT, np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
