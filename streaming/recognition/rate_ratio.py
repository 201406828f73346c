"""The interval of the ratio of two rates of events, from their counts. Pure arithmetic."""

from __future__ import annotations

import math

_LEVEL = 0.95
# Halvings of [0, 1]: to 1e-14.
_HALVINGS = 47


def ratio_interval(
    count: int, time_s: float, base_count: int, base_time_s: float, level: float = _LEVEL
) -> tuple[float | None, float | None]:
    """Return the exact confidence interval of the ratio of two Poisson rates, first over second.

    Of both counts together, the first is binomial (Przyborowski and Wilenski, Biometrika 31, 1940). The interval of
    its share (Clopper and Pearson, Biometrika 26, 1934) gives that of the ratio.

    Args:
        count, time_s: events and observed time of the first.
        base_count, base_time_s: of the second.
        level: confidence.

    Returns:
        Both limits; None for a limit that the counts do not give. Without any event, or any time, there is neither.
    """
    total = count + base_count
    if total == 0 or time_s <= 0.0 or base_time_s <= 0.0:
        return None, None
    tail = (1.0 - level) / 2
    per_odds = base_time_s / time_s
    low = 0.0 if count == 0 else _share_with(count - 1, total, 1.0 - tail)
    high = None if base_count == 0 else _share_with(count, total, tail)
    return per_odds * low / (1.0 - low), None if high is None else per_odds * high / (1.0 - high)


def _share_with(most: int, total: int, wanted: float) -> float:
    """Return the share at which at most ``most`` of ``total`` have the probability ``wanted``."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        # The probability falls as the share grows.
        if _at_most(most, total, middle) > wanted:
            low = middle
        else:
            high = middle
    return low


def _at_most(most: int, total: int, share: float) -> float:
    """Return the binomial probability of at most ``most`` of ``total``, summed over the smaller tail."""
    if not 0.0 < share < 1.0:
        return float(share <= 0.0)
    if most > total * share:
        return 1.0 - _at_most(total - most - 1, total, 1.0 - share)
    log_ways = math.lgamma(total + 1) - math.lgamma(most + 1) - math.lgamma(total - most + 1)
    term = math.exp(log_ways + most * math.log(share) + (total - most) * math.log1p(-share)) if most >= 0 else 0.0
    summed = 0.0
    for number in range(most, -1, -1):
        summed += term
        term *= number * (1.0 - share) / ((total - number + 1) * share)
        if term <= summed * 1e-17:
            break
    return summed
