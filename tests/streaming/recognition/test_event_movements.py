"""Events and the movements behind them: rests, ways back, waiting."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from event_scripts import BACKGROUND, OUTLIVES_S, Movement, Row, phases, probs, prompt, rows, run, thresholds, tracker

from mar_edge.edge.data import Window
from mar_edge.streaming.recognition.events import EventChange, EventTracker
from mar_edge.streaming.recognition.motion import Motions


def test_the_rest_of_a_movement_is_no_event_of_another_label() -> None:
    """Label 2 sees the way back of what label 1 named; label 1 was surer."""
    rest = rows(2, 0.7, 11.0, 11.6)
    changes = run(tracker(), rows(1, 0.9, 10.0, 10.6) + rest, onset=9.5, offset=10.8)
    assert phases(changes) == [("begin", 1), ("end", 1)]
    afterwards = run(tracker(), rows(1, 0.9, 10.0, 10.6) + rest)  # begins where label 1 had ended
    assert phases(afterwards) == [("begin", 1), ("end", 1), ("begin", 2)]


def test_the_rest_of_a_movement_is_no_second_event_of_its_label() -> None:
    again = rows(1, 0.9, 10.0, 10.6) + rows(BACKGROUND, 0.9, 10.6, 11.0) + rows(1, 0.6, 11.0, 11.6)
    assert phases(run(tracker(), again, onset=9.5, offset=10.4)) == [("begin", 1), ("end", 1)]


def test_a_label_with_a_higher_score_replaces_another_of_the_same_movement() -> None:
    changes = run(tracker(low=0.01), rows(1, 0.6, 10.0, 10.6) + rows(2, 0.9, 10.6, 11.2), onset=9.5, offset=10.4)
    assert phases(changes) == [("begin", 1), ("end", 1), ("begin", 2)]
    assert [change.t_start_s for change in changes] == [9.5, 9.5, 9.5]
    assert changes[1].t_end_s == 9.5


def follow_and_update(events: EventTracker, script: list[Row], movement: Movement) -> list[tuple[float, EventChange]]:
    """Return what changed and when; all labels belong to ``movement``."""
    changes = []
    for t_s, label, p in script:
        events.follow(Motions(Window(np.zeros((1, 1, 2), np.float32), np.array([t_s]))))
        changes += [(t_s, change) for change in events.update(t_s, probs(label, p), lambda _: movement)]
    return [(t_s, change) for t_s, change in changes if change.phase != "update"]


def test_an_event_whose_region_stays_away_waits_for_the_way_back() -> None:
    # The label is lost from 10.6 on. The hand comes back at 12.45, or at 30.
    seen = rows(1, 0.9, 10.0, 10.6)
    script = seen + rows(BACKGROUND, 0.9, 10.6, 16.0)
    (_, _), (told_s, end) = follow_and_update(tracker(), script, Movement(9.5, 9.9, over_s=12.45, returns=True))
    assert (told_s, end.phase, end.t_end_s) == (pytest.approx(12.6), "end", 12.45)
    rules = prompt(longest_stay_s=4.0)
    (_, _), (told_s, end) = follow_and_update(tracker(rules), script, Movement(9.5, 9.9, over_s=30.0, returns=True))
    assert (told_s, end.phase) == (pytest.approx(14.6), "end")
    assert end.t_end_s == pytest.approx(10.6 - OUTLIVES_S)


def test_a_waiting_event_goes_on_when_its_label_is_seen_again() -> None:
    script = rows(1, 0.9, 10.0, 10.6) + rows(BACKGROUND, 0.9, 10.6, 12.0) + rows(1, 0.9, 12.0, 13.0)
    changes = follow_and_update(tracker(), script, Movement(9.5, 9.9, over_s=30.0, returns=True))
    assert [change.phase for _, change in changes] == ["begin"]


def test_another_label_ends_a_waiting_event_where_its_label_was_lost() -> None:
    events, staying = tracker(), Movement(9.5, 9.9, over_s=30.0, returns=True)
    follow_and_update(events, rows(1, 0.9, 10.0, 10.6) + rows(BACKGROUND, 0.9, 10.6, 11.6), staying)
    end, begin = run(events, rows(2, 0.9, 11.6, 12.2), onset=11.4)[:2]
    assert (end.phase, begin.phase, begin.t_start_s) == ("end", "begin", 11.4)
    assert end.t_end_s == pytest.approx(10.6 - OUTLIVES_S)


def test_a_person_who_leaves_ends_a_waiting_event_where_its_label_was_lost() -> None:
    events, staying = tracker(), Movement(9.5, 9.9, over_s=30.0, returns=True)
    follow_and_update(events, rows(1, 0.9, 10.0, 10.6) + rows(BACKGROUND, 0.9, 10.6, 11.6), staying)
    (end,) = events.close(11.6)
    assert end.t_end_s == pytest.approx(10.6 - OUTLIVES_S)


def test_a_movement_ends_before_its_label_is_lost() -> None:
    late = EventTracker(prompt(), thresholds(), itertools.count(1), outlives_s=0.5)
    end = run(late, rows(1, 0.9, 10.0, 11.2) + rows(BACKGROUND, 0.9, 11.2, 12.0))[-1]
    assert (end.phase, end.t_end_s) == ("end", pytest.approx(10.7))


def test_a_way_back_of_the_same_name_is_an_event_of_its_own() -> None:
    # The label is seen all the time; the way back begins at 12.1 and is seen at 12.2.

    def told(again_s: float, back_s: float) -> list[tuple[str, float, float | None]]:
        out, back = Movement(9.5, 10.3, over_s=10.3, again_s=again_s), Movement(back_s, back_s + 0.3)
        events, movements, changes = (
            tracker(prompt(update_s=100.0)),
            itertools.chain((out,), itertools.repeat(back)),
            [],
        )
        for t_s, label, p in rows(1, 0.9, 10.0, 13.0):
            events.follow(Motions(Window(np.zeros((1, 1, 2), np.float32), np.array([t_s]))))
            changes += events.update(t_s, probs(label, p), lambda _: next(movements))
        return [(change.phase, change.t_start_s, change.t_end_s) for change in changes]

    assert told(12.15, 12.1) == [("begin", 9.5, None), ("end", 9.5, 10.3), ("begin", 12.1, None)]
    assert told(math.inf, 12.1) == [("begin", 9.5, None)]  # without a way back
    assert told(12.15, 9.6) == [("begin", 9.5, None)]  # it is the way out that is seen
    assert told(12.15, 10.3) == [("begin", 9.5, None)]  # it goes on where the way out ended


def test_an_event_that_goes_on_ends_with_its_last_movement() -> None:
    first, second = Movement(9.5, 10.3, over_s=10.3, again_s=10.5), Movement(10.3, 11.9, over_s=11.9)
    events, movements, changes = (
        tracker(prompt(update_s=100.0)),
        itertools.chain((first,), itertools.repeat(second)),
        [],
    )
    for t_s, label, p in (*rows(1, 0.9, 10.0, 12.0), *rows(1, 0.0, 12.0, 14.0)):
        events.follow(Motions(Window(np.zeros((1, 1, 2), np.float32), np.array([t_s]))))
        changes += events.update(t_s, probs(label, p), lambda _: next(movements))
    assert [(change.phase, change.t_start_s, change.t_end_s) for change in changes] == [
        ("begin", 9.5, None),
        ("end", 9.5, 11.9),
    ]
