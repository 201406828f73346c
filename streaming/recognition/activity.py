"""What each person did lately, against their own baseline: counts, rates, durations. Knows no clock and no sockets.

Times are whole nanoseconds on one steady clock. The same facts in the same order give the same numbers, live or not.
Only time in view counts as observed. Of a body group, it is the time in which the parts that it needs were in view.

Memory is bounded by the window and the number of people, not by the length of the stream. Of what leaves the window,
only the sums of the baseline are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.streaming.recognition.tally import Tally, activity_of, regions_in_view
from mar_edge.streaming.wire.profile_message import Activity, ProfileMessage

_NS = 1_000_000_000
_MINUTE_S = 60.0
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

    def profiles(
        self, end_ns: int, bodies: Sequence[str], labels: Sequence[Label] = (), stream_end_ns: int | None = None
    ) -> list[PersonProfile]:
        """Return the profile of each person with anything in the window that ends at ``end_ns``, by id.

        Args:
            end_ns: later than the last time.
            bodies: the body groups to list.
            labels: the actions to list; others are listed as well where they occurred in the window or the baseline.
            stream_end_ns: where nothing follows; a baseline that would be over later never is. None while more may
                follow.
        """
        until_ns = end_ns if stream_end_ns is None else min(end_ns, stream_end_ns)
        start_ns = end_ns - self._rules.window_ns
        found = []
        for person, state in sorted(self._people.items()):
            state.forget(start_ns)
            if state.seen or state.events:
                base = self.baseline or state.baseline_at(until_ns)
                found.append(self._profile(person, state, end_ns, base=base, bodies=bodies, labels=labels))
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
        self,
        person: int,
        state: _Person,
        end_ns: int,
        *,
        base: Tally | None,
        bodies: Sequence[str],
        labels: Sequence[Label],
    ) -> PersonProfile:
        tally = state.window(end_ns - self._rules.window_ns, end_ns)
        whole = self.baseline or state.baseline
        occurred = {*tally.durations_ns, *(base.durations_ns if base else ())}
        listed = [*labels, *sorted(occurred.difference(labels), key=lambda label: (label.id, label.name))]

        def of_body(body: str) -> Activity:
            return activity_of(body, body, [label for label in occurred if label.body == body], tally, base)

        return PersonProfile(
            person=person,
            start_ns=tally.start_ns,
            end_ns=end_ns,
            total=activity_of("", "", occurred, tally, base),
            bodies=tuple(map(of_body, bodies)),
            actions=tuple(activity_of(label.name, label.body, [label], tally, base) for label in listed),
            baseline_s=None if whole is None else (whole.end_ns - whole.start_ns) / _NS,
            baseline_complete=base is not None,
        )
