"""Matching of reported events with true ones, by falling score. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mar_edge.edge.labels import Label
from mar_edge.streaming.recording.matching import temporal_iou
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
            if key(other.label) == key(event.label)
            and (tiou := temporal_iou((event.t_start_s, event.t_end_s), (other.t_start, other.t_end))) >= min_tiou
        ]
        if fits:
            _, best = max(fits, key=lambda fit: fit[0])
            left = [other for other in left if other is not best]
            matches.append(Match(event, best))
    return matches
