"""Per-label thresholds from recordings: as many actions found as a limit on false events allows. numpy only.

Fit on recordings that are used neither in training nor in evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.model_file import ModelMetadata
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.training.evaluation.candidates import Stretches, stretches, tracks
from mar_edge.training.evaluation.streaming import EvaluatedRecording
from mar_edge.training.synth.events import TrueEvent

GRID: NDArray[np.float64] = np.arange(0.2, 0.951, 0.025)
_BISECTIONS = 40
_SHARPEST = 1e4  # actions that one false event may cost


def fit_live_thresholds(
    evaluated: Sequence[EvaluatedRecording], metadata: ModelMetadata, rules: EventRules, per_minute: float
) -> NDArray[np.float64]:
    """Fit the thresholds that find most actions with at most ``per_minute`` false events per minute.

    The counts of an average label are added to those of each label, for labels that few recordings show. The price of
    a false event, in actions found, is the same for all labels.

    Args:
        evaluated: recordings whose windows were kept, idle ones among them.
        rules: smoothing and least duration of events.
        per_minute: limit; if even the highest thresholds exceed it, all are the highest.

    Returns:
        (K,) thresholds from ``GRID``.
    """
    found, false = count_events(evaluated, metadata, rules)
    minutes = sum(one.duration_s for one in evaluated) / 60
    acting = np.arange(len(metadata.labels)) != metadata.background
    gain, loss = (counts + counts[acting].mean(axis=0) for counts in (found, false))
    rows = np.arange(len(gain))

    def choose(price: float) -> NDArray[np.intp]:
        value = gain - price * loss
        # The highest of equally good thresholds.
        highest: NDArray[np.intp] = value.shape[1] - 1 - value[:, ::-1].argmax(axis=1)
        return highest

    low, high = 1 / _SHARPEST, _SHARPEST
    for _ in range(_BISECTIONS):
        price = float(np.sqrt(low * high))
        if false[rows, choose(price)][acting].sum() / minutes <= per_minute:
            high = price
        else:
            low = price
    return GRID[choose(high)]


def count_events(
    evaluated: Sequence[EvaluatedRecording], metadata: ModelMetadata, rules: EventRules
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count true events that each threshold would find, and false events that it would report, (K, len(GRID)) each.

    A long enough stretch above the threshold is an event. It is false if no true event of its label overlaps it.
    """
    place = {label.name: k for k, label in enumerate(metadata.labels)}
    found, false = (np.zeros((len(place), len(GRID))) for _ in range(2))
    for one in evaluated:
        assert one.windows is not None, "recordings to fit on keep their windows"
        for start_s, end_s, scores in tracks(one.windows):
            smooth = smoothed(end_s, scores, rules.smoothing_s)
            for level, least in enumerate(GRID):
                high = stretches(start_s, end_s, smooth, float(least), metadata.window_s)
                lasting = high.held_s >= rules.min_duration_s - 1e-3
                hit = np.zeros(len(high.label), np.bool_)
                for event in one.true:
                    touched = lasting & (high.label == place[event.label.name]) & _touched(high, event)
                    found[place[event.label.name], level] += touched.any()
                    hit |= touched
                np.add.at(false[:, level], high.label[lasting & ~hit], 1)
    if metadata.background is not None:
        false[metadata.background] = 0
    return found, false


def smoothed(end_s: NDArray[np.float64], scores: NDArray[np.float64], smoothing_s: float) -> NDArray[np.float64]:
    """Smooth scores (N, K) exponentially with that time constant, as the event rules do."""
    if smoothing_s <= 0:
        return scores
    smooth = scores.copy()
    for i in range(1, len(scores)):
        old = np.exp(-(end_s[i] - end_s[i - 1]) / smoothing_s)
        smooth[i] = old * smooth[i - 1] + (1 - old) * scores[i]
    return smooth


def _touched(high: Stretches, event: TrueEvent) -> NDArray[np.bool_]:
    touched: NDArray[np.bool_] = np.minimum(high.end_s, event.t_end) > np.maximum(high.start_s, event.t_start)
    return touched
