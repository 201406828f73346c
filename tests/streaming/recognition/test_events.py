"""When events begin and end, by scores over time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from event_scripts import BACKGROUND, K, Movement, phases, prompt, rows, run, thresholds, tracker

from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.events import EventTracker


def test_a_label_begins_lasts_and_ends() -> None:
    script = rows(1, 0.9, 10.0, 11.2) + rows(BACKGROUND, 0.9, 11.2, 12.0)
    changes = run(tracker(), script)
    assert phases(changes) == [("begin", 1), ("update", 1), ("end", 1)]
    begin, update, end = changes
    assert begin.t_start_s == update.t_start_s == end.t_start_s == pytest.approx(9.5)
    assert (begin.t_end_s, update.t_end_s) == (None, None)
    assert end.t_end_s == pytest.approx(11.1)
    assert end.score == pytest.approx(0.9)
    assert {change.event_id for change in changes} == {1}


def test_onset_comes_from_the_window_that_first_crossed_the_threshold() -> None:
    events = tracker(prompt(min_duration_s=0.4))
    changes = run(events, rows(1, 0.9, 10.0, 11.0))
    assert changes[0].phase == "begin"
    assert changes[0].t_start_s == pytest.approx(9.5)


def test_between_the_two_thresholds_no_event_begins_or_ends() -> None:
    rules = prompt(update_s=100.0)
    assert run(tracker(rules), rows(1, 0.45, 0.0, 5.0)) == []
    changes = run(tracker(rules), rows(1, 0.8, 0.0, 1.0) + rows(1, 0.35, 1.0, 5.0))
    assert phases(changes) == [("begin", 1)]


def test_the_background_is_never_an_event() -> None:
    assert run(tracker(), rows(BACKGROUND, 0.99, 0.0, 3.0)) == []
    assert phases(run(tracker(background=None), rows(BACKGROUND, 0.99, 0.0, 0.4))) == [("begin", BACKGROUND)]


def test_one_outlier_is_no_event() -> None:
    script = [*rows(BACKGROUND, 0.9, 0.0, 1.0), (1.0, 1, 0.99), *rows(BACKGROUND, 0.9, 1.2, 2.0)]
    assert run(tracker(), script) == []
    assert run(tracker(EventRules()), script) == []


def test_smoothing_is_in_time_not_in_samples() -> None:
    # The same probabilities at 5 and at 20 inferences a second begin and end at about the same moments.
    times = []
    for step_s in (0.2, 0.05):
        changes: list[tuple[float, str]] = []
        events = tracker(EventRules(smoothing_s=0.5, min_duration_s=0.2, update_s=100.0))
        script = rows(BACKGROUND, 0.97, 0.0, 1.0, step_s) + rows(1, 0.97, 1.0, 3.0, step_s)
        for t_s, label, p in script + rows(BACKGROUND, 0.97, 3.0, 5.0, step_s):
            changes += [(t_s, c.phase) for c in run(events, [(t_s, label, p)])]
        assert [phase for _, phase in changes] == ["begin", "end"]
        times.append([t for t, _ in changes])
    assert times[0] == pytest.approx(times[1], abs=0.25)


def test_another_label_ends_the_first_and_begins_where_it_ended() -> None:
    script = rows(1, 0.9, 10.0, 11.0) + rows(2, 0.95, 11.0, 12.0)
    changes = run(tracker(prompt(update_s=100.0), low=0.01), script)
    assert phases(changes) == [("begin", 1), ("end", 1), ("begin", 2)]
    assert changes[1].t_end_s == changes[2].t_start_s == pytest.approx(10.5)
    assert [change.event_id for change in changes] == [1, 1, 2]


def test_an_event_that_another_one_ends_keeps_its_own_end() -> None:
    script = rows(1, 0.9, 10.0, 11.0) + rows(2, 0.9, 11.0, 12.0)
    changes = run(tracker(prompt(update_s=100.0), low=0.01), script, offset=10.2)
    assert (changes[1].t_end_s, changes[2].t_start_s) == (10.2, 10.5)


def test_a_new_event_does_not_reach_back_into_the_last_nor_end_before_it_began() -> None:
    script = rows(1, 0.9, 10.0, 10.6) + rows(BACKGROUND, 0.9, 10.6, 11.0) + rows(1, 0.9, 11.0, 11.6)
    first_end, second_begin = run(tracker(), script, onset=9.0)[1:3]
    assert first_end.t_end_s == second_begin.t_start_s == 10.5
    backwards = run(tracker(), rows(1, 0.9, 10.0, 10.6) + rows(BACKGROUND, 0.9, 10.6, 10.8), onset=9.9, offset=2.0)
    assert backwards[-1].t_end_s == backwards[-1].t_start_s == 9.9


def test_closing_ends_what_is_open_and_forgets_the_past() -> None:
    events = tracker(EventRules())
    assert events.close(1.0) == []
    assert phases(run(events, rows(1, 0.9, 0.0, 1.0)))[0] == ("begin", 1)
    (end,) = events.close(0.9)
    assert (end.phase, end.t_end_s) == ("end", 0.9)
    assert events.close(1.0) == []
    assert phases(run(events, rows(2, 0.9, 5.0, 5.8))) == [("begin", 2)]


def test_without_probabilities_an_event_ends() -> None:
    events = tracker()
    run(events, rows(1, 0.9, 0.0, 0.6))
    (end,) = events.update(0.6, np.zeros(K, np.float32), begin=lambda _: Movement(0.5, 0.5))
    assert end.phase == "end"


def test_updates_come_at_their_own_interval() -> None:
    changes = run(tracker(prompt(update_s=1.0)), rows(1, 0.9, 0.0, 5.2))
    assert [change.phase for change in changes] == ["begin"] + ["update"] * 4


def test_a_label_with_a_higher_threshold_of_its_own_needs_more() -> None:
    assert run(tracker(one=0.95), rows(1, 0.9, 0.0, 2.0)) == []
    assert phases(run(tracker(one=0.85), rows(1, 0.9, 0.0, 0.4))) == [("begin", 1)]


def test_the_best_of_those_above_their_thresholds_begins() -> None:
    """Label 1 is the more probable one, and not enough for itself; label 2 is enough for itself."""
    events = tracker(one=0.9, two=0.2)
    probs = np.array([0.05, 0.6, 0.3, 0.05], np.float32)
    changes = [
        change for t in np.arange(0, 0.5, 0.2) for change in events.update(t, probs, lambda _: Movement(0.0, 0.0))
    ]
    assert phases(changes) == [("begin", 2)]


def test_event_ids_are_shared_by_everybody_in_the_stream() -> None:
    ids = itertools.count(1)
    people = [EventTracker(prompt(), thresholds(None), ids, person) for person in (7, 8)]
    changes = [run(events, rows(1, 0.9, 0.0, 0.4))[0] for events in people]
    assert [(change.person, change.event_id) for change in changes] == [(7, 1), (8, 2)]
