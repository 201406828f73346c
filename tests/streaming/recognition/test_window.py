from __future__ import annotations

import numpy as np
import pytest
from streaming_fakes import LAYOUT, V, nod, person, skeleton

from mar_edge.edge.families.base import WarmUp
from mar_edge.edge.preprocess import window_to_input
from mar_edge.streaming.recognition.window import MAX_FRAMES, SkeletonWindow

WARM_UP = WarmUp(min_span_s=0.7, min_frames=5, max_gap_s=0.5)


def filled(fps: float, seconds: float, jitter_s: float = 0.0) -> SkeletonWindow:
    window = SkeletonWindow(2.0, WARM_UP)
    rng = np.random.default_rng(0)
    motion = nod(20.0, hz=1.0)
    for i in range(round(seconds * fps) + 1):
        t_s = i / fps + (rng.uniform(-jitter_s, jitter_s) if i else 0.0)
        window.push(t_s, skeleton(motion(t_s)))
    return window


@pytest.mark.parametrize("fps", [15, 25, 30, 60])
def test_every_frame_rate_gives_the_same_span_and_the_same_network_input(fps: float) -> None:
    window = filled(fps, 4.0).window()
    reference = filled(120, 4.0).window()
    assert window is not None
    assert reference is not None
    assert window.span_s == pytest.approx(2.0, abs=1e-9)
    assert len(window.times_s) == 2 * fps + 1
    got, _ = window_to_input(window, LAYOUT)
    want, _ = window_to_input(reference, LAYOUT)
    assert np.abs(got - want).max() < 0.003


def test_uneven_times_span_two_seconds_to_half_a_frame() -> None:
    window = filled(30, 5.0, jitter_s=0.012).window()
    assert window is not None
    assert window.span_s == pytest.approx(2.0, abs=0.6 / 30 + 0.012)
    assert (np.diff(window.times_s) > 0).all()


def test_warms_up_until_it_has_the_span_the_network_knows() -> None:
    window = SkeletonWindow(2.0, WARM_UP)
    for i in range(31):
        window.push(i / 30, skeleton(person()))
        assert (window.window() is not None) == (i >= 21)


def test_a_few_frames_far_apart_are_no_window() -> None:
    window = SkeletonWindow(2.0, WARM_UP)
    for i in range(4):
        window.push(i * 0.4, skeleton(person()))
    assert window.window() is None
    window.push(1.6, skeleton(person()))
    assert window.window() is not None


def test_a_short_gap_is_bridged_and_a_long_one_empties() -> None:
    window = filled(30, 1.0)
    for i in range(10):
        assert not window.push(1.0 + (i + 1) / 30, None)
    assert not window.push(1.4, skeleton(person()))
    assert window.window() is not None
    assert window.push(2.0, skeleton(person()))
    assert window.resets == 1
    assert len(window) == 1
    assert window.window() is None


def test_a_long_absence_empties_the_window_once() -> None:
    window = filled(30, 1.0)
    resets = [window.push(1.0 + i / 30, None) for i in range(1, 60)]
    assert sum(resets) == window.resets == 1
    assert window.newest_s is None


@pytest.mark.parametrize("back_to_s", [0.3, 1.0])
def test_time_that_runs_backwards_or_stands_still_empties(back_to_s: float) -> None:
    window = filled(30, 1.0)
    assert window.push(back_to_s, skeleton(person()))
    assert window.resets == 1
    assert window.newest_s == back_to_s


def test_unseen_joints_stay_nan_and_a_person_without_joints_counts_as_unseen() -> None:
    window = SkeletonWindow(2.0, WARM_UP)
    joints = person()
    joints[5] = np.nan
    nothing = np.full((V, 2), np.nan, np.float32)
    for i in range(30):
        window.push(i / 30, skeleton(joints))
    got = window.window()
    assert got is not None
    assert np.isnan(got.clip[:, 5]).all()
    assert not np.isnan(got.clip[:, 6]).any()
    window.push(1.2, skeleton(nothing))
    assert window.newest_s == pytest.approx(29 / 30)


def test_memory_is_bounded_in_frames_as_in_time() -> None:
    window = SkeletonWindow(2.0, WARM_UP)
    for i in range(9000):
        window.push(i / 4000, skeleton(person()))
    assert len(window) <= MAX_FRAMES
    assert len(filled(30, 20.0)) == 61
