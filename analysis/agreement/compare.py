"""How far two codings agree: on time bins, on events, and on when they begin and end. Reads and writes nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median, stdev
from typing import Literal

from mar_edge.analysis.agreement.kappa import Kappa, cohen_kappa
from mar_edge.analysis.agreement.pairing import CodedPair, CodedSpan
from mar_edge.analysis.agreement.time_bins import Presence, Stretches, stretches
from mar_edge.streaming.recording.matching import EventFigures, event_figures, pair_by_overlap
from mar_edge.streaming.recording.timeline import NO_BODY, NS

TIOUS = (0.3, 0.5)
"""Smallest intersection over union of two events that count as the same one."""
LEAST_TIOU = TIOUS[0]
NOTHING = ""
"""The label of what the other coding does not have."""
Level = Literal["all", "body group", "action"]


@dataclass(frozen=True)
class Differences:
    """Times of B minus those of A over matched events, seconds; None where there are too few."""

    number: int
    mean_s: float | None
    median_s: float | None
    sd_s: float | None


@dataclass(frozen=True)
class AgreementRow:
    """The agreement on an action, on a body group, or on all.

    Attributes:
        level, name, body: What the row is about.
        events: Figures at each of ``TIOUS``; "true" are events of A, "live" those of B.
        kappa: On time bins.
        onset, offset: Differences over events matched at ``LEAST_TIOU``.
    """

    level: Level
    name: str
    body: str
    events: tuple[EventFigures, ...]
    kappa: Kappa
    onset: Differences
    offset: Differences


@dataclass(frozen=True)
class EventPair:
    """Events of A and B that are taken for the same one; None where the other coding has none."""

    recording: str
    one: CodedSpan | None
    other: CodedSpan | None


@dataclass(frozen=True)
class Agreement:
    """The comparison of two codings.

    Attributes:
        bin_s: Width of the time bins, seconds.
        rows: All, then body groups, then actions by body group.
        confusion: (label of A, label of B) -> number of event pairs, with ``NOTHING`` for no event.
        counts: (recording, label) -> number of events of A and of B.
        pairs: Every event, once.
        points: Number of events without a duration, which overlap nothing.
    """

    bin_s: float
    rows: tuple[AgreementRow, ...]
    confusion: Counter[tuple[str, str]]
    counts: dict[tuple[str, str], tuple[int, int]]
    pairs: tuple[EventPair, ...]
    points: int

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels, by body group."""
        return tuple(row.name for row in self.rows if row.level == "action")


def compare(pairs: Sequence[CodedPair], bin_s: float) -> Agreement:
    """Compare the codings of some recordings. Bins, events and pairs of all recordings and people are added up."""
    bodies = _bodies(pairs)
    labels = tuple(bodies)
    width_ns = round(bin_s * NS)
    by_action = _Sums(labels, {label: label for label in labels})
    by_group = _Sums(tuple(dict.fromkeys(bodies.values())), bodies)
    sets: Counter[tuple[bytes, bytes]] = Counter()
    matched: list[EventPair] = []
    for pair in pairs:
        for person in pair.people:
            own = [[span for span in spans if span.person == person] for spans in (pair.ones, pair.others)]
            by_group.add(pair, own, width_ns)
            sets.update(by_action.add(pair, own, width_ns).sets())
            matched += _event_pairs(pair.name, *own)
    everything = AgreementRow(
        level="all",
        name="all actions",
        body="",
        events=tuple(_added(by_action.figures(label)[n] for label in labels) for n in range(len(TIOUS))),
        kappa=cohen_kappa(sets),
        onset=_differences([seconds for label in labels for seconds in by_action.onsets[label]]),
        offset=_differences([seconds for label in labels for seconds in by_action.offsets[label]]),
    )
    spans = [span for pair in pairs for span in (*pair.ones, *pair.others)]
    return Agreement(
        bin_s=bin_s,
        rows=(
            everything,
            *(by_group.row("body group", group, group) for group in by_group.keys),
            *(by_action.row("action", label, bodies[label]) for label in labels),
        ),
        confusion=Counter(
            (one.one.label if one.one else NOTHING, one.other.label if one.other else NOTHING) for one in matched
        ),
        counts={
            (pair.name, label): (
                sum(span.label == label for span in pair.ones),
                sum(span.label == label for span in pair.others),
            )
            for pair in pairs
            for label in labels
        },
        pairs=tuple(matched),
        points=sum(span.start_ns == span.end_ns for span in spans),
    )


