from __future__ import annotations

import random

import pytest

from mar_edge.streaming.capture.backoff import Backoff


def test_delays_grow_to_a_limit_and_reset_after_a_long_connection() -> None:
    backoff = Backoff(first_s=1.0, most_s=10.0, jitter=0.0)
    assert [backoff.after(0.0) for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    assert backoff.after(backoff.steady_s - 0.1) == 10  # a flapping camera is not retried without a pause
    assert [backoff.after(3600.0), backoff.after(0.0)] == [1, 2]


def test_jitter_spreads_the_delays() -> None:
    backoff = Backoff(first_s=1.0, most_s=1.0, jitter=0.2, random=random.Random(1))
    drawn = [backoff.after(0.0) for _ in range(200)]
    assert min(drawn) == pytest.approx(0.8, abs=0.02)
    assert max(drawn) == pytest.approx(1.2, abs=0.02)
