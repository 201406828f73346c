"""What one person did within an interval, as sums; and such sums compared with those of a baseline. Pure arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from mar_edge.edge.body_groups import body_group
from mar_edge.edge.labels import Label
from mar_edge.edge.visibility import SEEN_BY
from mar_edge.streaming.recognition.rate_ratio import ratio_interval
from mar_edge.streaming.wire.profile_message import Activity, Comparison

_NS = 1_000_000_000
_MINUTE_S = 60.0
_REGIONS = frozenset(SEEN_BY)
_DECIMALS = 4


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


def regions_in_view(visible: Collection[str]) -> frozenset[str]:
    """Return the known regions of the body among ``visible``; all of them if it is empty: not known."""
    return _REGIONS.intersection(visible) if visible else _REGIONS


def activity_of(name: str, body: str, labels: Collection[Label], tally: Tally, base: Tally | None) -> Activity:
    """Return the activity of some labels together.

    Args:
        name: what to call it.
        body: the body group that must be in view; "" for none.
        labels: those that count.
        base: the baseline; None while there is none.
    """
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
