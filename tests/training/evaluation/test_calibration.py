import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mar_edge.training.evaluation.calibration import (
    TEMPERATURES,
    fit_label_thresholds,
    fit_sigmoid_temperature,
    fit_temperature,
    fit_thresholds,
    sigmoid,
)
from mar_edge.training.metrics import score_confidence


def softmax(z):
    weights = np.exp(z - z.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def honest(seed, count=4000, K=5):
    """Logits that are as sure as they should be, and labels drawn from what they say."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, K)).astype(np.float32)
    labels = (softmax(logits).cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return logits, np.minimum(labels, K - 1)


def nll(logits, labels, temperature):
    z = logits.astype(np.float64) / temperature
    return (np.logaddexp.reduce(z, axis=1) - z[np.arange(len(labels)), labels]).mean()


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_that_was_put_in_is_found(temperature):
    logits, labels = honest(seed=1)
    assert fit_temperature(logits * np.float32(temperature), labels) == pytest.approx(temperature, rel=0.1)


def test_it_makes_an_overconfident_model_honest():
    logits, labels = honest(seed=2)
    logits *= 5
    before = score_confidence(softmax(logits), labels).error
    after = score_confidence(softmax(logits / fit_temperature(logits, labels)), labels).error
    assert before > 0.2
    assert after < 0.03


@given(st.integers(0, 10_000), st.floats(0.1, 8))
@settings(deadline=None, max_examples=30)
def test_no_other_temperature_is_better(seed, scale):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(0, scale, (40, 4)).astype(np.float32), rng.integers(0, 4, 40)
    best = nll(logits, labels, fit_temperature(logits, labels))
    assert all(best <= nll(logits, labels, t) + 1e-6 for t in np.geomspace(*TEMPERATURES, 50))


def test_without_a_best_one_it_stops_at_an_end():
    eye = np.eye(3, dtype=np.float32)
    assert fit_temperature(eye, np.arange(3)) == pytest.approx(TEMPERATURES[0])
    assert fit_temperature(eye, np.array([1, 2, 0])) == pytest.approx(TEMPERATURES[1])


def said(*clips):
    """Probabilities (N, 3) and labels of clips (class said, its probability, true class); class 2 is the background."""
    probs = np.zeros((len(clips), 3), np.float32)
    for row, (k, p, _) in enumerate(clips):
        probs[row, k], probs[row, 2] = p, 1 - p
    return probs, np.array([true for _, _, true in clips])


def test_thresholds_by_hand():
    probs, labels = said((0, 0.9, 0), (0, 0.8, 0), (0, 0.7, 2), (0, 0.6, 0), (0, 0.5, 2), (0, 0.4, 2))
    fit = fit_thresholds(probs, labels, 2, precision=0.75, bounds=(0.3, 0.9), min_clips=2)
    # From 0.6 on 3 of 4 are right; from 0.5 on 3 of 5. Nothing was said of class 1, and the background is no event.
    np.testing.assert_allclose(fit, [0.6, 0.55, 0.55], rtol=1e-6)


def test_thresholds_count_clips_of_one_probability_together():
    probs, labels = said((0, 0.8, 0), (0, 0.6, 0), (0, 0.6, 2), (0, 0.6, 2))
    assert fit_thresholds(probs, labels, 2, precision=0.7, min_clips=1)[0] == pytest.approx(0.8)


def test_thresholds_are_bounded():
    right, labels = said(*[(0, 0.2, 0)] * 10)
    assert fit_thresholds(right, labels, 2)[0] == 0.55
    sure, _ = said(*[(0, 0.99, 0)] * 10)
    assert fit_thresholds(sure, np.full(10, 0), 2)[0] == 0.9
    assert fit_thresholds(sure, np.full(10, 2), 2, bounds=(0.2, 0.8))[0] == 0.8


def test_too_few_clips_say_nothing():
    probs, labels = said(*[(0, 0.2, 0)] * 9)
    np.testing.assert_array_equal(fit_thresholds(probs, labels, 2, otherwise=0.6), [0.6, 0.6, 0.6])


@given(st.integers(0, 10_000), st.floats(0.5, 0.95))
@settings(deadline=None, max_examples=30)
def test_above_its_threshold_a_class_is_as_precise_as_asked(seed, precision):
    logits, labels = honest(seed, count=300)
    probs = softmax(logits)
    thresholds = fit_thresholds(probs, labels, 4, precision=precision, bounds=(0.0, 1.0))
    acting = np.where(np.arange(5) == 4, -1, probs.astype(np.float64))
    best = acting.argmax(axis=1)
    for k in range(4):
        passed = (best == k) & (acting[:, k] >= thresholds[k])
        if thresholds[k] < 1:
            assert (labels[passed] == k).mean() >= precision - 1e-9


def several(seed, count=3000, K=4):
    """Logits of labels that are each as sure as they should be, and how much clips show of each: all or nothing."""
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
    # From 0.6 on 3 of 4 show the first label; nothing shows the second.
    np.testing.assert_allclose(fit, [0.6, 0.5])


def test_a_clip_that_shows_a_part_counts_neither_way():
    scores = np.array([[0.9], [0.8], [0.7]])
    part, none = (np.array([[1], [share], [1]], np.float32) for share in (0.4, 0.0))
    fit = fit_label_thresholds(scores, part, precision=1.0, min_clips=1)
    np.testing.assert_allclose(fit, [0.7])
    np.testing.assert_allclose(fit_label_thresholds(scores, none, precision=1.0, min_clips=1), [0.9])
