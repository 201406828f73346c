"""What each person did lately, against their own baseline: counts, rates, durations. Knows no clock and no sockets.

Times are whole nanoseconds on one steady clock. The same facts in the same order give the same numbers, live or not.
Only time in view counts as observed. Of a body group, it is the time in which the parts that it needs were in view.

Memory is bounded by the window and the number of people, not by the length of the stream. Of what leaves the window,
only the sums of the baseline are kept.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from mar_edge.edge.body_groups import body_group
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.visibility import SEEN_BY
from mar_edge.streaming.recognition.rate_ratio import ratio_interval
from mar_edge.streaming.wire.profile_message import Activity, Comparison, ProfileMessage

_NS = 1_000_000_000
_MINUTE_S = 60.0
_REGIONS = frozenset(SEEN_BY)
_DECIMALS = 4
# Of people who left, the sums of this number are kept, in case that they return under their id.
_MOST_ABSENT = 256


@dataclass(frozen=True)
class ProfileRules:
    """The window of an activity profile, and what it is compared with.

    window_s: duration of the window. step_s: time between two profiles. baseline_minutes: the first minutes of each
    person, from when they are first in view; None for no baseline, or one from elsewhere.

    Raises:
        MarEdgeError: a value out of range.
    """

    window_s: float = 60.0
    step_s: float = 5.0
    baseline_minutes: float | None = None

    def __post_init__(self) -> None:
        if not 1.0 <= self.window_s <= 3600.0:
            raise MarEdgeError(f"the profile window is 1 to 3600 s, not {self.window_s:g}")
        if not 1.0 <= self.step_s <= 3600.0:
            raise MarEdgeError(f"the profile step is 1 to 3600 s, not {self.step_s:g}")
        if self.baseline_minutes is not None and not 0.1 <= self.baseline_minutes <= 120.0:
            raise MarEdgeError(f"the profile baseline minutes are 0.1 to 120, not {self.baseline_minutes:g}")

    @property
    def window_ns(self) -> int:
        """Duration of the window."""
        return round(self.window_s * _NS)

    @property
    def step_ns(self) -> int:
        """Time between two profiles."""
        return round(self.step_s * _NS)


@dataclass
class Tally:
    """What one person did from ``start_ns`` to before ``end_ns``. Everything that is added is cut to that.

    in_view_ns: time in view, by the regions of the body that were visible.
    counts: events whose onset is in the interval.
    durations_ns: time of events in it.
    """

    start_ns: int
    end_ns: int
    in_view_ns: Counter[frozenset[str]] = field(default_factory=Counter)
    counts: Counter[Label] = field(default_factory=Counter)
    durations_ns: Counter[Label] = field(default_factory=Counter)

    def see(self, start_ns: int, end_ns: int, visible: frozenset[str]) -> None:
        """Add a time in view."""
        self.in_view_ns[visible] += max(min(end_ns, self.end_ns) - max(start_ns, self.start_ns), 0)

    def add(self, label: Label, start_ns: int, end_ns: int) -> None:
        """Add an event."""
        inside_ns = max(min(end_ns, self.end_ns) - max(start_ns, self.start_ns), 0)
        begins = self.start_ns <= start_ns < self.end_ns
        if begins or inside_ns:
            self.counts[label] += begins
            self.durations_ns[label] += inside_ns

    def only(self, labels: Collection[Label]) -> Tally:
        """Return a copy with the events of these labels alone."""
        return Tally(
            self.start_ns,
            self.end_ns,
            self.in_view_ns.copy(),
            Counter({label: count for label, count in self.counts.items() if label in labels}),
            Counter({label: ns for label, ns in self.durations_ns.items() if label in labels}),
        )

    def in_view_s(self, needs: Collection[str] = ()) -> float:
        """Return the time in which all regions in ``needs`` were in view."""
        return sum(ns for visible, ns in self.in_view_ns.items() if visible.issuperset(needs)) / _NS


@dataclass(frozen=True)
class PersonProfile:
    """One person's activity from ``start_ns`` to before ``end_ns``.

    bodies, actions: see ``ActivityProfile.profiles``. baseline_s: duration of the baseline; None where there is none.
    baseline_complete: whether it is over.
    """

    person: int
    start_ns: int
    end_ns: int
    total: Activity
    bodies: tuple[Activity, ...]
    actions: tuple[Activity, ...]
    baseline_s: float | None
    baseline_complete: bool

    def message(self, shift_ns: int, *, frame: int, t_capture_ns: int) -> ProfileMessage:
        """Return it as a message about a frame.

        Args:
            shift_ns: from the profile's clock to that of the message.
        """
        return ProfileMessage(
            frame=frame,
            t_capture_ns=t_capture_ns,
            person=self.person,
            t_start_ns=self.start_ns + shift_ns,
            t_end_ns=self.end_ns + shift_ns,
            total=self.total,
            bodies=self.bodies,
            actions=self.actions,
            baseline_s=self.baseline_s,
            baseline_complete=self.baseline_complete,
        )


@dataclass(frozen=True)
class _Seen:
    start_ns: int
    end_ns: int
    visible: frozenset[str]


@dataclass(frozen=True)
class _Event:
    label: Label
    start_ns: int
    end_ns: int | None


@dataclass
class _Person:
    """baseline: their own, which grows; None where there is none, or it is from elsewhere."""

    baseline: Tally | None
    seen: deque[_Seen] = field(default_factory=deque)
    events: dict[int, _Event] = field(default_factory=dict)
    seen_until_ns: int = 0

    def end_of(self, event: _Event) -> int:
        """Return until when an event is known to last: one in progress, until the person was last seen."""
        return max(self.seen_until_ns, event.start_ns) if event.end_ns is None else event.end_ns

    def see(self, start_ns: int, end_ns: int, visible: frozenset[str]) -> None:
        start_ns = max(start_ns, self.seen_until_ns)
        if end_ns <= start_ns:
            return
        self.seen_until_ns = end_ns
        if self.baseline is not None:
            self.baseline.see(start_ns, end_ns, visible)
        last = self.seen[-1] if self.seen else None
        if last is not None and last.end_ns == start_ns and last.visible == visible:
            self.seen[-1] = _Seen(last.start_ns, end_ns, visible)
        else:
            self.seen.append(_Seen(start_ns, end_ns, visible))

    def forget(self, start_ns: int) -> None:
        """Forget what is over before the window."""
        while self.seen and self.seen[0].end_ns <= start_ns:
            self.seen.popleft()
        for event_id, event in list(self.events.items()):
            if event.start_ns < start_ns and self.end_of(event) <= start_ns:
                # One in progress may come back, where inferences are further apart than the window is long.
                if self.baseline is not None and event.end_ns is not None:
                    self._add(event, self.baseline)
                del self.events[event_id]

    def window(self, start_ns: int, end_ns: int) -> Tally:
        tally = Tally(start_ns, end_ns)
        for seen in self.seen:
            tally.see(seen.start_ns, seen.end_ns, seen.visible)
        return self._with_events(tally)

    def baseline_at(self, t_ns: int) -> Tally | None:
        """Return their own baseline, if it is over."""
        if self.baseline is None or t_ns < self.baseline.end_ns:
            return None
        return self._with_events(self.baseline.only(self.baseline.durations_ns))

    def _with_events(self, tally: Tally) -> Tally:
        for event in self.events.values():
            self._add(event, tally)
        return tally

    def _add(self, event: _Event, tally: Tally) -> None:
        tally.add(event.label, event.start_ns, self.end_of(event))


class ActivityProfile:
    """The activity profiles of everybody in a stream.

    Args:
        rules: window and baseline.
        baseline: from another recording, for everybody; None for each person's own, where the rules want one.
            May be replaced.
    """

    def __init__(self, rules: ProfileRules, baseline: Tally | None = None) -> None:
        self.baseline = baseline
        self._rules = rules
        self._people: dict[int, _Person] = {}
        self._absent: dict[int, _Person] = {}

    def see(self, person: int, start_ns: int, end_ns: int, visible: Collection[str]) -> None:
        """Take note that a person was in view. Times that overlap what was seen before count once.

        Args:
            visible: the regions of the body that were in view; empty if that is not known.
        """
        self._person(person, start_ns).see(start_ns, end_ns, regions_in_view(visible))

    def event(self, person: int, event_id: int, label: Label, start_ns: int, end_ns: int | None) -> None:
        """Take what is known of an event now; it replaces what was known before.

        Args:
            end_ns: None while it is in progress.
        """
        self._person(person, start_ns).events[event_id] = _Event(label, start_ns, end_ns)

    def profiles(self, end_ns: int, bodies: Sequence[str], labels: Sequence[Label] = ()) -> list[PersonProfile]:
        """Return the profile of each person with anything in the window that ends at ``end_ns``, by id.

        Args:
            end_ns: later than the last time.
            bodies: the body groups to list.
            labels: the actions to list; others are listed as well where they occurred in the window or the baseline.
        """
        start_ns = end_ns - self._rules.window_ns
        found = []
        for person, state in sorted(self._people.items()):
            state.forget(start_ns)
            if state.seen or state.events:
                found.append(self._profile(person, state, end_ns, bodies, labels))
            else:
                self._absent[person] = self._people.pop(person)
        while len(self._absent) > _MOST_ABSENT:
            del self._absent[next(iter(self._absent))]
        return found

    def _person(self, person: int, start_ns: int) -> _Person:
        if person not in self._people:
            self._people[person] = self._absent.pop(person) if person in self._absent else self._new(start_ns)
        return self._people[person]

    def _new(self, start_ns: int) -> _Person:
        minutes = self._rules.baseline_minutes
        if minutes is None or self.baseline is not None:
            return _Person(None)
        return _Person(Tally(start_ns, start_ns + round(minutes * _MINUTE_S * _NS)))

    def _profile(
        self, person: int, state: _Person, end_ns: int, bodies: Sequence[str], labels: Sequence[Label]
    ) -> PersonProfile:
        tally = state.window(end_ns - self._rules.window_ns, end_ns)
        whole = self.baseline or state.baseline
        base = self.baseline or state.baseline_at(end_ns)
        occurred = {*tally.durations_ns, *(base.durations_ns if base else ())}
        listed = [*labels, *sorted(occurred.difference(labels), key=lambda label: (label.id, label.name))]
        return PersonProfile(
            person=person,
            start_ns=tally.start_ns,
            end_ns=end_ns,
            total=_activity("", "", occurred, tally, base),
            bodies=tuple(
                _activity(body, body, [each for each in occurred if each.body == body], tally, base) for body in bodies
            ),
            actions=tuple(_activity(label.name, label.body, [label], tally, base) for label in listed),
            baseline_s=None if whole is None else (whole.end_ns - whole.start_ns) / _NS,
            baseline_complete=base is not None,
        )


def regions_in_view(visible: Collection[str]) -> frozenset[str]:
    """Return the known regions of the body among ``visible``; all of them if it is empty: not known."""
    return _REGIONS.intersection(visible) if visible else _REGIONS


def _activity(name: str, body: str, labels: Collection[Label], tally: Tally, base: Tally | None) -> Activity:
    """Return the activity of some labels together."""
    count, duration_s, in_view_s = _sums(body, labels, tally)
    rate = _rate(count, in_view_s)
    return Activity(
        name=name,
        body=body,
        count=count,
        duration_s=duration_s,
        in_view_s=in_view_s,
        rate_per_min=_rounded(rate),
        baseline=None if base is None else _comparison(count, in_view_s, *_sums(body, labels, base)),
    )


def _sums(body: str, labels: Collection[Label], tally: Tally) -> tuple[int, float, float]:
    """Return count, duration and time in view."""
    count = sum(tally.counts[label] for label in labels)
    duration_s = sum(tally.durations_ns[label] for label in labels) / _NS
    return count, duration_s, tally.in_view_s(body_group(body).needs)


def _comparison(
    count: int, in_view_s: float, base_count: int, base_duration_s: float, base_in_view_s: float
) -> Comparison:
    rate, base_rate = _rate(count, in_view_s), _rate(base_count, base_in_view_s)
    low, high = ratio_interval(count, in_view_s, base_count, base_in_view_s)
    return Comparison(
        count=base_count,
        duration_s=base_duration_s,
        in_view_s=base_in_view_s,
        rate_per_min=_rounded(base_rate),
        ratio=_rounded(rate / base_rate) if rate is not None and base_rate else None,
        ratio_low=_rounded(low),
        ratio_high=_rounded(high),
        difference_per_min=_rounded(rate - base_rate) if rate is not None and base_rate is not None else None,
    )


def _rate(count: int, in_view_s: float) -> float | None:
    return count * _MINUTE_S / in_view_s if in_view_s > 0.0 else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)
