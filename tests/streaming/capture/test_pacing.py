from __future__ import annotations

from itertools import zip_longest

import numpy as np
import pytest

from mar_edge.streaming.capture.frames import NS
from mar_edge.streaming.capture.pacing import MediaClock, Pacer


def times_of(clock: MediaClock, stamps: list[float | None]) -> list[float]:
    return [clock.next(stamp, following) for stamp, following in zip_longest(stamps, stamps[1:])]


@pytest.mark.parametrize(
    ("stamps", "segments"),
    [
        ([0.0, 0.0, 0.0, 0.0, 0.0], 0),
        ([None, None, None, None, None], 0),
        ([None, 0.04, None, None, 0.16], 0),
        ([0.0, 0.04, 0.02, 0.01, 0.16], 0),
        ([0.0, 0.04, 3600.0, 0.12, 0.16], 0),
        ([3600.0, 0.04, 0.08, 0.12, 0.16], 0),
        ([5000.0, 5000.04, 0.0, 0.04, 0.08], 1),
    ],
)
def test_invalid_timestamps_are_replaced(stamps: list[float | None], segments: int) -> None:
    clock = MediaClock(25.0)
    times = np.array(times_of(clock, stamps))
    assert (np.diff(times) > 0).all()
    assert times[-1] - times[0] == pytest.approx(0.16, abs=0.05)
    assert clock.segment == segments


@pytest.mark.parametrize("stamps", [[0, 0.01, 0.5, 0.52, 1.52], [1.5, 1.54, 1.58], [0, 20, 40, 40.04, 86_400]])
def test_valid_timestamps_are_kept_and_a_gap_begins_a_segment(stamps: list[float | None]) -> None:
    clock = MediaClock(1000.0)
    assert times_of(clock, stamps) == pytest.approx(stamps)
    assert clock.segment == (3 if 20 in stamps else 0)


def test_late_frames_are_skipped_but_never_all_of_them() -> None:
    pacer = Pacer(start_ns=7 * NS)
    assert pacer.early_s(0.5, 7 * NS) == pytest.approx(0.5)
    assert not pacer.skips(0.1, 7 * NS)
    assert not pacer.skips(0.2, 7 * NS + NS // 4)
    shown = [i / 30 for i in range(7, 97) if not pacer.skips(i / 30, 17 * NS)]  # ten seconds behind
    assert len(shown) in {5, 6}
    assert not pacer.skips(9.95, 17 * NS)
