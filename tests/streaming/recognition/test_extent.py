from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from streaming_fakes import LAYOUT, Motion, nod, person

from mar_edge.edge.body_groups import body_group
from mar_edge.edge.data import Window
from mar_edge.edge.labels import ma52_labels
from mar_edge.edge.movements import Way, ma52_movements
from mar_edge.streaming.recognition.extent import Extent
from mar_edge.streaming.recognition.motion import Motions, region_joints
from mar_edge.training.synth.actions import ACTIONS

HEAD = region_joints("head", LAYOUT)


FALLBACK_S = 1.0


def window(motion: Motion, fps: float = 30.0, jitter_px: float = 0.5, end_s: float = 12.0) -> Window:
    times = end_s - 2.0 + np.arange(round(2 * fps) + 1) / fps
    clip = np.stack([motion(float(t)) for t in times])
    clip += np.random.default_rng(1).normal(0, jitter_px, clip.shape).astype(np.float32)
    return Window(clip, times)


def moved(pixels: float, out: tuple[float, float], back: tuple[float, float] | None = None) -> Motion:
    """Return a head that goes down evenly over ``out``, and up again over ``back`` (seconds)."""

    def way(t: float, span: tuple[float, float]) -> float:
        return min(max((t - span[0]) / (span[1] - span[0]), 0.0), 1.0)

    def joints(t: float) -> NDArray[np.float32]:
        placed = person()
        placed[list(HEAD), 1] += pixels * (way(t, out) - (way(t, back) if back else 0.0))
        return placed

    return joints


def test_every_body_group_of_the_data_set_has_its_regions() -> None:
    assert all(body_group(label.body).moves for label in ma52_labels())
    assert region_joints("head", LAYOUT) == LAYOUT.regions["head"]
    assert region_joints("head-hand", LAYOUT) == LAYOUT.regions["arms"]
    assert len(region_joints("something new", LAYOUT)) == 44


def extent(
    motion: Motion,
    first_end_s: float,
    last_end_s: float,
    *,
    body: str = "head",
    fps: float = 30.0,
    way: Way = "both",
) -> Extent:
    """Return that of the movement in the window up to ``first_end_s``, followed up to ``last_end_s``."""
    joints = region_joints(body, LAYOUT)
    extent = Extent(Motions(window(motion, fps, end_s=first_end_s)), joints, FALLBACK_S, way)
    for end_s in np.arange(first_end_s + 0.2, last_end_s + 1e-6, 0.2):
        extent.follow(Motions(window(motion, fps, end_s=float(end_s))))
    return extent


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_a_nod_with_rest_around_it(fps: float) -> None:
    nodding = extent(nod(8.0, hz=2.0, start_s=10.6, end_s=11.6), 11.4, 13.0, fps=fps)
    assert nodding.start_s == pytest.approx(10.6, abs=0.2)
    assert nodding.end_s == pytest.approx(11.6, abs=0.2)
    assert nodding.is_over


def test_the_turning_points_of_a_slow_nod_do_not_split_it() -> None:
    nodding = extent(nod(12.0, hz=1.0, start_s=10.5, end_s=12.499), 12.0, 14.0)
    assert (nodding.start_s, nodding.end_s) == (pytest.approx(10.5, abs=0.2), pytest.approx(12.5, abs=0.2))


def test_a_movement_that_goes_on_has_its_end_at_the_newest_frame() -> None:
    nodding = extent(nod(8.0, hz=2.0, start_s=11.2), 12.0, 16.0)
    assert nodding.start_s == pytest.approx(11.2, abs=0.2)
    assert nodding.end_s == pytest.approx(16.0, abs=0.15)  # 2 Hz turn round every quarter of a second
    assert not nodding.is_over


def test_out_stay_and_back_are_one_movement() -> None:
    """Out, a stay without motion that is longer than a window, and back."""
    bowed = extent(moved(20.0, (10.5, 11.0), (13.5, 14.0)), 11.4, 15.0)
    assert (bowed.start_s, bowed.end_s) == (pytest.approx(10.5, abs=0.2), pytest.approx(14.0, abs=0.2))
    assert bowed.is_over


def test_a_label_of_one_way_ends_where_the_way_led() -> None:
    there_and_back = moved(20.0, (10.5, 11.0), (13.5, 14.0))
    bowed = extent(there_and_back, 11.4, 15.0, way="one")
    assert (bowed.start_s, bowed.end_s) == (pytest.approx(10.5, abs=0.2), pytest.approx(11.0, abs=0.2))
    assert not bowed.is_over  # it accounts for nothing of the way back
    assert extent(there_and_back, 14.1, 15.0, way="one").start_s == pytest.approx(13.5, abs=0.2)


def test_an_immediate_way_back_belongs_to_a_movement_of_one_way() -> None:
    assert extent(moved(20.0, (10.5, 11.0), (11.5, 12.0)), 11.4, 14.0, way="one").end_s == pytest.approx(12.0, abs=0.2)


