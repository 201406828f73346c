"""Per-label thresholds from recordings: as many actions found as a limit on false events allows. numpy only.

Fit on recordings that neither trained the network nor will judge it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.model_file import ModelMetadata
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.training.evaluation.candidates import Stretches, stretches, tracks
from mar_edge.training.evaluation.streaming import Watched
from mar_edge.training.synth.events import TrueEvent

GRID: NDArray[np.float64] = np.arange(0.2, 0.951, 0.025)
_BISECTIONS = 40
_SHARPEST = 1e4  # actions that one false event may cost


def fit_live_thresholds(
    watched: Sequence[Watched], metadata: ModelMetadata, rules: EventRules, per_minute: float
) -> NDArray[np.float64]:
    """The thresholds for which most actions are found and at most ``per_minute`` events are false.

    A label that few recordings show goes by what all labels have in common: to its own counts those of an average
    label are added. What a false event may cost in actions found is the same for all labels.

    Args:
        watched: recordings whose windows were kept, idle ones among them.
        rules: smoothing and least duration of events.
        per_minute: limit; where even the highest thresholds exceed it, all are the highest.

    Returns:
        (K,) thresholds from ``GRID``.
    """
    found, false = count_events(watched, metadata, rules)
    minutes = sum(one.duration_s for one in watched) / 60
    acting = np.arange(len(metadata.labels)) != metadata.background
    gain, loss = (counts + counts[acting].mean(axis=0) for counts in (found, false))
    rows = np.arange(len(gain))

    def choose(price: float) -> NDArray[np.intp]:
        worth = gain - price * loss
        # Of equal ones the highest.
        highest: NDArray[np.intp] = worth.shape[1] - 1 - worth[:, ::-1].argmax(axis=1)
        return highest

    cheap, dear = 1 / _SHARPEST, _SHARPEST
    for _ in range(_BISECTIONS):
        price = float(np.sqrt(cheap * dear))
        if false[rows, choose(price)][acting].sum() / minutes <= per_minute:
            dear = price
        else:
            cheap = price
    return GRID[choose(dear)]


def count_events(
    watched: Sequence[Watched], metadata: ModelMetadata, rules: EventRules
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(K, len(GRID)) true events that would be found at each threshold, and false events that would be reported.

    A stretch above the threshold that lasts is an event; it is false where no true one of its label overlaps it.
    """
    place = {label.name: k for k, label in enumerate(metadata.labels)}
    found, false = (np.zeros((len(place), len(GRID))) for _ in range(2))
    for one in watched:
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
    """Scores (N, K) as events see them: exponentially smoothed, with that time constant."""
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
