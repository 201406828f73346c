"""The filter's effect on a nod of 4 px, and on a head at rest."""

import numpy as np
import pytest

from mar_edge.edge.pose.smoothing import OneEuro

SIZE = 880.0  # px, a person in full view
FPS = 30
T = np.arange(90) / FPS


def smoothed(track, fps=FPS):
    """Filter one coordinate (T,) of a joint."""
    filter_ = OneEuro()
    return np.array(
        [filter_.smooth(np.array([[value, 0]], np.float32), i / fps, SIZE)[0, 0] for i, value in enumerate(track)]
    )


def nods(amplitude_px=4.0, hz=1.6):
    return amplitude_px / 2 * (1 - np.cos(2 * np.pi * hz * T))


def test_a_nod_of_four_pixels_keeps_most_of_its_height_and_lags_two_frames():
    nod = nods()
    after = smoothed(nod)[30:]
    kept = np.ptp(after) / np.ptp(nod)
    lags = [np.corrcoef(after[lag:], nod[30 : len(nod) - lag])[0, 1] for lag in range(6)]
    assert 0.85 < kept < 1.0
    assert int(np.argmax(lags)) <= 2


def test_jitter_at_rest_is_halved():
    noise = np.random.default_rng(0).normal(0, 1, 900)
    assert 0.4 < smoothed(noise)[30:].std() / noise.std() < 0.7


def test_a_large_movement_lags_less_than_a_small_one():
    kept = {px: np.ptp(smoothed(nods(px))[30:]) / px for px in (4, 100)}
    assert kept[100] > kept[4] + 0.02


@pytest.mark.parametrize("fps", [15, 60])
def test_it_depends_on_time_and_not_on_the_number_of_frames(fps):
    times = np.arange(3 * fps) / fps
    nod = 2 * (1 - np.cos(2 * np.pi * 1.6 * times))
    assert np.ptp(smoothed(nod, fps)[fps:]) / 4 == pytest.approx(np.ptp(smoothed(nods())[30:]) / 4, abs=0.08)


def test_a_joint_that_was_not_seen_starts_over():
    filter_ = OneEuro()
    lost = np.array([[np.nan, np.nan], [5, 5]], np.float32)
    filter_.smooth(np.array([[0, 0], [5, 5]], np.float32), 0.0, SIZE)
    assert np.isnan(filter_.smooth(lost, 0.1, SIZE)[0]).all()
    back = filter_.smooth(np.array([[300, 200], [6, 6]], np.float32), 0.2, SIZE)
    np.testing.assert_array_equal(back[0], [300, 200])
    assert (back[1] > 5).all()
    assert (back[1] < 6).all()
    np.testing.assert_array_equal(filter_.smooth(lost, 0.05, SIZE), lost)  # time runs backwards
