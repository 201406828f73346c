"""Class weights, and what they do to a loss and to a sampler."""

import numpy as np
import pytest

from mar_edge.training.balance import class_weights


def test_rare_classes_weigh_more_by_their_effective_number():
    weights = class_weights(np.array([10, 1000, 100_000]))
    assert weights[0] / weights[1] == pytest.approx(63.5, rel=0.01)
    assert weights[1] / weights[2] == pytest.approx(1000 / 632.3, rel=0.01)


def test_the_average_clip_weighs_one():
    counts = np.array([10, 1000, 0, 37])
    weights = class_weights(counts)
    assert (weights * counts).sum() == pytest.approx(counts.sum())
    assert weights[2] == 0
    np.testing.assert_allclose(class_weights(np.array([50, 50, 50])), 1)
