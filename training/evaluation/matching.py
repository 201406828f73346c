"""Events that were reported against events that happened: which is which, and how many. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from mar_edge.edge.labels import Label
from mar_edge.training.synth.events import TrueEvent

Key = Callable[[Label], str]
"""What of two labels must agree: the name, or the body group."""


@dataclass(frozen=True)
class LiveEvent:
    """One event as a subscriber learns of it, in seconds of capture time.

    t_start_s, t_end_s, score: as its end says. t_told_s: capture time of the frame that made it begin.
    """

    label: Label
    t_start_s: float
    t_end_s: float
    t_told_s: float
    score: float


class EventFigures(msgspec.Struct, frozen=True, kw_only=True):
    """``matched`` of ``live`` reported and of ``true`` real events; None where that is none of nothing."""

    true: int
    live: int
    matched: int
    precision: float | None
    recall: float | None
    f1: float | None


def event_figures(true: int, live: int, matched: int) -> EventFigures:
    """The shares that follow from three counts."""
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
    """A reported event and the true one it is taken for."""

    live: LiveEvent
    true: TrueEvent

    @property
    def delay_s(self) -> float:
        """From the true start to the frame that made it known."""
        return self.live.t_told_s - self.true.t_start


def match_events(live: Sequence[LiveEvent], true: Sequence[TrueEvent], min_tiou: float, key: Key) -> list[Match]:
    """Pair the events of one recording, each at most once.

    The surest reported event chooses first: of the true ones with its label that are left and overlap it by
    ``min_tiou`` or more, the one it overlaps most.
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
    """Intersection over union of two intervals, in [0, 1]; 0 for two points."""
    together = min(live.t_end_s, true.t_end) - max(live.t_start_s, true.t_start)
    apart = max(live.t_end_s, true.t_end) - min(live.t_start_s, true.t_start)
    return max(together, 0.0) / apart if apart > 0 else 0.0
