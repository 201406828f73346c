"""Results of live use on synthetic recordings: events reported correctly, their delay, and false events."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.streaming.recording.matching import EventFigures, event_figures
from mar_edge.training.evaluation.detection_results import DetectionResults, score_detection
from mar_edge.training.evaluation.matching import Key, Match, match_events
from mar_edge.training.evaluation.streaming import EvaluatedRecording
from mar_edge.training.synth.events import TrueEvent

MIN_TIOU = 0.5
_TIOUS = (MIN_TIOU, 0.3, 0.1)


class LevelFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Events that match by an overlap of ``min_tiou`` or more and by ``level``: "action" or "body group"."""

    level: str
    min_tiou: float
    events: EventFigures


class ActionEvents(msgspec.Struct, frozen=True, kw_only=True):
    """One action at ``MIN_TIOU``. idle: number of its reports in idle footage."""

    name: str
    body: str
    events: EventFigures
    delay_median_s: float | None
    idle: int


class OverlapRecall(msgspec.Struct, frozen=True, kw_only=True):
    """Recall of events that happened alone, or of events during another one: ``matched`` of ``true``."""

    true: int
    matched: int
    recall: float | None


class StreamResults(msgspec.Struct, frozen=True, kw_only=True):
    """Results of live use. All but the idle figures are of footage with actions.

    minutes, idle_minutes: of footage with actions, and of footage without.

    delay_median_s, delay_p90_s: capture time from the true start of an event to its report, over events matched at
    ``MIN_TIOU``. The time for pose and network is not included.

    start_off_s, end_off_s: error of the reported start and end, positive if too late. Median over events matched at the
    smallest overlap.

    false_per_minute: reported events without a match at ``MIN_TIOU``. idle_per_minute: reported events in idle footage.

    concurrent: whether people did several actions at once.

    f1_macro: mean F1 of actions that happened or were reported.

    alone, together: recall of events that overlap no other true one, and of those that do.

    detection: None if no windows were kept.
    """

    seed: int
    minutes: float
    idle_minutes: float
    levels: tuple[LevelFigures, ...]
    actions: tuple[ActionEvents, ...]
    delay_median_s: float | None
    delay_p90_s: float | None
    start_off_s: float | None
    end_off_s: float | None
    false_per_minute: float | None
    idle_per_minute: float | None
    concurrent: bool = False
    f1_macro: float | None = None
    alone: OverlapRecall | None = None
    together: OverlapRecall | None = None
    detection: DetectionResults | None = None


def score_recordings(
    evaluated: Sequence[EvaluatedRecording], labels: Sequence[Label], seed: int, metadata: ModelMetadata | None = None
) -> StreamResults:
    """Compute the results of recordings.

    Args:
        labels: of the actions that could have been reported.
        metadata: of the model; None leaves out the figures of its windows.
    """
    acted = [one for one in evaluated if not one.idle]
    idle = [one for one in evaluated if one.idle]
    minutes, idle_minutes = (sum(one.duration_s for one in part) / 60 for part in (acted, idle))
    matches = _match(acted, MIN_TIOU, _name)
    near = _match(acted, _TIOUS[-1], _name)
    delays_s = [match.delay_s for match in matches]
    false = sum(len(one.live) for one in acted) - len(matches)
    actions = tuple(_action(label, acted, idle, matches) for label in labels)
    f1s = [row.events.f1 for row in actions if row.events.f1 is not None]
    return StreamResults(
        seed=seed,
        minutes=minutes,
        idle_minutes=idle_minutes,
        levels=tuple(
            LevelFigures(level=level, min_tiou=min_tiou, events=_count(acted, _match(acted, min_tiou, key)))
            for level, key in (("action", _name), ("body group", _body))
            for min_tiou in _TIOUS
        ),
        actions=actions,
        delay_median_s=_quantile(delays_s, 0.5),
        delay_p90_s=_quantile(delays_s, 0.9),
        start_off_s=_quantile([match.live.t_start_s - match.true.t_start for match in near], 0.5),
        end_off_s=_quantile([match.live.t_end_s - match.true.t_end for match in near], 0.5),
        false_per_minute=false / minutes if minutes else None,
        idle_per_minute=sum(len(one.live) for one in idle) / idle_minutes if idle_minutes else None,
        concurrent=any(one.concurrent for one in acted),
        f1_macro=float(np.mean(f1s)) if f1s else None,
        alone=_shared(acted, matches, together=False),
        together=_shared(acted, matches, together=True),
        detection=_detection(acted, labels, metadata) if metadata is not None else None,
    )


def _shared(acted: Sequence[EvaluatedRecording], matches: Sequence[Match], *, together: bool) -> OverlapRecall:
    """Compute the recall of events that overlap another true one, or of the others."""
    found = {id(match.true) for match in matches}
    mine = [event for one in acted for event in one.true if _overlaps_another(event, one.true) == together]
    matched = sum(id(event) in found for event in mine)
    return OverlapRecall(true=len(mine), matched=matched, recall=matched / len(mine) if mine else None)


def _overlaps_another(event: TrueEvent, events: Sequence[TrueEvent]) -> bool:
    return any(
        other is not event and min(event.t_end, other.t_end) > max(event.t_start, other.t_start) for other in events
    )


def _detection(
    acted: Sequence[EvaluatedRecording], labels: Sequence[Label], metadata: ModelMetadata
) -> DetectionResults | None:
    kept = [one for one in acted if one.windows is not None]
    return score_detection(kept, metadata.labels, labels, metadata.window_s, MIN_TIOU) if kept else None


def _name(label: Label) -> str:
    return label.name


def _body(label: Label) -> str:
    return label.body


def _match(evaluated: Sequence[EvaluatedRecording], min_tiou: float, key: Key) -> list[Match]:
    return [match for one in evaluated for match in match_events(one.live, one.true, min_tiou, key)]


def _count(evaluated: Sequence[EvaluatedRecording], matches: Sequence[Match]) -> EventFigures:
    return event_figures(sum(len(one.true) for one in evaluated), sum(len(one.live) for one in evaluated), len(matches))


def _action(
    label: Label, acted: Sequence[EvaluatedRecording], idle: Sequence[EvaluatedRecording], matches: Sequence[Match]
) -> ActionEvents:
    delays_s = [match.delay_s for match in matches if match.true.label.name == label.name]
    true = sum(event.label.name == label.name for one in acted for event in one.true)
    live, resting = (
        sum(event.label.name == label.name for one in part for event in one.live) for part in (acted, idle)
    )
    return ActionEvents(
        name=label.name,
        body=label.body,
        events=event_figures(true, live, len(delays_s)),
        delay_median_s=_quantile(delays_s, 0.5),
        idle=resting,
    )


def _quantile(values: Sequence[float], q: float) -> float | None:
    return float(np.quantile(values, q)) if values else None
