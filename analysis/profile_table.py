"""Activity profiles as CSV: a row for each moment, person, and body group or action. Computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mar_edge.edge.files.tables import table_of
from mar_edge.streaming.recognition.activity import PersonProfile
from mar_edge.streaming.recording.profiles import ObservedTimeline
from mar_edge.streaming.wire.profile_message import Activity

COLUMNS = (
    "recording",
    "stream",
    "run",
    "person",
    "start_s",
    "end_s",
    "scope",
    "name",
    "body",
    "count",
    "duration_s",
    "in_view_s",
    "rate_per_min",
    "baseline",
    "baseline_count",
    "baseline_duration_s",
    "baseline_in_view_s",
    "baseline_rate_per_min",
    "ratio",
    "ratio_low",
    "ratio_high",
    "difference_per_min",
)


def write_profiles(observed: Sequence[ObservedTimeline], profiles: Sequence[Sequence[PersonProfile]]) -> bytes:
    """Write CSV, UTF-8, in seconds from the start of each timeline.

    ``scope`` is all, body or action. ``baseline`` is none, incomplete or complete. A number that is unknown is empty.

    Args:
        profiles: of each timeline, on its steady clock.
    """
    return table_of(COLUMNS, _rows(observed, profiles))


def _rows(
    observed: Sequence[ObservedTimeline], profiles: Sequence[Sequence[PersonProfile]]
) -> Iterator[tuple[object, ...]]:
    for one, found in zip(observed, profiles, strict=True):
        timeline = one.timeline
        for profile in found:
            about = (one.recording, timeline.stream, timeline.run, profile.person)
            times = (f"{timeline.seconds(t_ns):.3f}" for t_ns in (profile.start_ns, profile.end_ns))
            head = (*about, *times)
            yield from ((*head, *row) for row in _rows_of(profile))


def _rows_of(profile: PersonProfile) -> Iterator[tuple[object, ...]]:
    state = "none" if profile.baseline_s is None else "complete" if profile.baseline_complete else "incomplete"
    scopes: tuple[tuple[str, Iterable[Activity]], ...] = (
        ("all", [profile.total]),
        ("body", profile.bodies),
        ("action", profile.actions),
    )
    for scope, activities in scopes:
        for activity in activities:
            yield (
                scope,
                activity.name,
                activity.body,
                activity.count,
                _seconds(activity.duration_s),
                _seconds(activity.in_view_s),
                _number(activity.rate_per_min),
                state,
                *_compared(activity),
            )


def _compared(activity: Activity) -> tuple[object, ...]:
    base = activity.baseline
    if base is None:
        return ("",) * 8
    return (
        base.count,
        _seconds(base.duration_s),
        _seconds(base.in_view_s),
        _number(base.rate_per_min),
        _number(base.ratio),
        _number(base.ratio_low),
        _number(base.ratio_high),
        _number(base.difference_per_min),
    )


def _seconds(value: float) -> str:
    return f"{value:.3f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
