from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, ma52_labels
from mar_edge.streaming.recognition.activity import ActivityProfile, PersonProfile, ProfileRules
from mar_edge.streaming.wire.profile_message import Activity

NS = 1_000_000_000
LABELS = ma52_labels()
SHRUG, NOD, SHAKE, LEGS = LABELS[2], LABELS[9], LABELS[10], LABELS[49]
BODIES = ("body", "head", "leg-hand")
ALL = ("head", "trunk", "arms", "hands", "legs")


class Made(ActivityProfile):
    """Takes seconds."""

    def seen(self, start_s: float, end_s: float, person: int = 0, visible: tuple[str, ...] = ALL) -> Made:
        self.see(person, round(start_s * NS), round(end_s * NS), visible)
        return self

    def did(self, number: int, label: Label, start_s: float, end_s: float | None = None, person: int = 0) -> Made:
        end_ns = None if end_s is None else round(end_s * NS)
        self.event(person, number, label, round(start_s * NS), end_ns)
        return self

    def at(self, t_s: float) -> list[PersonProfile]:
        return self.profiles(round(t_s * NS), BODIES)

    def only(self, t_s: float) -> PersonProfile:
        (profile,) = self.at(t_s)
        return profile


def said(activity: Activity) -> tuple[int, float, float, float | None]:
    return activity.count, activity.duration_s, activity.in_view_s, activity.rate_per_min


def body(profile: PersonProfile, name: str) -> Activity:
    return next(activity for activity in profile.bodies if activity.name == name)


def action(profile: PersonProfile, label: Label) -> Activity:
    return next(activity for activity in profile.actions if activity.name == label.name)


def test_a_minute_counted_by_hand() -> None:
    made = Made(ProfileRules()).seen(0.0, 120.0)
    made.did(1, NOD, 55.0, 65.0).did(2, NOD, 70.0, 72.5).did(3, SHAKE, 70.5, 71.0).did(4, SHRUG, 115.0, 118.0)
    profile = made.only(120.0)
    assert (profile.start_ns, profile.end_ns) == (60 * NS, 120 * NS)
    # The first nod began before the window, and 5 s of it are inside.
    assert said(action(profile, NOD)) == (1, 7.5, 60.0, 1.0)
    assert said(body(profile, "head")) == (2, 8.0, 60.0, 2.0)
    assert said(body(profile, "body")) == (1, 3.0, 60.0, 1.0)
    assert said(body(profile, "leg-hand")) == (0, 0.0, 60.0, 0.0)
    assert said(profile.total) == (3, 11.0, 60.0, 3.0)
    assert [each.name for each in profile.actions] == [SHRUG.name, NOD.name, SHAKE.name]
    assert (profile.baseline_s, profile.baseline_complete, profile.total.baseline) == (None, False, None)


def test_windows_side_by_side_count_every_event_once() -> None:
    made = Made(ProfileRules(window_s=10.0)).seen(0.0, 40.0)
    for number, start_s in enumerate((0.0, 9.999, 10.0, 19.0, 20.0, 39.9)):
        made.did(number, NOD, start_s, start_s + 0.5)
    totals = [made.only(end_s).total for end_s in (10.0, 20.0, 30.0, 40.0)]
    assert [total.count for total in totals] == [2, 2, 1, 1]
    assert sum(total.duration_s for total in totals) == pytest.approx(3.0 - 0.4)


def test_an_event_in_progress_counts_so_far_and_is_corrected_by_its_end() -> None:
    made = Made(ProfileRules()).seen(0.0, 20.0).did(1, NOD, 15.0)
    assert said(made.only(20.0).total) == (1, 5.0, 20.0, 3.0)
    made.seen(20.0, 24.0)
    assert made.only(25.0).total.duration_s == 9.0  # up to the last moment in view
    made.did(1, NOD, 15.0, 18.0)
    assert made.only(30.0).total.duration_s == 3.0


def test_time_out_of_view_is_not_observed() -> None:
    made = Made(ProfileRules(window_s=30.0)).seen(0.0, 5.0).did(1, NOD, 1.0, 2.0)
    made.seen(20.0, 25.0).did(2, NOD, 21.0, 22.0)
    assert said(made.only(30.0).total) == (2, 2.0, 10.0, 12.0)
    assert made.at(55.0) == []  # out of view for a whole window
    made.seen(60.0, 61.0)
    assert said(made.only(65.0).total) == (0, 0.0, 1.0, 0.0)


def test_windows_of_the_network_that_overlap_count_once() -> None:
    made = Made(ProfileRules())
    for number in range(50):
        made.seen(0.2 * number, 0.2 * number + 2.0)
    assert made.only(30.0).total.in_view_s == pytest.approx(11.8)


def test_a_body_group_is_observed_while_the_parts_that_it_needs_are_visible() -> None:
    made = Made(ProfileRules()).seen(0.0, 40.0, visible=("head", "trunk")).seen(40.0, 60.0)
    made.did(1, LEGS, 45.0, 46.0).did(2, NOD, 5.0, 6.0)
    profile = made.only(60.0)
    assert said(body(profile, "leg-hand")) == (1, 1.0, 20.0, 3.0)
    assert said(action(profile, LEGS)) == (1, 1.0, 20.0, 3.0)
    assert said(body(profile, "head")) == (1, 1.0, 60.0, 1.0)
    hidden = Made(ProfileRules()).seen(0.0, 10.0, visible=("head",)).only(10.0)
    assert said(body(hidden, "leg-hand")) == (0, 0.0, 0.0, None)
    unknown = Made(ProfileRules()).seen(0.0, 10.0, visible=()).only(10.0)
    assert body(unknown, "leg-hand").in_view_s == 10.0


