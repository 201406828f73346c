"""Matching of reported and true events, on constructed cases."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mar_edge.edge.labels import ma52_labels
from mar_edge.streaming.recording.matching import temporal_iou
from mar_edge.training.evaluation.matching import LiveEvent, match_events
from mar_edge.training.synth.events import TrueEvent

NAMED = {label.name: label for label in ma52_labels()}
NOD, SHAKE, SHRUG = (NAMED[name] for name in ("nodding", "shaking head", "shrugging"))


def live(label, start_s, end_s, score=0.8, reported_s=None):
    return LiveEvent(label, start_s, end_s, start_s + 0.5 if reported_s is None else reported_s, score)


def pairs(live_events, true_events, min_tiou=0.5, key=lambda label: label.name):
    matches = match_events(live_events, true_events, min_tiou, key)
    return [(live_events.index(match.live), true_events.index(match.true)) for match in matches]


def test_nothing_matches_nothing():
    assert pairs([], []) == []
    assert pairs([live(NOD, 0, 1)], []) == []
    assert pairs([], [TrueEvent(NOD, 0, 1)]) == []


def test_each_event_is_matched_once_the_highest_score_first():
    true = [TrueEvent(NOD, 1.0, 3.0)]
    twice = [live(NOD, 1.0, 3.0, 0.6), live(NOD, 1.2, 3.0, 0.9)]
    assert pairs(twice, true) == [(1, 0)]


def test_the_highest_score_takes_the_largest_overlap():
    true = [TrueEvent(NOD, 0.0, 2.0), TrueEvent(NOD, 1.0, 3.0)]
    assert pairs([live(NOD, 0.9, 3.0, 0.9), live(NOD, 0.5, 2.5, 0.5)], true) == [(0, 1), (1, 0)]


def test_another_label_matches_by_body_group_only():
    true = [TrueEvent(NOD, 0.0, 2.0)]
    assert pairs([live(SHAKE, 0.0, 2.0)], true) == []
    assert pairs([live(SHAKE, 0.0, 2.0)], true, key=lambda label: label.body) == [(0, 0)]
    assert pairs([live(SHRUG, 0.0, 2.0)], true, key=lambda label: label.body) == []


@pytest.mark.parametrize(("start_s", "end_s", "is_pair"), [(1, 3, True), (1, 2, True), (2, 4, False), (9, 9, False)])
def test_overlap(start_s, end_s, is_pair):
    assert pairs([live(NOD, start_s, end_s)], [TrueEvent(NOD, 1.0, 3.0)]) == ([(0, 0)] if is_pair else [])


def test_delay():
    (match,) = match_events(
        [live(NOD, 1.1, 3, reported_s=1.9)], [TrueEvent(NOD, 1.0, 3.0)], 0.5, lambda label: label.name
    )
    assert match.delay_s == pytest.approx(0.9)


SPANS = st.tuples(st.sampled_from([NOD, SHAKE]), st.integers(0, 20), st.integers(1, 10))


@given(st.lists(st.tuples(SPANS, st.floats(0, 1))), st.lists(SPANS), st.sampled_from([0.1, 0.5]))
@settings(deadline=None)
def test_pairs_are_of_one_label_overlap_enough_and_share_nothing(reported, happened, min_tiou):
    events = [live(label, start, start + length, score) for (label, start, length), score in reported]
    true = [TrueEvent(label, start, start + length) for label, start, length in happened]
    matches = match_events(events, true, min_tiou, lambda label: label.name)
    for m in matches:
        spans = (m.live.t_start_s, m.live.t_end_s), (m.true.t_start, m.true.t_end)
        assert m.live.label == m.true.label
        assert temporal_iou(*spans) >= min_tiou
    assert len({id(m.live) for m in matches}) == len({id(m.true) for m in matches}) == len(matches)
    # No unmatched pair could still match.
    left = [event for event in events if not any(event is m.live for m in matches)]
    free = [event for event in true if not any(event is m.true for m in matches)]
    assert not match_events(left, free, min_tiou, lambda label: label.name)