def test_ways_are_those_of_the_synthesizer() -> None:
    # It makes the recordings on which events are evaluated.
    named = {action.name: action.back == action.id for action in ACTIONS if action.back is not None}
    assert any(named.values())
    movements = ma52_movements()
    assert {name: movements[name].way for name in named} == {
        name: "each" if same else "one" for name, same in named.items()
    }


def test_each_way_of_a_turn_is_a_movement() -> None:
    there_and_back = moved(20.0, (10.5, 11.0), (13.5, 14.0))
    assert not extent(there_and_back, 11.4, 13.4, way="each").goes_again
    turned = extent(there_and_back, 11.4, 15.0, way="each")
    assert turned.goes_again
    assert turned.end_s == pytest.approx(11.0, abs=0.2)
    assert not extent(there_and_back, 11.4, 15.0, way="one").goes_again


def test_a_region_that_stays_away_is_waited_for() -> None:
    there_and_back = moved(20.0, (10.5, 11.0), (13.5, 14.0))
    assert extent(there_and_back, 11.4, 13.0).stays
    assert extent(there_and_back, 11.4, 13.8).stays  # more than half of the way back
    assert not extent(there_and_back, 11.4, 15.0).stays  # is back
    assert not extent(there_and_back, 11.4, 13.0, way="one").stays
    most_of_it = moved(20.0, (10.5, 11.0)), moved(-13.0, (11.6, 12.0))
    assert not extent(lambda t: most_of_it[0](t) + most_of_it[1](t) - person(), 11.4, 13.0).stays


def test_a_quick_movement_keeps_its_length() -> None:
    # To 0.1 s at both ends, of which the smoothing of places is a half.
    quick = extent(moved(20.0, (10.5, 10.7)), 11.4, 13.0, way="one")
    assert (quick.start_s, quick.end_s) == (pytest.approx(10.5, abs=0.1), pytest.approx(10.7, abs=0.1))


def test_a_movement_without_a_way_back_ended_with_the_last_motion() -> None:
    turned = extent(moved(20.0, (10.5, 11.0)), 11.4, 15.0)
    assert turned.end_s == pytest.approx(11.0, abs=0.2)
    assert not turned.is_over


def test_a_way_back_belongs_to_the_way_out_before_it() -> None:
    assert extent(moved(20.0, (10.5, 10.9), (11.4, 11.8)), 12.1, 12.1).start_s == pytest.approx(10.5, abs=0.2)
    onwards = moved(20.0, (10.5, 10.9)), moved(20.0, (11.5, 11.9))
    farther = extent(lambda t: onwards[0](t) + onwards[1](t) - person(), 12.1, 12.1)
    assert farther.start_s == pytest.approx(11.5, abs=0.2)


def test_of_two_movements_in_a_window_the_newest_begins_and_the_first_keeps_its_end() -> None:
    first, second = nod(8.0, hz=2.5, start_s=10.1, end_s=10.5), nod(8.0, hz=2.5, start_s=11.9, end_s=12.3)

    def both(t: float) -> NDArray[np.float32]:
        return first(t) if t < 11 else second(t)

    assert extent(both, 12.2, 12.2).start_s == pytest.approx(11.9, abs=0.2)
    assert extent(both, 10.8, 12.8).end_s == pytest.approx(10.5, abs=0.2)


def test_only_the_labels_own_region_counts() -> None:
    nodding = window(nod(8.0, hz=2.0, start_s=10.6, end_s=11.6), jitter_px=0.0)
    assert Extent(Motions(nodding), region_joints("lower limb", LAYOUT), FALLBACK_S).start_s == FALLBACK_S


def test_without_a_movement_the_beginning_is_the_fallback() -> None:
    assert Extent(Motions(window(lambda _: person(), jitter_px=0.0)), HEAD, FALLBACK_S).start_s == FALLBACK_S
    assert Extent(Motions(window(nod(8.0, hz=2.0), jitter_px=0.0)), HEAD, FALLBACK_S).start_s == FALLBACK_S


def test_motion_counts_as_a_movement_and_rest_does_not() -> None:
    def has_moved(motion: Motion, jitter_px: float = 0.5) -> bool:
        return Extent(Motions(window(motion, jitter_px=jitter_px)), HEAD, FALLBACK_S).has_moved

    assert has_moved(nod(8.0, hz=2.0, start_s=10.6, end_s=11.6))
    assert has_moved(nod(16.0, hz=2.0))  # all the time
    assert not has_moved(lambda _: person(), jitter_px=0.0)


def test_gaps_and_short_windows_have_defined_results() -> None:
    nodding = window(nod(8.0, hz=2.0, start_s=10.6, end_s=11.6))
    clip = nodding.clip.copy()
    clip[::3, 0] = np.nan
    clip[:, 3] = np.nan
    assert Extent(Motions(Window(clip, nodding.times_s)), HEAD, FALLBACK_S).start_s == pytest.approx(10.6, abs=0.2)
    for nothing in (Window(clip[:2], nodding.times_s[:2]), Window(np.full_like(clip, np.nan), nodding.times_s)):
        empty = Extent(Motions(nothing), HEAD, FALLBACK_S)
        empty.follow(Motions(nodding))
        assert empty.start_s == FALLBACK_S
