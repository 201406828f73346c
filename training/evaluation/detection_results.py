"""Detection and window mAP of recordings: overall, by body group and by framing. Computed here, written elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.streaming.recording.matching import EventFigures, event_figures
from mar_edge.training.evaluation.candidates import ScoredWindows, propose
from mar_edge.training.evaluation.detection import TIOUS, Intervals, average_precisions, mean_ap, window_precisions
from mar_edge.training.evaluation.matching import LiveEvent, match_events
from mar_edge.training.evaluation.served import Served
from mar_edge.training.evaluation.streaming import EvaluatedRecording
from mar_edge.training.evaluation.truth import FRAMINGS, RealSet
from mar_edge.training.synth.events import TrueEvent

_QUOTED = (0.2, 0.5, 0.7)
_SHOWN = 0.4  # a window shows an event if it overlaps this share of the event, or of itself if it is shorter


class PartFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one framing, or of the actions of one body group.

    detection_map: mean over labels that occur and over the overlaps 0.1 to 0.9 (``training.evaluation.detection``).

    window_map: mean average precision of single windows, over labels that occur.

    events: matched by name, at the ``min_tiou`` of the enclosing results.
    """

    name: str
    detection_map: float | None
    window_map: float | None
    events: EventFigures


class DetectionResults(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of recordings whose windows were kept.

    overall: all recordings. at_tiou: detection mAP at single overlaps. groups, framings, labels: those that occur.
    """

    overall: PartFigures
    at_tiou: dict[str, float]
    groups: tuple[PartFigures, ...]
    framings: tuple[PartFigures, ...]
    labels: tuple[PartFigures, ...] = ()


class _DetectionData:
    """Candidates, true events and windows of all recordings; computes the figures of a part of them."""

    def __init__(
        self, evaluated: Sequence[EvaluatedRecording], model_labels: Sequence[Label], window_s: float, min_tiou: float
    ) -> None:
        self._evaluated, self._min_tiou = evaluated, min_tiou
        place = {label.name: k for k, label in enumerate(model_labels)}
        kept = [one.windows for one in evaluated if one.windows is not None]
        self._K = len(model_labels)
        self._found = _joined([propose(windows, window_s, i) for i, windows in enumerate(kept)])
        self._true = _joined([_intervals(one.true, place, i) for i, one in enumerate(evaluated)])
        self._scores = np.concatenate([windows.scores for windows in kept])
        shown = [_shown(windows, one.true, place) for windows, one in zip(kept, evaluated, strict=True)]
        self._shown = np.concatenate(shown)
        self._video = np.repeat(np.arange(len(kept)), [len(windows) for windows in kept])

    def at_tiou(self, labels: NDArray[np.bool_]) -> dict[str, float]:
        """Compute detection mAP at single overlaps."""
        aps = average_precisions(self._found, self._true, self._K, _QUOTED)[:, labels]
        means = {f"{tiou:g}": mean_ap(row) for tiou, row in zip(_QUOTED, aps, strict=True)}
        return {name: mean for name, mean in means.items() if mean is not None}

    def figures(self, name: str, videos: NDArray[np.bool_], labels: NDArray[np.bool_], names: set[str]) -> PartFigures:
        """Compute the figures of selected recordings (V,) and labels (K,); ``names`` are those of the labels."""
        found, true = (part.take(videos[part.video] & labels[part.label]) for part in (self._found, self._true))
        windows = videos[self._video]
        live, happened, matched = 0, 0, 0
        for one in (one for one, wanted in zip(self._evaluated, videos, strict=True) if wanted):
            reported_events = [event for event in one.live if event.label.name in names]
            true_events = [event for event in one.true if event.label.name in names]
            matched += len(match_events(reported_events, true_events, self._min_tiou, lambda label: label.name))
            live, happened = live + len(reported_events), happened + len(true_events)
        return PartFigures(
            name=name,
            detection_map=mean_ap(average_precisions(found, true, self._K, TIOUS)),
            window_map=mean_ap(window_precisions(self._scores[windows][:, labels], self._shown[windows][:, labels])),
            events=event_figures(happened, live, matched),
        )


def score_detection(
    evaluated: Sequence[EvaluatedRecording],
    model_labels: Sequence[Label],
    labels: Sequence[Label],
    window_s: float,
    min_tiou: float,
) -> DetectionResults:
    """Compute the results of recordings.

    Args:
        model_labels: in the order of the scores. labels: of the actions that could have happened.
        window_s: window length of the model. min_tiou: overlap at which events match.
    """
    data = _DetectionData(evaluated, model_labels, window_s, min_tiou)
    every = np.ones(len(evaluated), np.bool_)

    def of(names: set[str]) -> NDArray[np.bool_]:
        return np.array([label.name in names for label in model_labels])

    all_names = {label.name for label in labels}
    groups = {body: {label.name for label in labels if label.body == body} for body in (one.body for one in labels)}
    framed = {name: np.array([one.framing == name for one in evaluated]) for name in FRAMINGS}
    by_group = [data.figures(body, every, of(names), names) for body, names in groups.items()]
    by_label = [data.figures(name, every, of({name}), {name}) for name in sorted(all_names)]
    return DetectionResults(
        overall=data.figures("all", every, of(all_names), all_names),
        at_tiou=data.at_tiou(of(all_names)),
        groups=tuple(row for row in by_group if row.events.true + row.events.live),
        framings=tuple(
            data.figures(name, videos, of(all_names), all_names) for name, videos in framed.items() if videos.any()
        ),
        labels=tuple(row for row in by_label if row.events.true + row.events.live),
    )


def score_real_detection(
    real: RealSet, served: Sequence[Served], metadata: ModelMetadata, min_tiou: float
) -> DetectionResults:
    """Compute the results of real recordings. Actions that the model does not know are left out."""
    label_of = {label.name: label for label in metadata.labels}
    evaluated = [
        EvaluatedRecording(
            one.duration_s,
            not one.actions,
            tuple(
                TrueEvent(label_of[action.label], action.start_s, action.end_s)
                for action in one.actions
                if action.label in label_of
            ),
            tuple(
                LiveEvent(event.label, event.start_s, event.end_s, event.end_s, event.score) for event in sent.events
            ),
            framing=one.framing,
            windows=sent.windows,
        )
        for one, sent in zip(real.recordings, served, strict=True)
    ]
    actions = [label for k, label in enumerate(metadata.labels) if k != metadata.background]
    return score_detection(evaluated, metadata.labels, actions, metadata.window_s, min_tiou)


def _shown(windows: ScoredWindows, events: Sequence[TrueEvent], place: dict[str, int]) -> NDArray[np.bool_]:
    """Return which windows show which labels, (N, K)."""
    shown = np.zeros(windows.scores.shape, np.bool_)
    span_s = windows.end_s - windows.start_s
    for event in events:
        overlap = np.minimum(windows.end_s, event.t_end) - np.maximum(windows.start_s, event.t_start)
        whole = np.minimum(max(event.t_end - event.t_start, 1e-3), span_s)
        shown[:, place[event.label.name]] |= overlap >= _SHOWN * whole
    return shown


def _intervals(events: Sequence[TrueEvent], place: dict[str, int], video: int) -> Intervals:
    rows = [(video, place[event.label.name], event.t_start, event.t_end) for event in events]
    return Intervals.of(np.array(rows, np.float64).reshape(-1, 4))


def _joined(parts: Sequence[Intervals]) -> Intervals:
    names = ("video", "label", "start_s", "end_s", "score")
    return Intervals(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
