"""Two codings of the same recordings, side by side: which belong together, the time they share, the people in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.recorder import SUFFIX
from mar_edge.streaming.recording.timeline import NS, Timeline, body_of

EVERYBODY = ""
"""The person of events where people are not distinguished."""


@dataclass(frozen=True)
class CodedSpan:
    """One event, cut to the common time.

    start_ns, end_ns: media time. starts_inside, ends_inside: whether that is the event's own onset or offset.
    """

    label: str
    body: str
    person: str
    start_ns: int
    end_ns: int
    starts_inside: bool = True
    ends_inside: bool = True

    @property
    def span(self) -> tuple[int, int]:
        """Start and end."""
        return self.start_ns, self.end_ns


@dataclass(frozen=True)
class CodedPair:
    """Two codings of one recording.

    Attributes:
        name: Name of the recording.
        from_ns, to_ns: The common time, media time.
        ones, others: Events of the two codings, by start.
        people: Names of the people who are compared one by one; (EVERYBODY,) if they are not distinguished.
        remarks: Assumptions about time and people, a phrase each.
    """

    name: str
    from_ns: int
    to_ns: int
    ones: tuple[CodedSpan, ...]
    others: tuple[CodedSpan, ...]
    people: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def pair_timelines(
    ones: Sequence[Timeline],
    others: Sequence[Timeline],
    *,
    from_s: float | None = None,
    to_s: float | None = None,
) -> tuple[list[CodedPair], tuple[str, ...]]:
    """Pair the timelines of one recording each, and note those that have no partner.

    Args:
        from_s, to_s: limits of the common time, media time; None for where both are coded.

    Raises:
        MarEdgeError: nothing belongs together, a recording was coded twice in one of them, or nothing is left of the
            common time.
    """
    if len(ones) == len(others) == 1:
        return [_pair(_name(ones[0]), ones[0], others[0], from_s, to_s)], ()
    named = [_by_name(timelines, which) for timelines, which in ((ones, "A"), (others, "B"))]
    both = [name for name in named[0] if name in named[1]]
    if not both:
        lists = (", ".join(list(each)[:5]) for each in named)
        raise MarEdgeError(f"A and B have no recording in common; A has {next(lists)}; B has {next(lists)}")
    notes = tuple(
        f"only in {which}: {', '.join(alone)}"
        for which, own, other in (("A", named[0], named[1]), ("B", named[1], named[0]))
        if (alone := [name for name in own if name not in other])
    )
    return [_pair(name, named[0][name], named[1][name], from_s, to_s) for name in both], notes


def _name(timeline: Timeline) -> str:
    return timeline.recordings[0][0].removesuffix(SUFFIX) if timeline.recordings else timeline.stream


def _by_name(timelines: Sequence[Timeline], which: str) -> dict[str, Timeline]:
    named: dict[str, Timeline] = {}
    for timeline in timelines:
        name = _name(timeline)
        if name in named:
            raise MarEdgeError(
                f"{which} has several codings of '{name}' ({named[name].stream}, {timeline.stream}); "
                "'mar-edge annotations --stream NAME' writes one of them to a file"
            )
        named[name] = timeline
    return named


def _pair(name: str, one: Timeline, other: Timeline, from_s: float | None, to_s: float | None) -> CodedPair:
    start_ns = max(one.first_ns - one.zero_ns, other.first_ns - other.zero_ns, 0)
    end_ns, remarks = _common_end(one, other)
    if from_s is not None:
        start_ns = round(from_s * NS)
    if to_s is not None:
        end_ns, remarks = round(to_s * NS), ()
    if end_ns <= start_ns:
        raise MarEdgeError(
            f"{name}: no common time from {start_ns / NS:g} to {end_ns / NS:g} s; --from and --to choose it"
        )
    people, about_people = _people(one, other)
    return CodedPair(
        name=name,
        from_ns=start_ns,
        to_ns=end_ns,
        ones=_cut(one, people, start_ns, end_ns),
        others=_cut(other, people, start_ns, end_ns),
        people=people,
        remarks=(*remarks, *about_people),
    )


def _common_end(one: Timeline, other: Timeline) -> tuple[int, tuple[str, ...]]:
    """Return the end of the common time. A coding that ends with an event may not say how long its video is."""
    ends = []
    for timeline in (one, other):
        events_ns = max((event.t_end_ns for event in timeline.events), default=timeline.zero_ns)
        ends.append((timeline.last_ns - timeline.zero_ns, timeline.last_ns > events_ns))
    stated = [end_ns for end_ns, is_stated in ends if is_stated]
    if stated:
        end_ns = min(stated)
        unstated = [which for which, (_, is_stated) in zip("AB", ends, strict=True) if not is_stated]
        remark = f"{unstated[0]} does not say how long it is; it counts as coded to the end" if unstated else ""
    else:
        end_ns = max(end_ns for end_ns, _ in ends)
        remark = "neither says how long it is; the last event of both is the end"
    return end_ns, (remark,) if remark else ()


def _people(one: Timeline, other: Timeline) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the people to compare, and a remark where they cannot be distinguished."""
    names = [sorted({timeline.name_of(event.person) for event in timeline.events}) for timeline in (one, other)]
    if max(map(len, names)) <= 1:
        return (EVERYBODY,), ()
    if set(names[0]) <= set(names[1]) or set(names[1]) <= set(names[0]):
        return tuple(sorted({*names[0], *names[1]})), ()
    lists = (", ".join(each[:5]) for each in names)
    return (EVERYBODY,), (f"people are not distinguished: A has {next(lists)}; B has {next(lists)}",)


def _cut(timeline: Timeline, people: tuple[str, ...], from_ns: int, to_ns: int) -> tuple[CodedSpan, ...]:
    """Return the parts of the events that are in the common time."""
    spans = []
    for event in timeline.events:
        start_ns, end_ns = event.t_start_ns - timeline.zero_ns, event.t_end_ns - timeline.zero_ns
        if start_ns >= to_ns or end_ns < from_ns or (end_ns == from_ns and start_ns < end_ns):
            continue
        spans.append(
            CodedSpan(
                label=event.label.name,
                body=body_of(event.label),
                person=EVERYBODY if people == (EVERYBODY,) else timeline.name_of(event.person),
                start_ns=max(start_ns, from_ns),
                end_ns=min(end_ns, to_ns),
                starts_inside=start_ns >= from_ns,
                ends_inside=end_ns <= to_ns and not event.is_open,
            )
        )
    return tuple(spans)
