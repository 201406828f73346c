"""Matching of reported events with true ones, and the figures that follow. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from mar_edge.edge.labels import Label
from mar_edge.training.synth.events import TrueEvent

Key = Callable[[Label], str]
"""The part of two labels that must agree: the name, or the body group."""


@dataclass(frozen=True)
class LiveEvent:
    """One reported event, in seconds of capture time.

    t_start_s, t_end_s, score: as in its end message. t_reported_s: capture time of the frame that led to its start
    message.
    """

    label: Label
    t_start_s: float
    t_end_s: float
    t_reported_s: float
    score: float


class EventFigures(msgspec.Struct, frozen=True, kw_only=True):
    """``matched`` of ``live`` reported and of ``true`` true events; a share of zero events is None."""

    true: int
    live: int
    matched: int
    precision: float | None
    recall: float | None
    f1: float | None


def event_figures(true: int, live: int, matched: int) -> EventFigures:
    """Compute precision, recall and F1 from three counts."""
    return EventFigures(
        true=true,
        live=live,
        matched=matched,
        precision=matched / live if live else None,
        recall=matched / true if true else None,
        f1=2 * matched / (true + live) if true + live else None,
    )


@dataclass(frozen=True)
class Match:
    """A reported event and the true one that it matches."""

    live: LiveEvent
    true: TrueEvent

    @property
    def delay_s(self) -> float:
        """Seconds from the true start to the frame that led to the report."""
        return self.live.t_reported_s - self.true.t_start


def match_events(live: Sequence[LiveEvent], true: Sequence[TrueEvent], min_tiou: float, key: Key) -> list[Match]:
    """Pair the events of one recording, each at most once.

    Reported events are matched by falling score. Each takes the unmatched true one with its label that it overlaps
    most, by ``min_tiou`` or more.
    """
    left = list(true)
    matches: list[Match] = []
    for event in sorted(live, key=lambda event: -event.score):
        fits = [
            (tiou, other)
            for other in left
            if key(other.label) == key(event.label) and (tiou := temporal_iou(event, other)) >= min_tiou
        ]
        if fits:
            _, best = max(fits, key=lambda fit: fit[0])
            left = [other for other in left if other is not best]
            matches.append(Match(event, best))
    return matches


def temporal_iou(live: LiveEvent, true: TrueEvent) -> float:
    """Compute the intersection over union of two intervals, in [0, 1]; 0 for two points."""
    together = min(live.t_end_s, true.t_end) - max(live.t_start_s, true.t_start)
    apart = max(live.t_end_s, true.t_end) - min(live.t_start_s, true.t_start)
    return max(together, 0.0) / apart if apart > 0 else 0.0
