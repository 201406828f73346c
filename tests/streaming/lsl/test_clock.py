from __future__ import annotations

import time

import pytest
from lsl_fakes import pylsl

from mar_edge.streaming.lsl.clock import LslClock

NS = 1_000_000_000


class Clocks:
    """Two clocks that are ``apart_s``; every reading takes a microsecond, and some are interrupted."""

    def __init__(self, apart_s: float, interrupted: int = 0) -> None:
        self.apart_s, self._now_ns, self._interrupted = apart_s, 5000 * NS, interrupted

    def mono_ns(self) -> int:
        self._now_ns += 1000
        return self._now_ns

    def local_clock(self) -> float:
        self._now_ns += 1000
        read_s = self._now_ns / NS + self.apart_s
        if self._interrupted:
            self._interrupted -= 1
            self._now_ns += 40_000_000
        return read_s


@pytest.mark.parametrize("apart_s", [0.0, -4321.5, 1e6])
def test_times_are_converted_there_and_back(apart_s: float) -> None:
    clocks = Clocks(apart_s)
    clock = LslClock(clocks.local_clock, clocks.mono_ns)
    assert clock.lsl_s(7 * NS) == pytest.approx(7.0 + apart_s, abs=1e-6)
    assert clock.mono_ns(clock.lsl_s(7 * NS)) == pytest.approx(7 * NS, abs=1000)


def test_a_reading_that_was_interrupted_does_not_count() -> None:
    clocks = Clocks(100.0, interrupted=8)
    assert LslClock(clocks.local_clock, clocks.mono_ns).lsl_s(0) == pytest.approx(100.0, abs=1e-6)


def test_a_clock_that_drifts_is_followed() -> None:
    clocks = Clocks(100.0)
    clock = LslClock(clocks.local_clock, clocks.mono_ns)
    clocks.apart_s += 0.25
    assert clock.lsl_s(0) == pytest.approx(100.0, abs=1e-6)
    clock.measure()
    assert clock.lsl_s(0) == pytest.approx(100.25, abs=1e-6)


def test_the_real_clocks_agree() -> None:
    clock = LslClock(pylsl.local_clock)
    before_s = pylsl.local_clock()
    converted_s = clock.lsl_s(time.monotonic_ns())
    assert before_s - 0.001 <= converted_s <= pylsl.local_clock() + 0.001
