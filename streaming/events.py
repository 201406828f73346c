"""Probabilities over time -> begin, update and end of labels, one person at a time. No clock, no network, no wire."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.errors import MarEdgeError
from streaming.thresholds import LabelChoice, Thresholds

Phase = Literal["begin", "update", "end"]


@dataclass(frozen=True)
class EventRules:
    """When a label is an event.

    on, off: smoothed probability at which one begins, and below which it ends (hysteresis); None for what the model
        says (see ``streaming.thresholds``). labels: which may be events, and thresholds of their own.
    smoothing_s: time constant of the exponential smoothing; 0 switches it off.
    min_duration_s: how long a label must hold before it begins.
    update_s: a lasting event is reported this often.

    Raises:
        MarEdgeError: a value that makes no sense.
    """

    on: float | None = None
    off: float | None = None
    labels: LabelChoice = field(default_factory=LabelChoice)
    smoothing_s: float = 0.3
    min_duration_s: float = 0.2
    update_s: float = 0.5

    def __post_init__(self) -> None:
        on = 1.0 if self.on is None else self.on
        off = on if self.off is None else self.off
        if not 0.0 < off <= on <= 1.0:
            raise MarEdgeError(f"thresholds are 0 < off <= on <= 1; given were on {self.on}, off {self.off}")
        if min(self.smoothing_s, self.min_duration_s, self.update_s) < 0 or not all(
            map(math.isfinite, (self.smoothing_s, self.min_duration_s, self.update_s))
        ):
            raise MarEdgeError(f"smoothing, minimum duration and update interval are 0 s or more: {self}")


@dataclass(frozen=True)
class EventChange:
    """What happened to an event.

    event_id: unique in the stream. label: index of the network's output. score: highest smoothed probability so far.
    t_start_s, t_end_s: capture clock in seconds; ``t_end_s`` is None until the end.
    """

    event_id: int
    person: int
    label: int
    phase: Phase
    t_start_s: float
    t_end_s: float | None
    score: float


@dataclass
class _Open:
    event_id: int
    label: int
    t_start_s: float
    score: float
    reported_s: float


@dataclass
class _Candidate:
    label: int
    since_s: float
    t_start_s: float


OnsetOf = Callable[[int], float]
"""Label index -> when it began by the window of this moment, capture clock in seconds (see ``streaming.onset``)."""
OffsetOf = Callable[[int, float], float]
"""Label index and when it began -> when it ended, likewise."""


class EventTracker:
    """The events of one person.

    Args:
        rules: times; its thresholds are in ``thresholds``, resolved for the model.
        ids: where event ids come from; shared by everybody in the stream.
        person: id the changes carry.
    """

    def __init__(self, rules: EventRules, thresholds: Thresholds, ids: Iterator[int], person: int = 0) -> None:
        self._rules = rules
        self._thresholds = thresholds
        self._ids = ids
        self._person = person
        self._smoothed: NDArray[np.float64] | None = None
        self._time_s = 0.0
        self._open: _Open | None = None
        self._candidate: _Candidate | None = None
        self._free_from_s = -math.inf

    def update(self, t_s: float, probs: NDArray[np.float32], onset_s: OnsetOf, offset_s: OffsetOf) -> list[EventChange]:
        """Take the probabilities at ``t_s``.

        Args:
            t_s: capture clock in seconds, later than the last.
            probs: (K,) of this moment; all zero where nothing moves.
            onset_s, offset_s: asked when a label begins or ends.

        Returns:
            What changed, in order; an end comes before the begin that follows from it.
        """
        smoothed = self._smooth(t_s, probs)
        self._consider(self._best(smoothed), t_s, onset_s)
        changes: list[EventChange] = []
        begins = self._candidate if self._holds(t_s) else None
        if self._open is not None:
            self._open.score = max(self._open.score, float(smoothed[self._open.label]))
            if begins is not None or smoothed[self._open.label] < self._thresholds.off[self._open.label]:
                t_end_s = offset_s(self._open.label, self._open.t_start_s)
                changes.append(self._end(t_end_s if begins is None else min(t_end_s, begins.t_start_s)))
            elif t_s - self._open.reported_s >= self._rules.update_s - 1e-3:
                self._open.reported_s = t_s
                changes.append(self._change("update", None))
        if begins is not None:
            # One person does one thing at a time: a new event does not reach back into the one before it.
            start_s = min(max(begins.t_start_s, self._free_from_s), t_s)
            self._open = _Open(next(self._ids), begins.label, start_s, float(smoothed[begins.label]), t_s)
            self._candidate = None
            changes.append(self._change("begin", None))
        return changes

    def close(self, t_s: float) -> list[EventChange]:
        """End what is open at ``t_s`` and forget the past: the person is gone, or the stream is over."""
        self._smoothed = None
        self._candidate = None
        return [self._end(t_s)] if self._open is not None else []

    def _smooth(self, t_s: float, probs: NDArray[np.float32]) -> NDArray[np.float64]:
        now = probs.astype(np.float64)
        if self._smoothed is not None and self._rules.smoothing_s > 0:
            old = math.exp(-max(t_s - self._time_s, 0.0) / self._rules.smoothing_s)
            now = old * self._smoothed + (1.0 - old) * now
        self._smoothed, self._time_s = now, t_s
        return now

    def _best(self, smoothed: NDArray[np.float64]) -> int | None:
        """The most probable label of those above their thresholds."""
        above = smoothed >= self._thresholds.on
        return int(np.argmax(np.where(above, smoothed, -1.0))) if above.any() else None

    def _consider(self, best: int | None, t_s: float, onset_s: OnsetOf) -> None:
        """Note since when which label other than the open one has been the best."""
        if best is None or (self._open is not None and best == self._open.label):
            self._candidate = None
        elif self._candidate is None or self._candidate.label != best:
            self._candidate = _Candidate(best, t_s, onset_s(best))

    def _holds(self, t_s: float) -> bool:
        candidate = self._candidate
        return candidate is not None and t_s - candidate.since_s >= self._rules.min_duration_s - 1e-3

    def _change(self, phase: Phase, t_end_s: float | None) -> EventChange:
        event = self._open
        assert event is not None
        return EventChange(event.event_id, self._person, event.label, phase, event.t_start_s, t_end_s, event.score)

    def _end(self, t_end_s: float) -> EventChange:
        assert self._open is not None
        t_end_s = max(t_end_s, self._open.t_start_s)
        change = self._change("end", t_end_s)
        self._open, self._free_from_s = None, t_end_s
        return change
