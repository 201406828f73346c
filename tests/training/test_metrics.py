"""Metrics compared with results by hand, and with their definitions counted clip by clip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mar_edge.edge.labels import ma52_labels
from mar_edge.training.metrics import (
    count_confusion,
    f1_mean,
    fold_confusion,
    score,
    score_confusion,
    score_reliability,
    without_background,
)

# Of five classes, 3 never occurs and is message once, 4 never occurs and is never message.
LABELS = np.array([0, 0, 1, 2, 2, 2])
RANKED = [[0, 1, 2, 3, 4], [1, 2, 3, 0, 4], [1, 0, 2, 3, 4], [2, 0, 1, 3, 4], [3, 4, 2, 0, 1], [0, 1, 3, 2, 4]]


@pytest.fixture
def scores():
    logits = np.zeros((6, 5), np.float32)
    for row, order in enumerate(RANKED):
        logits[row, order] = [4, 3, 2, 1, -7]
    return score(logits, LABELS)


def test_by_hand(scores):
    np.testing.assert_array_equal(
        scores.confusion, [[1, 1, 0, 0, 0], [0, 1, 0, 0, 0], [1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    )
    assert scores.top1 == scores.f1_micro == pytest.approx(3 / 6)
    assert scores.top3 == pytest.approx(4 / 6)
    assert scores.top5 == 1
    np.testing.assert_allclose(scores.precision, [1 / 2, 1 / 2, 1, 0, 0])
    np.testing.assert_allclose(scores.recall, [1 / 2, 1, 1 / 3, 0, 0])
    np.testing.assert_allclose(scores.f1, [2 / 4, 2 / 3, 2 / 4, 0, 0])
    np.testing.assert_array_equal(scores.support, [2, 1, 3, 0, 0])
    # The class that was message without occurring counts, the one that was neither does not.
    assert scores.f1_macro == pytest.approx((1 / 2 + 2 / 3 + 1 / 2 + 0) / 4)


def test_body_groups_by_hand(scores):
    body = score_confusion(fold_confusion(scores.confusion, [0, 0, 1, 1, 1]))
    np.testing.assert_array_equal(body.confusion, [[3, 0], [1, 2]])
    np.testing.assert_allclose(body.f1, [6 / 7, 4 / 5])
    assert body.f1_micro == pytest.approx(5 / 6)
    assert f1_mean(scores, body) == pytest.approx((5 / 12 + 1 / 2 + (6 / 7 + 4 / 5) / 2 + 5 / 6) / 4)


def test_perfect_predictions_score_one():
    scores = score(np.eye(4, dtype=np.float32), np.arange(4))
    assert (scores.top1, scores.top3, scores.top5, scores.f1_macro, scores.f1_micro) == (1, 1, 1, 1, 1)


def test_wrong_predictions_score_zero():
    scores = score(np.eye(4, dtype=np.float32)[[1, 2, 3, 0]], np.arange(4))
    assert (scores.top1, scores.f1_macro, scores.f1_micro, scores.recall.max()) == (0, 0, 0, 0)


@st.composite
def labelled_logits(draw):
    N, K = draw(st.integers(1, 12)), draw(st.integers(2, 6))
    logits = draw(arrays.arrays(np.float32, (N, K), elements=st.integers(-5, 5).map(np.float32)))
    return logits, draw(arrays.arrays(np.int64, N, elements=st.integers(0, K - 1)))


@given(labelled_logits())
@settings(deadline=None)
def test_by_definition(case):
    logits, labels = case
    scores = score(logits, labels)
    message = [max(range(logits.shape[1]), key=lambda k, row=row: (row[k], -k)) for row in logits]
    f1 = {}
    for k in {*message, *labels.tolist()}:
        hits = sum(s == k == y for s, y in zip(message, labels, strict=True))
        precision = hits / max(message.count(k), 1)
        recall = hits / max(labels.tolist().count(k), 1)
        f1[k] = 2 * precision * recall / (precision + recall) if hits else 0
        assert (scores.precision[k], scores.recall[k]) == pytest.approx((precision, recall))
        assert scores.f1[k] == pytest.approx(f1[k])
    assert scores.f1_macro == pytest.approx(np.mean(list(f1.values())))
    assert scores.f1_micro == pytest.approx(scores.top1)
    assert scores.top1 <= scores.top3 <= scores.top5
    assert scores.confusion.sum() == scores.support.sum() == len(labels)


@given(labelled_logits(), st.randoms())
@settings(deadline=None)
def test_body_groups_by_definition(case, random):
    logits, labels = case
    groups = [random.randrange(3) for _ in range(logits.shape[1] - 1)] + [2]
    body = score_confusion(fold_confusion(score(logits, labels).confusion, groups))
    message = np.array(groups)[logits.argmax(axis=1)]
    assert body.f1_micro == pytest.approx((message == np.array(groups)[labels]).mean())
    assert body.f1_micro >= score(logits, labels).f1_micro - 1e-12
    assert body.confusion.shape == (3, 3)


def test_without_background():
    logits = np.array([[0, 1, 9], [0, 9, 1], [9, 0, 1]], np.float32)
    acting, labels = without_background(logits, np.array([1, 2, 0]), background=2)
    np.testing.assert_array_equal(labels, [1, 0])
    scores = score(acting, labels)
    assert (scores.top1, scores.f1_macro) == (1, 1)
    assert np.isfinite(logits).all()  # what was given is left as it is


def test_reliability_by_hand():
    # Two clips at 0.9, one of them right; one at 0.6, right; one at exactly 0.5, wrong: it belongs to the lower half.
    probs = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.5, 0.5]], np.float32)
    found = score_reliability(probs, np.array([0, 1, 1, 1]), bins=2)
    np.testing.assert_array_equal(found.counts, [1, 3])
    np.testing.assert_allclose(found.confidence, [0.5, 0.8], rtol=1e-6)
    np.testing.assert_allclose(found.accuracy, [0, 2 / 3])
    assert found.error == pytest.approx((1 * 0.5 + 3 * (0.8 - 2 / 3)) / 4)


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_correct_predictions_of_full_confidence_have_no_error(bins, seed):
    labels = np.random.default_rng(seed).integers(0, 4, 20)
    assert score_reliability(np.eye(4, dtype=np.float32)[labels], labels, bins).error == 0
    assert score_reliability(np.eye(4, dtype=np.float32)[labels], (labels + 1) % 4, bins).error == 1


def test_the_challenges_figures_are_those_of_the_authors(shared):
    """F1 of actions and of body groups, from the authors' own evaluation of random answers."""
    with np.load(shared("spec/golden_manet.npz")) as golden:
        labels, predicted = golden["f1_labels"], golden["f1_pred"]
        expected = {name.removeprefix("f1/"): float(golden[name]) for name in golden.files if name.startswith("f1/")}
    bodies = [label.body for label in ma52_labels()]
    groups = [list(dict.fromkeys(bodies)).index(body) for body in bodies]
    action = score_confusion(count_confusion(labels, predicted, len(bodies)))
    body = score_confusion(fold_confusion(action.confusion, groups))
    found = {
        "lv1_acc": body.f1_micro,
        "lv1_f1_micro": body.f1_micro,
        "lv1_f1_macro": body.f1_macro,
        "lv2_acc": action.f1_micro,
        "lv2_f1_micro": action.f1_micro,
        "lv2_f1_macro": action.f1_macro,
        "mean_f1": f1_mean(action, body),
    }
    assert found == pytest.approx(expected, abs=1e-12)
