"""The limits of INT8 ranges, on data with known answers."""

import numpy as np
import pytest

from mar_edge.calibration.ranges import Histogram


def histogram(*batches):
    made = Histogram()
    for batch in batches:
        made.add(np.asarray(batch, np.float32))
    return made


def test_minmax_is_the_largest_size_of_any_batch():
    assert histogram([1, -2], [-7.5, 3]).limit("minmax") == 7.5
    assert histogram([0, 0], [0]).limit("minmax") == 0


def test_percentile_leaves_out_rare_values():
    rng = np.random.default_rng(0)
    common = rng.uniform(-1, 1, 200_000)
    assert histogram(common, [100.0]).limit("percentile") == pytest.approx(1, abs=0.01)
    assert histogram(common).limit("percentile") == pytest.approx(1, abs=0.01)


def test_entropy_cuts_a_long_tail_and_keeps_an_even_spread():
    rng = np.random.default_rng(0)
    even = rng.uniform(-2, 2, 200_000)
    assert histogram(even).limit("entropy") == pytest.approx(2, rel=0.1)
    tail = np.concatenate([rng.normal(0, 1, 200_000), [40.0, -50.0]])
    assert histogram(tail).limit("entropy") < 10


@pytest.mark.parametrize("method", ["minmax", "percentile", "entropy"])
def test_the_order_of_batches_does_not_matter_much(method):
    rng = np.random.default_rng(1)
    small, large = rng.normal(0, 1, 50_000), rng.normal(0, 3, 50_000)
    one, other = histogram(small, large), histogram(large, small)
    assert one.limit(method) == pytest.approx(other.limit(method), rel=0.1)


@pytest.mark.parametrize("method", ["minmax", "percentile", "entropy"])
def test_zeros_have_no_range(method):
    assert histogram(np.zeros(10)).limit(method) == 0


def test_nan_is_an_error():
    with pytest.raises(ValueError, match="not finite"):
        histogram([1, np.nan])
