"""Scores against numbers worked out by hand."""

import numpy as np
import pytest

from training.metrics import score

# Of five classes, 3 never occurs and is said once, 4 never occurs and is never said.
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
    assert scores.top1 == pytest.approx(3 / 6)
    assert scores.top3 == pytest.approx(4 / 6)
    np.testing.assert_allclose(scores.f1, [2 / 4, 2 / 3, 2 / 4, 0, 0])
    np.testing.assert_allclose(scores.recall, [1 / 2, 1, 1 / 3, 0, 0])
    assert scores.f1_macro == pytest.approx((1 / 2 + 2 / 3 + 1 / 2) / 5)


def test_all_right_is_one():
    scores = score(np.eye(4, dtype=np.float32), np.arange(4))
    assert (scores.top1, scores.top3, scores.f1_macro) == (1, 1, 1)


def test_all_wrong_is_nothing():
    scores = score(np.eye(4, dtype=np.float32)[[1, 2, 3, 0]], np.arange(4))
    assert (scores.top1, scores.f1_macro, scores.recall.max()) == (0, 0, 0)
