"""Scores over time -> begin, update and end of labels, one person at a time. No clock, no network, no wire.

Several events may be open at once, one in each channel of the body: a person may nod while touching a leg. Within a
channel, one movement is at most one event. When the way out of a bow has left the window, the rest looks like a head
that is raised: that is no event.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.extent import Extent
from mar_edge.streaming.recognition.motion import Motions
from mar_edge.streaming.recognition.thresholds import Thresholds

Phase = Literal["begin", "update", "end"]


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


BeginOf = Callable[[int], Extent]
"""Label index -> the newest movement of the region that the label is about, in the current window."""


@dataclass(frozen=True)
class _Past:
    """The last event that ended, and its score. covered_s: until when its movement explains what is seen."""

    label: int = -1
    t_end_s: float = -math.inf
    covered_s: float = -math.inf
    score: float = 0.0


@dataclass
class _Open:
    event_id: int
    label: int
    extent: Extent
    t_start_s: float
    score: float
    reported_s: float
    # Since when the label is lost, and the end of the event by that.
    faded_s: float = math.inf
    faded_end_s: float = math.inf

    def end_s(self, t_s: float) -> float:
        """Return when it ended, as far as is known at ``t_s``."""
        came_back = t_s > self.faded_s and self.extent.is_over
        return self.extent.end_s if came_back else min(self.extent.end_s, self.faded_end_s)

    def goes_on_in(self, candidate: _Candidate) -> bool:
        """Return whether the candidate's movement belongs to this event."""
        return candidate.label == self.label and candidate.extent.continues(self.extent)

    @property
    def past(self) -> _Past:
        """The record of it, if it ends now."""
        end_s = self.extent.end_s
        return _Past(self.label, end_s, end_s if self.extent.is_over else -math.inf, self.score)


@dataclass
class _Candidate:
    label: int
    since_s: float
    extent: Extent


