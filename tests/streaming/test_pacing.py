from __future__ import annotations

import math

import numpy as np
import pytest

from streaming.frames import NS
from streaming.pacing import MediaClock, Pacer


@pytest.mark.parametrize(
    "stamps",
    [
        [0, 0, 0, 0, 0],
        [math.nan, math.nan, math.inf, -5, 0],
        [0, 40, 20, 10, 80],
        [0, 40, 3_600_000, 3_600_040, 3_600_080],
        [5000, 5040, 5080, 5120, 5160],
    ],
)
def test_broken_time_stamps_are_mended(stamps: list[float]) -> None:
    clock = MediaClock(25.0)
    times = np.array([clock.next(stamp) for stamp in stamps])
    assert times[0] == 0.0
    assert (np.diff(times) > 0).all()
    assert times[-1] == pytest.approx(0.16, abs=0.05)


def test_stamps_of_a_variable_rate_are_kept() -> None:
    clock = MediaClock(1000.0)
    assert [clock.next(ms) for ms in (0, 10, 500, 520, 3520)] == pytest.approx([0, 0.01, 0.5, 0.52, 3.52])


def test_frames_that_come_too_late_are_skipped_but_never_all_of_them() -> None:
    pacer = Pacer(start_ns=7 * NS)
    assert pacer.early_s(0.5, 7 * NS) == pytest.approx(0.5)
    assert not pacer.skips(0.1, 7 * NS)
    assert not pacer.skips(0.2, 7 * NS + NS // 4)
    shown = [i / 30 for i in range(7, 97) if not pacer.skips(i / 30, 17 * NS)]  # ten seconds behind
    assert len(shown) in {5, 6}
    assert not pacer.skips(9.95, 17 * NS)
