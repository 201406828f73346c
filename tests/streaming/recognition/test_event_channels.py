"""Events of several parts of the body, and postures."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from event_scripts import Movement, phases, probs, prompt, rows, thresholds, tracker

from mar_edge.edge.data import Window
from mar_edge.streaming.recognition.events import EventChange, EventTracker
from mar_edge.streaming.recognition.motion import Motions


def test_a_posture_is_no_event():
    def at(t_s: float, moves: bool) -> Movement:
        return Movement(t_s - 0.5, t_s - 0.1, has_moved=moves)

    def begun(moves: bool) -> list[str]:
        events, changes = tracker(), []
        for t_s, label, p in rows(1, 0.9, 10.0, 12.0):
            changes += events.update(t_s, probs(label, p), begin=lambda _, t=t_s: at(t, moves))
        return [change.phase for change in changes]

    assert begun(moves=False) == []
    assert begun(moves=True)[0] == "begin"


def script_of(events: EventTracker, script: list[tuple[float, list[float]]], begin: Any) -> list[EventChange]:
    """Feed (time, scores of all labels) rows; without updates."""
    changes = []
    for t_s, scores in script:
        events.follow(Motions(Window(np.zeros((1, 1, 2), np.float32), np.array([t_s]))))
        changes += events.update(t_s, np.array(scores, np.float32), begin)
    return [change for change in changes if change.phase != "update"]


def side_by_side(**more: Any) -> EventTracker:
    rules = prompt(update_s=100.0)
    return EventTracker(rules, thresholds(), itertools.count(1), channels=["head", "hands", "hands", ""], **more)


def test_events_of_different_parts_of_the_body_are_open_together() -> None:
    script = [(10.0 + 0.2 * i, [0.9, 0.8 if 4 <= i < 12 else 0.0, 0.0, 0.0]) for i in range(20)]
    script += [(14.0 + 0.2 * i, [0.0, 0.0, 0.0, 0.0]) for i in range(5)]
    changes = script_of(side_by_side(), script, lambda _: Movement(9.5, 10.0))
    assert phases(changes) == [("begin", 0), ("begin", 1), ("end", 1), ("end", 0)]
    assert len({change.event_id for change in changes}) == 2


def test_in_one_channel_the_label_with_the_higher_score_begins() -> None:
    script = [(10.0 + 0.2 * i, [0.0, 0.8, 0.9, 0.0]) for i in range(8)]
    assert phases(script_of(side_by_side(), script, lambda _: Movement(9.5, 10.0))) == [("begin", 2)]


def test_a_held_posture_is_one_event_while_its_label_comes_and_goes() -> None:
    # The hand is at the face from 10 to 17.2 s. Another label of the same movement is the best for a second, with a
    # lower score. For five seconds there is none.
    hand = Movement(9.8, 10.0, over_s=17.2, returns=True)
    wavers = {range(10, 15): [0.0, 0.5, 0.7, 0.0], range(15, 34): [0.0, 0.0, 0.0, 0.0]}
    script = [
        (10.0 + 0.2 * i, next((scores for when, scores in wavers.items() if i in when), [0.0, 0.9, 0.0, 0.0]))
        for i in range(36)
    ]
    script += [(17.2 + 0.2 * i, [0.0] * 4) for i in range(10)]
    begin, end = script_of(side_by_side(outlives_s=1.0), script, lambda _: hand)
    assert (begin.label, end.label) == (1, 1)
    assert (end.t_start_s, end.t_end_s) == (9.8, 17.2)


def test_a_way_back_is_no_event_of_the_opposite_label_at_any_score() -> None:
    out = Movement(9.5, 9.9, over_s=10.8)
    script = [(10.0 + 0.2 * i, [0.0, 0.7, 0.0, 0.0]) for i in range(6)]
    script += [(11.2 + 0.2 * i, [0.0, 0.0, 0.99, 0.0]) for i in range(8)]

    def told(opposites: dict[int, int]) -> list[tuple[str, int]]:
        # What the opposite label speaks of is the way back, at 10.4.
        movements = lambda label: out if label == 1 else Movement(10.4, 10.8, over_s=10.8)  # noqa: E731
        return phases(script_of(side_by_side(opposites=opposites), script, movements))

    out.end_s = 9.9
    assert told({}) == [("begin", 1), ("end", 1), ("begin", 2)]
    out.end_s = 9.9
    assert told({1: 2, 2: 1}) == [("begin", 1), ("end", 1)]


def test_the_movement_that_follows_a_way_back_gets_its_own_event() -> None:
    # The label of the way back is seen all the time; from 12.0 on there is a movement of that name.
    newest = [0.0]

    def begin(label: int) -> Movement:
        if label == 1:
            return Movement(9.5, 9.9, over_s=10.8)
        return Movement(12.0, 12.1) if newest[0] >= 12.2 else Movement(10.4, 10.8, over_s=10.8)

    events, changes = side_by_side(opposites={1: 2, 2: 1}), []
    for i in range(20):
        newest[0] = 10.0 + 0.2 * i
        scores = [0.0, 0.7, 0.0, 0.0] if i < 6 else [0.0, 0.0, 0.9, 0.0]
        changes += script_of(events, [(newest[0], scores)], begin)
    assert [(change.phase, change.label, change.t_start_s) for change in changes] == [
        ("begin", 1, 9.5),
        ("end", 1, 9.5),
        ("begin", 2, 12.0),
    ]
