from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from mar_edge.edge.data import Window
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.events import EventChange, EventTracker
from mar_edge.streaming.recognition.motion import Motions
from mar_edge.streaming.recognition.thresholds import Thresholds

K, BACKGROUND = 4, 3
Row = tuple[float, int, float]
OUTLIVES_S = 0.1


def thresholds(background: int | None = BACKGROUND, low: float = 0.3, **own: float) -> Thresholds:
    """Events of each of the K labels begin at 0.5 and end below ``low``; ``own`` gives some another onset: one=0.8."""
    on = np.full(K, 0.5)
    off = np.full(K, low)
    for name, value in own.items():
        label = ("zero", "one", "two").index(name)
        on[label], off[label] = value, min(value, off[label])
    if background is not None:
        on[background] = off[background] = np.inf
    return Thresholds(on, off)


def prompt(**rules: Any) -> EventRules:
    """Rules by which a label that is seen twice begins at once."""
    return EventRules(**{"smoothing_s": 0.0, "min_duration_s": 0.2, **rules})


def tracker(
    rules: EventRules | None = None, background: int | None = BACKGROUND, low: float = 0.3, **own: float
) -> EventTracker:
    limits = thresholds(background, low, **own)
    return EventTracker(rules or prompt(), limits, itertools.count(1), outlives_s=OUTLIVES_S)


def probs(label: int, p: float) -> np.ndarray:
    out = np.full(K, (1 - p) / (K - 1), np.float32)
    out[label] = p
    return out


@dataclass
class Movement:
    """An ``Extent`` that goes on up to 0.1 s before the newest window, or ends at ``over_s``.

    One that ``returns`` is waited for until then. Seen from ``again_s`` on, a way back of the same name begins.
    """

    start_s: float
    end_s: float
    over_s: float = math.inf
    has_moved: bool = True
    newest_s: float = -math.inf
    returns: bool = False
    again_s: float = math.inf

    @property
    def is_over(self) -> bool:
        return self.end_s >= self.over_s

    @property
    def stays(self) -> bool:
        return self.returns and not self.is_over

    @property
    def goes_again(self) -> bool:
        return self.newest_s >= self.again_s

    def continues(self, before: Movement) -> bool:
        return self.start_s <= before.end_s

    def begin_after(self, t_s: float) -> None:
        pass  # its beginning is what the test says

    def follow(self, motions: Motions) -> None:
        self.newest_s = float(motions.window.times_s[-1])
        self.end_s = min(self.newest_s - 0.1, self.over_s)


def run(
    events: EventTracker,
    script: list[tuple[float, int, float]],
    onset: float | None = None,
    offset: float = math.inf,
) -> list[EventChange]:
    """Feed (time, label, probability) rows; movements begin half a second before they are seen, or at ``onset``."""
    changes = []
    for t_s, label, p in script:
        events.follow(Motions(Window(np.zeros((1, 1, 2), np.float32), np.array([t_s]))))
        changes += events.update(
            t_s,
            probs(label, p),
            begin=lambda _, t=t_s: Movement(t - 0.5 if onset is None else onset, min(t - 0.1, offset), offset),
        )
    return changes


def rows(label: int, p: float, start_s: float, end_s: float, step_s: float = 0.2) -> list[Row]:
    return [(float(t), label, p) for t in np.arange(start_s, end_s - 1e-9, step_s)]


def phases(changes: list[EventChange]) -> list[tuple[str, int]]:
    return [(change.phase, change.label) for change in changes]


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