class EventTracker:
    """The events of one person, each channel of the body by itself.

    Args:
        rules: durations and shares. thresholds: (K,) resolved for the model.
        ids: source of event ids, shared by everybody in the stream.
        person: id in the changes.
        outlives_s: how long a label is seen, at least, after its movement ended.
        channels: (K,) channel of each label; each channel has one event at a time. None for one channel.
        opposites: label -> the label that its way back looks like.
    """

    def __init__(
        self,
        rules: EventRules,
        thresholds: Thresholds,
        ids: Iterator[int],
        person: int = 0,
        *,
        outlives_s: float = 0.0,
        channels: Sequence[str] | None = None,
        opposites: Mapping[int, int] | None = None,
    ) -> None:
        self._rules = rules
        names = channels or [""] * len(thresholds.on)
        masks = [np.array([name == channel for name in names]) for channel in sorted(set(names))]
        self._channels = [
            _Channel(rules, thresholds.only(mask), ids, person=person, outlives_s=outlives_s, opposites=opposites or {})
            for mask in masks
        ]
        self._smoothed: NDArray[np.float64] | None = None
        self._time_s = 0.0

    def follow(self, motions: Motions) -> None:
        """Take what moves in the current window, before its scores: where movements go on or end."""
        for channel in self._channels:
            channel.follow(motions)

    def update(self, t_s: float, scores: NDArray[np.float32], begin: BeginOf) -> list[EventChange]:
        """Take the scores at ``t_s``.

        Args:
            t_s: capture clock in seconds, later than the last.
            scores: (K,) of this moment; all zero where nothing moves.
            begin: gives the newest movement behind a label.

        Returns:
            What changed, in order; within a channel, an end comes before the begin that caused it.
        """
        smoothed = self._smooth(t_s, scores)
        return [change for channel in self._channels for change in channel.update(t_s, smoothed, begin)]

    def close(self, t_s: float) -> list[EventChange]:
        """End what is open at ``t_s`` and forget the past: the person has left, or the stream is over."""
        self._smoothed = None
        return [change for channel in self._channels for change in channel.close(t_s)]

    def _smooth(self, t_s: float, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        now = scores.astype(np.float64)
        if self._smoothed is not None and self._rules.smoothing_s > 0:
            old = math.exp(-max(t_s - self._time_s, 0.0) / self._rules.smoothing_s)
            now = old * self._smoothed + (1.0 - old) * now
        self._smoothed, self._time_s = now, t_s
        return now


class _Channel:
    """The events of labels that exclude each other: one at a time, the one with the higher score."""

    def __init__(
        self,
        rules: EventRules,
        thresholds: Thresholds,
        ids: Iterator[int],
        *,
        person: int,
        outlives_s: float,
        opposites: Mapping[int, int],
    ) -> None:
        self._rules = rules
        self._thresholds = thresholds
        self._ids = ids
        self._person = person
        self._outlives_s = outlives_s
        self._opposites = opposites
        self._open: _Open | None = None
        self._candidate: _Candidate | None = None
        self._past = _Past()

    def follow(self, motions: Motions) -> None:
        """Continue the movements of the open event and the candidate (see ``EventTracker.follow``)."""
        for state in (self._open, self._candidate):
            if state is not None:
                state.extent.follow(motions)

    def update(self, t_s: float, smoothed: NDArray[np.float64], begin: BeginOf) -> list[EventChange]:
        """Take the smoothed scores (K,) at ``t_s``."""
        if self._open is not None:
            self._open.score = max(self._open.score, float(smoothed[self._open.label]))
        self._consider(self._best(smoothed), t_s, begin)
        begins = self._candidate if self._holds(t_s, smoothed) else None
        if begins is not None and self._open is not None and self._open.goes_on_in(begins):
            self._open.extent, self._candidate, begins = begins.extent, None, None
        changes: list[EventChange] = []
        if self._open is not None:
            if begins is not None:
                changes.append(self._end(min(self._open.end_s(t_s), begins.extent.start_s)))
            elif self._has_faded(self._open, t_s, smoothed):
                changes.append(self._end(self._open.end_s(t_s)))
            elif t_s - self._open.reported_s >= self._rules.update_s - 1e-3:
                self._open.reported_s = t_s
                changes.append(self._change("update", None))
        if begins is not None:
            start_s = min(max(begins.extent.start_s, self._past.t_end_s), t_s)
            score = float(smoothed[begins.label])
            self._open = _Open(next(self._ids), begins.label, begins.extent, start_s, score, t_s)
            self._candidate = None
            changes.append(self._change("begin", None))
        return changes

    def close(self, t_s: float) -> list[EventChange]:
        """End the open event (see ``EventTracker.close``)."""
        changes: list[EventChange] = []
        if self._open is not None:
            goes_on = math.isinf(self._open.faded_s) and not self._open.extent.is_over
            changes.append(self._end(t_s if goes_on else min(self._open.end_s(t_s), t_s)))
        self._candidate, self._past = None, _Past()
        return changes

    def _has_faded(self, event: _Open, t_s: float, smoothed: NDArray[np.float64]) -> bool:
        """Return whether the label is lost and no way back is awaited."""
        if smoothed[event.label] >= self._thresholds.off[event.label]:
            event.faded_s = event.faded_end_s = math.inf
            return False
        if math.isinf(event.faded_s):
            event.faded_s, event.faded_end_s = t_s, t_s - self._outlives_s
        return not event.extent.stays or t_s - event.faded_s >= self._rules.longest_stay_s - 1e-3

    def _best(self, smoothed: NDArray[np.float64]) -> int | None:
        """Return the most probable label of those above their thresholds."""
        above = smoothed >= self._thresholds.on
        return int(np.argmax(np.where(above, smoothed, -1.0))) if above.any() else None

    def _consider(self, best: int | None, t_s: float, begin: BeginOf) -> None:
        """Note since when which label is the best: another than the open one, or its next movement."""
        if best is None or (self._open is not None and best == self._open.label and not self._open.extent.goes_again):
            self._candidate = None
        elif self._candidate is None or self._candidate.label != best:
            self._candidate = _Candidate(best, t_s, self._beginning(best, begin))
        elif not self._is_another(self._candidate):
            # So far the label names the movement before. The next one may have begun meanwhile.
            newer = _Candidate(best, t_s, self._beginning(best, begin))
            if self._is_another(newer):
                self._candidate = newer

    def _beginning(self, label: int, begin: BeginOf) -> Extent:
        """Return the newest movement behind ``label``; of the open label, what moves after its movement ended."""
        extent = begin(label)
        if self._open is not None and self._open.label == label:
            extent.begin_after(self._open.extent.end_s)
        return extent

    def _is_another(self, candidate: _Candidate) -> bool:
        """Return whether the candidate's movement is another than that of the event before it.

        An event whose label is still seen explains all that has moved until now. One that came back and rested explains
        what moved until then.
        """
        event, overlap_s = self._open, self._rules.overlap_s
        if event is not None and candidate.label == event.label:
            return candidate.extent.start_s >= event.extent.end_s
        if event is not None and math.isinf(event.faded_s):
            return candidate.extent.start_s >= event.extent.end_s - overlap_s
        before = self._past if event is None else event.past
        return candidate.extent.start_s >= before.covered_s - overlap_s

    def _holds(self, t_s: float, smoothed: NDArray[np.float64]) -> bool:
        """Return whether the candidate begins: the best for long enough, moving, and no remainder of an event.

        A posture alone is no event, even if it looks like the result of an action: arms that were akimbo all along. A
        movement that came back and rested explains all that is seen of it, unless another label has a higher score. The
        opposite label never begins then: every way back looks like it.
        """
        candidate = self._candidate
        if candidate is None or t_s - candidate.since_s < self._rules.min_duration_s - 1e-3:
            return False
        if not candidate.extent.has_moved:
            return False
        if self._is_another(candidate):
            return True
        before = self._past if self._open is None else self._open.past
        is_way_back = self._opposites.get(candidate.label) == before.label
        is_same = self._open is not None and candidate.label == self._open.label
        return not is_same and not is_way_back and float(smoothed[candidate.label]) > before.score

    def _change(self, phase: Phase, t_end_s: float | None) -> EventChange:
        event = self._open
        assert event is not None
        return EventChange(event.event_id, self._person, event.label, phase, event.t_start_s, t_end_s, event.score)

    def _end(self, t_end_s: float) -> EventChange:
        assert self._open is not None
        t_end_s = max(t_end_s, self._open.t_start_s)
        change = self._change("end", t_end_s)
        self._past = replace(self._open.past, t_end_s=t_end_s)
        self._open = None
        return change