@dataclass
class _Sums:
    """Adds up, for each key, a label or a body group."""

    keys: tuple[str, ...]
    key_of: dict[str, str]
    presence: dict[str, Presence] = field(default_factory=lambda: defaultdict(Counter))
    numbers: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    matched: Counter[tuple[str, float]] = field(default_factory=Counter)
    onsets: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    offsets: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, pair: CodedPair, own: Sequence[Sequence[CodedSpan]], width_ns: int) -> Stretches:
        """Add the events of one person; return the bins of both codings."""
        bins = stretches(own, self.keys, self.key_of, pair, width_ns)
        for place, key in enumerate(self.keys):
            self.presence[key].update(bins.presence(place))
            ones, others = ([span for span in spans if self.key_of[span.label] == key] for spans in own)
            self.numbers[key][0] += len(ones)
            self.numbers[key][1] += len(others)
            for tiou in TIOUS:
                found = _matched(ones, others, tiou)
                self.matched[key, tiou] += len(found)
                if tiou == LEAST_TIOU:
                    self.onsets[key] += _apart(found, lambda span: span.start_ns if span.starts_inside else None)
                    self.offsets[key] += _apart(found, lambda span: span.end_ns if span.ends_inside else None)
        return bins

    def figures(self, key: str) -> tuple[EventFigures, ...]:
        """Return the figures of one key at each of ``TIOUS``."""
        true, live = self.numbers[key]
        return tuple(event_figures(true=true, live=live, matched=self.matched[key, tiou]) for tiou in TIOUS)

    def row(self, level: Level, key: str, body: str) -> AgreementRow:
        """Return the row of one key."""
        return AgreementRow(
            level,
            key,
            body,
            self.figures(key),
            cohen_kappa(self.presence[key]),
            _differences(self.onsets[key]),
            _differences(self.offsets[key]),
        )


def _bodies(pairs: Sequence[CodedPair]) -> dict[str, str]:
    """Return the body group of each label that occurs, sorted by group and name. A named group wins over none."""
    bodies: dict[str, str] = {}
    for pair in pairs:
        for span in (*pair.ones, *pair.others):
            if bodies.get(span.label, NO_BODY) == NO_BODY:
                bodies[span.label] = span.body
    return dict(sorted(bodies.items(), key=lambda item: (item[1] == NO_BODY, item[1], item[0])))


def _matched(
    ones: Sequence[CodedSpan], others: Sequence[CodedSpan], min_tiou: float
) -> list[tuple[CodedSpan, CodedSpan]]:
    pairs = pair_by_overlap([span.span for span in ones], [span.span for span in others], min_tiou)
    return [(ones[i], others[j]) for i, j in pairs]


def _event_pairs(recording: str, ones: Sequence[CodedSpan], others: Sequence[CodedSpan]) -> Iterator[EventPair]:
    """Yield every event once: pairs of one label first, then those of other labels, then events alone."""
    spans = [span.span for span in ones], [span.span for span in others]
    same = pair_by_overlap(*spans, LEAST_TIOU, lambda i, j: ones[i].label == others[j].label)
    taken = {i for i, _ in same}, {j for _, j in same}
    left = [[n for n in range(len(each)) if n not in used] for each, used in zip(spans, taken, strict=True)]
    unlike = pair_by_overlap([spans[0][i] for i in left[0]], [spans[1][j] for j in left[1]], LEAST_TIOU)
    pairs = same + [(left[0][i], left[1][j]) for i, j in unlike]
    yield from (EventPair(recording, ones[i], others[j]) for i, j in pairs)
    first, second = {i for i, _ in pairs}, {j for _, j in pairs}
    yield from (EventPair(recording, span, None) for i, span in enumerate(ones) if i not in first)
    yield from (EventPair(recording, None, span) for j, span in enumerate(others) if j not in second)


def _apart(found: Sequence[tuple[CodedSpan, CodedSpan]], moment_of: Callable[[CodedSpan], int | None]) -> list[float]:
    """Return B minus A in seconds, of moments that both have inside of the common time."""
    moments = ((moment_of(one), moment_of(other)) for one, other in found)
    return [(other - one) / NS for one, other in moments if one is not None and other is not None]


def _differences(apart_s: Sequence[float]) -> Differences:
    if not apart_s:
        return Differences(0, None, None, None)
    return Differences(len(apart_s), fmean(apart_s), median(apart_s), stdev(apart_s) if len(apart_s) > 1 else None)


def _added(figures: Iterable[EventFigures]) -> EventFigures:
    each = list(figures)
    return event_figures(
        true=sum(one.true for one in each), live=sum(one.live for one in each), matched=sum(one.matched for one in each)
    )
