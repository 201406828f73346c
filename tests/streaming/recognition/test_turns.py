"""A head that turns to one side, back, and on to the other: as many events as turns, without a rest between."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from streaming_fakes import LAYOUT, Motion, person

from mar_edge.edge.data import Window
from mar_edge.edge.movements import Way
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.events import EventChange, EventTracker
from mar_edge.streaming.recognition.extent import Extent
from mar_edge.streaming.recognition.motion import Motions, region_joints
from mar_edge.streaming.recognition.thresholds import Thresholds

HEAD = region_joints("head", LAYOUT)
FPS = 30.0
STRIDE_S = 0.2
FALLBACK_S = 0.0


def swings(amplitude_px: float, period_s: float, start_s: float, cycles: float) -> Motion:
    """Return a head that swings about its place from ``start_s`` on: half a cycle to one side, half to the other."""

    def joints(t: float) -> NDArray[np.float32]:
        phase = min(max((t - start_s) / period_s, 0.0), cycles)
        placed = person()
        placed[list(HEAD), 0] += amplitude_px * math.sin(2 * math.pi * phase)
        return placed

    return joints


def window(motion: Motion, end_s: float) -> Window:
    times = end_s - 2.0 + np.arange(round(2 * FPS) + 1) / FPS
    clip = np.stack([motion(float(t)) for t in times])
    clip += np.random.default_rng(1).normal(0, 0.5, clip.shape).astype(np.float32)
    return Window(clip, times)


def events(motion: Motion, seen: tuple[float, float], way: Way, until_s: float) -> list[EventChange]:
    """Return the ends of the events of one label, whose score is high from ``seen[0]`` to ``seen[1]``."""
    rules = EventRules(smoothing_s=0.0, min_duration_s=0.2)
    tracker = EventTracker(rules, Thresholds(np.array([0.5]), np.array([0.2])), itertools.count(1), outlives_s=1.1)
    changes: list[EventChange] = []
    for t in np.arange(2.0, until_s, STRIDE_S):
        motions = Motions(window(motion, float(t)))
        tracker.follow(motions)
        score = np.array([0.9 if seen[0] <= t <= seen[1] else 0.0], np.float32)
        changes += tracker.update(
            float(t), score, lambda label, motions=motions: Extent(motions, HEAD, FALLBACK_S, way)
        )
    return [change for change in changes if change.phase == "end"]


@pytest.mark.parametrize("period_s", [2.0, 2.6])
def test_a_turn_to_either_side_is_two_events(period_s: float) -> None:
    start_s = 3.0
    first, second = events(swings(40.0, period_s, start_s, 1.0), (3.6, 6.6), "each", 12.0)
    half_s = period_s / 2
    assert first.t_start_s == pytest.approx(start_s, abs=0.25)
    assert first.t_end_s == pytest.approx(start_s + half_s, abs=0.25)
    assert second.t_start_s == pytest.approx(start_s + half_s, abs=0.25)
    assert second.t_end_s == pytest.approx(start_s + period_s, abs=0.35)


def test_a_turn_and_back_is_one_event() -> None:
    (only,) = events(swings(40.0, 2.6, 3.0, 0.5), (3.6, 5.4), "each", 12.0)
    assert (only.t_start_s, only.t_end_s) == (pytest.approx(3.0, abs=0.25), pytest.approx(4.3, abs=0.35))


def test_a_label_of_both_ways_goes_on_past_the_start() -> None:
    (only,) = events(swings(40.0, 1.0, 3.0, 3.0), (3.6, 7.2), "both", 12.0)
    assert only.t_end_s == pytest.approx(6.0, abs=0.35)
