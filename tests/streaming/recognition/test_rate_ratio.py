import math

import pytest

from mar_edge.streaming.recognition.rate_ratio import ratio_interval

CASES = [
    (count, time_s, base_count, base_time_s)
    for count, base_count in [(0, 1), (1, 0), (0, 40), (3, 2), (20, 120), (300, 500), (3000, 5000), (5000, 1)]
    for time_s, base_time_s in [(60.0, 300.0), (17.5, 60.0)]
]


@pytest.mark.parametrize(("count", "time_s", "base_count", "base_time_s"), CASES)
def test_the_interval_is_that_of_clopper_and_pearson(
    count: int, time_s: float, base_count: int, base_time_s: float
) -> None:
    beta = pytest.importorskip("scipy.stats").beta
    total, odds = count + base_count, base_time_s / time_s
    low = beta.ppf(0.025, count, base_count + 1) if count else 0.0
    found = ratio_interval(count, time_s, base_count, base_time_s)
    assert found[0] == pytest.approx(odds * low / (1 - low), rel=1e-9, abs=1e-12)
    if base_count:
        high = beta.ppf(0.975, count + 1, total - count)
        assert found[1] == pytest.approx(odds * high / (1 - high), rel=1e-9)
    else:
        assert found[1] is None


def test_limits_that_can_be_computed_by_hand() -> None:
    # One event against none: its share is at least 0.025, of which 0.025 / 0.975 are the odds.
    assert ratio_interval(1, 60.0, 0, 60.0) == (pytest.approx(1 / 39, rel=1e-9), None)
    # Two against none: the square root of 0.025.
    share = math.sqrt(0.025)
    assert ratio_interval(2, 60.0, 0, 120.0)[0] == pytest.approx(2 * share / (1 - share), rel=1e-9)


@pytest.mark.parametrize("case", [(0, 60.0, 0, 60.0), (3, 0.0, 2, 60.0), (3, 60.0, 2, 0.0)])
def test_without_events_or_time_there_is_no_interval(case: tuple[int, float, int, float]) -> None:
    assert ratio_interval(*case) == (None, None)
