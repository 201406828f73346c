import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mar_edge.training.evaluation.score_calibration import (
    TEMPERATURES,
    fit_label_thresholds,
    fit_sigmoid_temperature,
    fit_temperature,
    fit_thresholds,
    sigmoid,
)
from mar_edge.training.metrics import score_reliability


def softmax(z):
    weights = np.exp(z - z.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def calibrated(seed, count=4000, K=5):
    """Return logits, and labels drawn from their probabilities."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, K)).astype(np.float32)
    labels = (softmax(logits).cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return logits, np.minimum(labels, K - 1)


def nll(logits, labels, temperature):
    z = logits.astype(np.float64) / temperature
    return (np.logaddexp.reduce(z, axis=1) - z[np.arange(len(labels)), labels]).mean()


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_a_known_temperature_is_found(temperature):
    logits, labels = calibrated(seed=1)
    assert fit_temperature(logits * np.float32(temperature), labels) == pytest.approx(temperature, rel=0.1)


def test_an_overconfident_model_is_calibrated():
    logits, labels = calibrated(seed=2)
    logits *= 5
    before = score_reliability(softmax(logits), labels).error
    after = score_reliability(softmax(logits / fit_temperature(logits, labels)), labels).error
    assert before > 0.2
    assert after < 0.03


@given(st.integers(0, 10_000), st.floats(0.1, 8))
@settings(deadline=None, max_examples=30)
def test_no_other_temperature_is_better(seed, scale):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(0, scale, (40, 4)).astype(np.float32), rng.integers(0, 4, 40)
    best = nll(logits, labels, fit_temperature(logits, labels))
    assert all(best <= nll(logits, labels, t) + 1e-6 for t in np.geomspace(*TEMPERATURES, 50))


def test_without_a_best_temperature_a_limit_is_returned():
    eye = np.eye(3, dtype=np.float32)
    assert fit_temperature(eye, np.arange(3)) == pytest.approx(TEMPERATURES[0])
    assert fit_temperature(eye, np.array([1, 2, 0])) == pytest.approx(TEMPERATURES[1])


def predicted(*clips):
    """Return probabilities (N, 3) and labels of clips (predicted class, its probability, true class).

    Class 2 is the background.
    """
    probs = np.zeros((len(clips), 3), np.float32)
    for row, (k, p, _) in enumerate(clips):
        probs[row, k], probs[row, 2] = p, 1 - p
    return probs, np.array([true for _, _, true in clips])


def test_thresholds_by_hand():
    probs, labels = predicted((0, 0.9, 0), (0, 0.8, 0), (0, 0.7, 2), (0, 0.6, 0), (0, 0.5, 2), (0, 0.4, 2))
    fit = fit_thresholds(probs, labels, 2, precision=0.75, bounds=(0.3, 0.9), min_clips=2)
    # At 0.6, 3 of 4 are correct; at 0.5, 3 of 5. Class 1 was never predicted, and the background is not an event.
    np.testing.assert_allclose(fit, [0.6, 0.55, 0.55], rtol=1e-6)


def test_thresholds_count_clips_of_one_probability_together():
    probs, labels = predicted((0, 0.8, 0), (0, 0.6, 0), (0, 0.6, 2), (0, 0.6, 2))
    assert fit_thresholds(probs, labels, 2, precision=0.7, min_clips=1)[0] == pytest.approx(0.8)


def test_thresholds_are_bounded():
    right, labels = predicted(*[(0, 0.2, 0)] * 10)
    assert fit_thresholds(right, labels, 2)[0] == 0.55
    sure, _ = predicted(*[(0, 0.99, 0)] * 10)
    assert fit_thresholds(sure, np.full(10, 0), 2)[0] == 0.9
    assert fit_thresholds(sure, np.full(10, 2), 2, bounds=(0.2, 0.8))[0] == 0.8


def test_classes_with_too_few_clips_take_the_default():
    probs, labels = predicted(*[(0, 0.2, 0)] * 9)
    np.testing.assert_array_equal(fit_thresholds(probs, labels, 2, otherwise=0.6), [0.6, 0.6, 0.6])


@given(st.integers(0, 10_000), st.floats(0.5, 0.95))
@settings(deadline=None, max_examples=30)
def test_thresholds_reach_the_precision(seed, precision):
    logits, labels = calibrated(seed, count=300)
    probs = softmax(logits)
    thresholds = fit_thresholds(probs, labels, 4, precision=precision, bounds=(0.0, 1.0))
    acting = np.where(np.arange(5) == 4, -1, probs.astype(np.float64))
    best = acting.argmax(axis=1)
    for k in range(4):
        passed = (best == k) & (acting[:, k] >= thresholds[k])
        if thresholds[k] < 1:
            assert (labels[passed] == k).mean() >= precision - 1e-9


def several(seed, count=3000, K=4):
    """Return logits, and targets of 0 or 1 drawn from the sigmoids of each label."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 2, (count, K)).astype(np.float32)
    return logits, (rng.random((count, K)) < sigmoid(logits)).astype(np.float32)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_of_several_labels_is_found(temperature):
    logits, targets = several(seed=1)
    assert fit_sigmoid_temperature(logits * np.float32(temperature), targets) == pytest.approx(temperature, rel=0.1)


@given(st.integers(0, 10_000), st.floats(0.1, 8))
@settings(deadline=None, max_examples=30)
def test_no_other_temperature_of_several_labels_is_better(seed, scale):
    rng = np.random.default_rng(seed)
    logits, targets = rng.normal(0, scale, (40, 4)).astype(np.float32), rng.random((40, 4)).astype(np.float32)

    def cross_entropy(temperature):
        z = logits.astype(np.float64) / temperature
        return (np.logaddexp(0, z) - targets * z).mean()

    best = cross_entropy(fit_sigmoid_temperature(logits, targets))
    assert all(best <= cross_entropy(t) + 1e-6 for t in np.geomspace(*TEMPERATURES, 50))


def test_each_label_has_its_own_threshold():
    scores = np.array([[0.9, 0.2], [0.8, 0.2], [0.7, 0.2], [0.6, 0.2]])
    shown = np.array([[1, 0], [1, 0], [0, 0], [1, 0]], np.float32)
    fit = fit_label_thresholds(scores, shown, precision=0.75, bounds=(0.3, 0.95), otherwise=0.5, min_clips=2)
    # At 0.6, 3 of 4 clips show the first label; none shows the second.
    np.testing.assert_allclose(fit, [0.6, 0.5])


def test_a_clip_that_shows_a_part_is_ignored():
    scores = np.array([[0.9], [0.8], [0.7]])
    part, none = (np.array([[1], [share], [1]], np.float32) for share in (0.4, 0.0))
    fit = fit_label_thresholds(scores, part, precision=1.0, min_clips=1)
    np.testing.assert_allclose(fit, [0.7])
    np.testing.assert_allclose(fit_label_thresholds(scores, none, precision=1.0, min_clips=1), [0.9])
