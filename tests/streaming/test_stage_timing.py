from __future__ import annotations

import pytest

from mar_edge.streaming.timing import Timer


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_sections_are_timed_even_where_they_raise() -> None:
    clock = Clock()
    timer = Timer(clock=clock)
    with timer.section("pose"):
        clock.now_s += 0.040
    with pytest.raises(ValueError, match="x"), timer.section("pose"):  # noqa: PT012 - the time must pass within
        clock.now_s += 0.060
        raise ValueError("x")
    assert timer.last_ms("pose") == pytest.approx(60)
    assert timer.percentiles()["pose"].p50_ms == pytest.approx(50)
    assert timer.last_ms("never") == 0.0


def test_percentiles_look_back_so_far_and_the_report_on_everything() -> None:
    timer = Timer(recent=100)
    for ms in [1000] * 50 + list(range(1, 101)):
        timer.record("total", ms / 1000)
    p = timer.percentiles()["total"]
    assert (p.p50_ms, p.p95_ms, p.p99_ms) == pytest.approx((50.5, 95.05, 99.01))
    header, line = timer.report().splitlines()
    assert header.split() == ["stage", "count", "mean", "ms", "p50", "p95", "p99"]
    assert line.split()[:3] == ["total", "150", "367.00"]


def test_a_timer_without_samples_reports_nothing() -> None:
    assert Timer().percentiles() == {}
    assert len(Timer().report().splitlines()) == 1
