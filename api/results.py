"""Results of recognition as the public API gives them: events, scores and updates, with labels as names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One action of one person.

    label, body: name of the action and of its body group, which is "" where the label set has none.
    start_s, end_s: seconds from the beginning of the source. While the event is open, ``end_s`` is the newest time.
    score: the highest smoothed score so far, in [0, 1].
    person: id of the person, which stays with the person while tracking follows.
    event_id: number of the event in its stream.
    is_open: its end is not known: it goes on, or its end was not recorded.
    """

    label: str
    body: str
    start_s: float
    end_s: float
    score: float
    person: int
    event_id: int
    is_open: bool = False


@dataclass(frozen=True)
class Marker:
    """A marker of another program (``serve --lsl-markers``). source: name of its LSL stream."""

    time_s: float
    text: str
    source: str


@dataclass(frozen=True)
class LabelScores:
    """The scores of one window of one person.

    start_s, end_s: seconds from the beginning of the source.
    scores: label -> score in [0, 1], each by itself. Empty where nothing moved, so that the network was not run.
    """

    person: int
    start_s: float
    end_s: float
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Update:
    """The changes that one frame caused.

    begun, updated, ended: events, in order. An event that lasts is reported as updated about twice a second.
    scores: one for each person, in frames with an inference.
    """

    t_s: float
    begun: tuple[Event, ...]
    updated: tuple[Event, ...]
    ended: tuple[Event, ...]
    scores: tuple[LabelScores, ...]
