from __future__ import annotations

import numpy as np
import pytest
from streaming_fakes import LAYOUT, Motion, nod, person

from edge.data import Window
from edge.labels import ma52_labels
from streaming.onset import REGIONS_OF_BODY, motion_energy, offset_s, onset_s, region_joints

HEAD = region_joints("head", LAYOUT)


def window(motion: Motion, fps: float = 30.0, jitter_px: float = 0.5, start_s: float = 10.0) -> Window:
    times = start_s + np.arange(round(2 * fps) + 1) / fps
    clip = np.stack([motion(float(t)) for t in times])
    clip += np.random.default_rng(1).normal(0, jitter_px, clip.shape).astype(np.float32)
    return Window(clip, times)


def test_every_body_group_of_the_data_set_has_its_regions() -> None:
    assert {label.body for label in ma52_labels()} == set(REGIONS_OF_BODY)
    assert region_joints("head", LAYOUT) == LAYOUT.regions["head"]
    assert region_joints("head-hand", LAYOUT) == LAYOUT.regions["arms"]
    assert len(region_joints("something new", LAYOUT)) == 44


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_onset_and_offset_of_a_nod_with_rest_around_it(fps: float) -> None:
    nodding = window(nod(8.0, hz=2.0, start_s=10.6, end_s=11.6), fps)
    assert onset_s(nodding, HEAD, -1.0) == pytest.approx(10.6, abs=0.2)
    assert offset_s(nodding, HEAD, 10.6, -1.0) == pytest.approx(11.6, abs=0.2)


def test_a_slow_nod_is_one_movement_though_it_turns_round() -> None:
    nodding = window(nod(12.0, hz=1.0, start_s=10.5, end_s=11.999))
    assert onset_s(nodding, HEAD, -1.0) == pytest.approx(10.5, abs=0.2)


def test_a_movement_that_still_goes_on_ends_at_the_newest_frame() -> None:
    nodding = window(nod(8.0, hz=2.0, start_s=11.2))
    assert onset_s(nodding, HEAD, -1.0) == pytest.approx(11.2, abs=0.2)
    assert offset_s(nodding, HEAD, 11.2, -1.0) == pytest.approx(12.0, abs=0.05)


def test_of_two_movements_the_newest_begins_and_the_one_that_began_before_ends() -> None:
    first, second = nod(8.0, hz=2.5, start_s=10.1, end_s=10.5), nod(8.0, hz=2.5, start_s=11.3, end_s=11.7)
    both = window(lambda t: first(t) if t < 11 else second(t))
    assert onset_s(both, HEAD, -1.0) == pytest.approx(11.3, abs=0.2)
    assert offset_s(both, HEAD, 10.1, -1.0) == pytest.approx(10.5, abs=0.2)
    assert offset_s(both, HEAD, 9.0, -1.0) == pytest.approx(10.5, abs=0.3)
    assert offset_s(both, HEAD, 11.2, -1.0) == pytest.approx(11.7, abs=0.2)


def test_a_movement_that_ended_before_the_window_ended_at_its_first_frame() -> None:
    later = window(nod(8.0, hz=2.5, start_s=11.3, end_s=11.7))
    assert offset_s(later, HEAD, 8.0, -1.0) == 10.0


def test_only_the_labels_own_region_counts() -> None:
    nodding = window(nod(8.0, hz=2.0, start_s=10.6, end_s=11.6), jitter_px=0.0)
    assert onset_s(nodding, region_joints("lower limb", LAYOUT), -1.0) == -1.0


def test_where_nothing_stands_out_the_answer_is_the_fall_back() -> None:
    assert onset_s(window(lambda _: person()), HEAD, 11.8) == 11.8
    assert offset_s(window(lambda _: person()), HEAD, 11.0, 11.8) == 11.8
    throughout = window(nod(8.0, hz=2.0), jitter_px=0.0)
    assert onset_s(throughout, HEAD, 11.8) == 11.8


def test_gaps_and_short_windows_have_defined_results() -> None:
    nodding = window(nod(8.0, hz=2.0, start_s=10.6, end_s=11.6))
    clip = nodding.clip.copy()
    clip[::3, 0] = np.nan
    clip[:, 3] = np.nan
    assert onset_s(Window(clip, nodding.times_s), HEAD, -1.0) == pytest.approx(10.6, abs=0.2)
    assert (motion_energy(Window(clip[:2], nodding.times_s[:2]), HEAD) == 0).all()
    assert (motion_energy(Window(np.full_like(clip, np.nan), nodding.times_s), HEAD) == 0).all()
