"""Scores over time -> begin, update and end of labels, one person at a time. No clock, no network, no wire.

Several events may be open at once, one in each channel of the body: one may nod while touching the leg. Within a
channel one movement is one event, at most: what is left of a bow in the window when its way out has left it looks like
a head that is raised, and is none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.extent import Motions
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


class Extent(Protocol):
    """From when to when the movement behind a label goes, capture clock in seconds (``recognition.extent``)."""

    @property
    def stands_out(self) -> bool:
        """Whether there is a movement at all."""

    @property
    def start_s(self) -> float:
        """When it began."""

    @property
    def end_s(self) -> float:
        """The last moment that belongs to it, of those seen so far."""

    @property
    def is_over(self) -> bool:
        """Whether nothing later belongs to it."""

    @property
    def stays(self) -> bool:
        """Whether it goes on though its label may be lost."""

    @property
    def goes_again(self) -> bool:
        """Whether what moves from now on may be another event of the same label: it is over, or its way back begins."""

    def begin_after(self, t_s: float) -> None:
        """Count only what moves after ``t_s``, where a movement of the same label ended."""

    def follow(self, motions: Motions) -> None:
        """Look at what a later window adds."""


BeginOf = Callable[[int], Extent]
"""Label index -> the newest movement of the region that it speaks of, by the window of this moment."""


@dataclass(frozen=True)
class _Past:
    """The last event that ended, and how sure it was. covered_s: until when its movement accounts for what is seen."""

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
    # Since when the label is not seen any more, and the end that it had then.
    faded_s: float = math.inf
    faded_end_s: float = math.inf

    def end_s(self, t_s: float) -> float:
        """When it ended, as far as is known at ``t_s``."""
        came_back = t_s > self.faded_s and self.extent.is_over
        return self.extent.end_s if came_back else min(self.extent.end_s, self.faded_end_s)

    @property
    def past(self) -> _Past:
        """What it leaves when it ends now."""
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
        rules: times; its thresholds are in ``thresholds``, resolved for the model.
        ids: where event ids come from; shared by everybody in the stream.
        person: id the changes carry.
        outlives_s: how long a label is seen, at least, after its movement ended.
        channels: (K,) for each label the channel it belongs to: one event at a time in each. None for one in all.
        opposites: label -> that which its way back looks like.
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
        """Take what moves in the window of this moment, before its scores: where movements go on or end."""
        for channel in self._channels:
            channel.follow(motions)

    def update(self, t_s: float, scores: NDArray[np.float32], begin: BeginOf) -> list[EventChange]:
        """Take the scores at ``t_s``.

        Args:
            t_s: capture clock in seconds, later than the last.
            scores: (K,) of this moment; all zero where nothing moves.
            begin: asked about a label that stands out.

        Returns:
            What changed, in order; within a channel an end comes before the begin that follows from it.
        """
        smoothed = self._smooth(t_s, scores)
        return [change for channel in self._channels for change in channel.update(t_s, smoothed, begin)]

    def close(self, t_s: float) -> list[EventChange]:
        """End what is open at ``t_s`` and forget the past: the person is gone, or the stream is over."""
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
    """The events of the labels that exclude each other: one at a time, the surer one."""

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
        """See ``EventTracker``."""
        for state in (self._open, self._candidate):
            if state is not None:
                state.extent.follow(motions)

    def update(self, t_s: float, smoothed: NDArray[np.float64], begin: BeginOf) -> list[EventChange]:
        """Take the smoothed scores at ``t_s``."""
        if self._open is not None:
            self._open.score = max(self._open.score, float(smoothed[self._open.label]))
        self._consider(self._best(smoothed), t_s, begin)
        begins = self._candidate if self._holds(t_s, smoothed) else None
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
        """See ``EventTracker``."""
        changes: list[EventChange] = []
        if self._open is not None:
            goes_on = math.isinf(self._open.faded_s) and not self._open.extent.is_over
            changes.append(self._end(t_s if goes_on else min(self._open.end_s(t_s), t_s)))
        self._candidate, self._past = None, _Past()
        return changes

    def _has_faded(self, event: _Open, t_s: float, smoothed: NDArray[np.float64]) -> bool:
        """Whether the label is not seen any more, and nobody is waited for who stays where it led."""
        if smoothed[event.label] >= self._thresholds.off[event.label]:
            event.faded_s = event.faded_end_s = math.inf
            return False
        if math.isinf(event.faded_s):
            event.faded_s, event.faded_end_s = t_s, t_s - self._outlives_s
        return not event.extent.stays or t_s - event.faded_s >= self._rules.longest_stay_s - 1e-3

    def _best(self, smoothed: NDArray[np.float64]) -> int | None:
        """The most probable label of those above their thresholds."""
        above = smoothed >= self._thresholds.on
        return int(np.argmax(np.where(above, smoothed, -1.0))) if above.any() else None

    def _consider(self, best: int | None, t_s: float, begin: BeginOf) -> None:
        """Note since when which label has been the best, other than the open one unless that goes again."""
        if best is None or (self._open is not None and best == self._open.label and not self._open.extent.goes_again):
            self._candidate = None
        elif self._candidate is None or self._candidate.label != best:
            self._candidate = _Candidate(best, t_s, self._beginning(best, begin))
        elif not self._is_another(self._candidate):
            # What the label names so far is the movement before. The next one may have begun meanwhile.
            newer = _Candidate(best, t_s, self._beginning(best, begin))
            if self._is_another(newer):
                self._candidate = newer

    def _beginning(self, label: int, begin: BeginOf) -> Extent:
        """The newest movement behind ``label``; of the label that is open, what moves after it ended."""
        extent = begin(label)
        if self._open is not None and self._open.label == label:
            extent.begin_after(self._open.extent.end_s)
        return extent

    def _is_another(self, candidate: _Candidate) -> bool:
        """Whether the candidate's movement is not that of the event before it, nor what is left of it.

        An event whose label is still seen accounts for what has moved until now, one that came back and rested for what
        moved until then.
        """
        event, overlap_s = self._open, self._rules.overlap_s
        if event is not None and candidate.label == event.label:
            return candidate.extent.start_s >= event.extent.end_s
        if event is not None and math.isinf(event.faded_s):
            return candidate.extent.start_s >= event.extent.end_s - overlap_s
        before = self._past if event is None else event.past
        return candidate.extent.start_s >= before.covered_s - overlap_s

    def _holds(self, t_s: float, smoothed: NDArray[np.float64]) -> bool:
        """Whether the candidate has been the best for long enough, moves, and is no rest of what was an event already.

        A posture alone is no event, however much it looks like what an action leads to: who sits with the arms akimbo.
        A movement that came back and rested accounts for all that is seen of it, unless another label is surer; but
        not the opposite one, which is how every way back looks.
        """
        candidate = self._candidate
        if candidate is None or t_s - candidate.since_s < self._rules.min_duration_s - 1e-3:
            return False
        if not candidate.extent.stands_out:
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