def test_a_baseline_is_the_first_minutes_of_each_person() -> None:
    made = Made(ProfileRules(window_s=10.0, baseline_minutes=1.0))
    made.seen(5.0, 64.0).seen(30.0, 90.0, person=1)
    for number in range(6):  # 6 nods in the minute from 5 s on; the last one goes beyond it
        made.did(number, NOD, 5.0 + 10 * number, 6.0 + 10 * number + (15.0 if number == 5 else 0.0))
    early = made.at(64.0)
    assert [(profile.person, profile.baseline_complete, profile.baseline_s) for profile in early] == [
        (0, False, 60.0),
        (1, False, 60.0),
    ]
    assert all(profile.total.baseline is None for profile in early)
    made.seen(64.0, 80.0).did(9, NOD, 70.0, 71.0).did(10, NOD, 72.0, 73.0).did(11, SHAKE, 74.0, 75.0)
    profile, other = made.at(80.0)
    assert not other.baseline_complete
    base = action(profile, NOD).baseline
    assert base is not None
    # The sixth nod lasts to 71 s, and the baseline to 65 s.
    assert (base.count, base.duration_s, base.in_view_s, base.rate_per_min) == (6, 15.0, 60.0, 6.0)
    assert (action(profile, NOD).rate_per_min, base.ratio, base.difference_per_min) == (12.0, 2.0, 6.0)
    assert base.ratio_low is not None
    assert base.ratio_high is not None
    assert base.ratio_low < 1 < base.ratio < base.ratio_high
    never_before = action(profile, SHAKE).baseline
    assert never_before is not None
    assert (never_before.ratio, never_before.ratio_high, never_before.difference_per_min) == (None, None, 6.0)
    assert never_before.ratio_low is not None
    # What occurred in the baseline alone is listed.
    later = made.seen(80.0, 200.0).only(200.0)
    assert [(each.name, each.count) for each in later.actions] == [(NOD.name, 0)]


def test_a_person_who_returns_keeps_the_baseline() -> None:
    made = Made(ProfileRules(window_s=10.0, baseline_minutes=1.0)).seen(0.0, 60.0).did(1, NOD, 1.0, 2.0)
    made.at(60.0)
    assert made.at(600.0) == []
    made.seen(700.0, 705.0)
    base = made.only(705.0).total.baseline
    assert base is not None
    assert (base.count, base.in_view_s) == (1, 60.0)


def test_memory_does_not_grow_with_the_length_of_a_stream() -> None:
    made = Made(ProfileRules(window_s=10.0, baseline_minutes=0.5))
    for second in range(0, 6_000, 5):
        person = second // 20  # each of 300 people stays for 20 s
        made.seen(second, second + 5, person).did(second, NOD, second + 1, second + 2, person)
        made.at(second + 5)
    assert len(made._people) <= 2
    assert len(made._absent) == 256
    assert sum(len(state.events) + len(state.seen) for state in made._people.values()) < 10
    assert not any(state.events or state.seen for state in made._absent.values())


FACTS = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.sampled_from([NOD, SHAKE, SHRUG]), st.integers(0, 90), st.integers(0, 30)),
    max_size=25,
)


@settings(deadline=None, max_examples=50)
@given(FACTS, st.integers(1, 7))
def test_the_sums_are_those_of_all_events_ever(facts: list[tuple[int, Label, int, int]], step: int) -> None:
    """Forgetting what left the window changes no number, of the window and of the baseline."""
    made = Made(ProfileRules(window_s=9.0, baseline_minutes=0.25))
    facts.sort(key=lambda fact: fact[2])
    taken = 0
    for end in range(step, 130, step):
        for person in (0, 1):
            made.seen(end - step, end, person)
        while taken < len(facts) and facts[taken][2] < end:
            person, label, start, lasts = facts[taken]
            made.did(taken, label, start, start + lasts, person)
            taken += 1
        for profile in made.at(end):
            own = [fact for fact in facts[:taken] if fact[0] == profile.person]
            for label in {fact[1] for fact in own}:
                spans = [(start, start + lasts) for _, each, start, lasts in own if each == label]
                listed = next((each for each in profile.actions if each.name == label.name), None)
                count, duration = counted(spans, end - 9, end)
                assert (count, duration) == ((listed.count, listed.duration_s) if listed else (0, 0.0))
                if profile.baseline_complete and listed and listed.baseline:
                    found = listed.baseline
                    assert (found.count, found.duration_s) == counted(spans, 0, 15)


def counted(spans: list[tuple[int, int]], start: int, end: int) -> tuple[int, float]:
    inside = [max(min(last, end) - max(first, start), 0) for first, last in spans]
    return sum(start <= first < end for first, _ in spans), float(sum(inside))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"window_s": 0.5}, "window is 1 to 3600 s, not 0.5"),
        ({"window_s": float("nan")}, "not nan"),
        ({"step_s": 4000.0}, "step is 1 to 3600 s, not 4000"),
        ({"baseline_minutes": 0.0}, "baseline minutes are 0.1 to 120, not 0"),
    ],
)
def test_wrong_rules_are_errors(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(MarEdgeError, match=said):
        ProfileRules(**wrong)
