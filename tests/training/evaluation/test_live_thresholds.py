"""Thresholds from recordings with known scores and true events."""

import msgspec
import numpy as np
import pytest
from evaluation_fakes import LABELS, METADATA

from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.training.evaluation.candidates import ScoredWindows
from mar_edge.training.evaluation.live_thresholds import GRID, count_events, fit_live_thresholds, smoothed
from mar_edge.training.evaluation.streaming import EvaluatedRecording
from mar_edge.training.synth.events import TrueEvent

NODDING, WAVING, BACKGROUND = range(3)
FEW = msgspec.structs.replace(METADATA, labels=(LABELS[9], LABELS[19], LABELS[52]), background=BACKGROUND)
RULES = EventRules(smoothing_s=0.0, min_duration_s=0.4)


def evaluated(*spans, true=()):
    """Return a minute with scores (label, from, to, score); times are those of the windows' ends."""
    end_s = np.arange(2.0, 60.0, 0.2)
    scores = np.zeros((len(end_s), 3), np.float32)
    for label, start, end, score in spans:
        scores[(end_s >= start - 1e-6) & (end_s <= end + 1e-6), label] = score
    windows = ScoredWindows(end_s - 2, end_s, np.zeros(len(end_s), np.int64), scores)
    return EvaluatedRecording(60.0, not true, tuple(true), (), True, "full body", windows)


def nod(start_s):
    return TrueEvent(LABELS[9], start_s, start_s + 2)


def at(counts, label, threshold):
    return counts[label, int(np.abs(GRID - threshold).argmin())]


ACTED = evaluated((NODDING, 10.8, 12.8, 0.7), (NODDING, 30, 32, 0.5), (WAVING, 40, 40.2, 0.9), true=[nod(10)])


def test_events_are_counted_at_each_threshold():
    found, false = count_events([ACTED], FEW, RULES)
    assert [at(found, NODDING, threshold) for threshold in (0.3, 0.6, 0.8)] == [1, 1, 0]
    assert [at(false, NODDING, threshold) for threshold in (0.3, 0.6, 0.8)] == [1, 0, 0]
    assert found[WAVING].sum() == false[WAVING].sum() == 0  # too short to be an event
    assert false[BACKGROUND].sum() == 0


def test_thresholds_find_actions_within_the_limit():
    allowed = fit_live_thresholds([ACTED], FEW, RULES, per_minute=2)
    strict = fit_live_thresholds([ACTED], FEW, RULES, per_minute=0.5)
    assert allowed[NODDING] <= 0.7
    assert 0.5 < strict[NODDING] <= 0.7
    idle = evaluated((NODDING, 10, 20, 0.7))
    # Only the highest thresholds have few enough false events.
    assert fit_live_thresholds([ACTED, idle], FEW, RULES, per_minute=0.2)[NODDING] > 0.7


def test_a_label_without_events_takes_the_threshold_of_the_others():
    fitted = fit_live_thresholds([ACTED], FEW, RULES, per_minute=0.5)
    assert fitted[WAVING] == fitted[NODDING]


@pytest.mark.parametrize("limit", [0.0, 1.0, 3.0])
def test_the_limit_of_false_events_is_kept(limit):
    rng = np.random.default_rng(3)
    spans = [
        (int(k), t, t + 1.5, float(s))
        for k, t, s in zip(rng.integers(0, 2, 18), range(3, 57, 3), rng.random(18), strict=True)
    ]
    taken = evaluated(*spans, true=[nod(t - 0.7) for _, t, *_ in spans[::2]])
    fitted = fit_live_thresholds([taken], FEW, RULES, limit)
    _, false = count_events([taken], FEW, RULES)
    kept = false[np.arange(3), np.searchsorted(GRID, fitted - 1e-9)].sum()
    assert kept <= limit or fitted.max() == pytest.approx(GRID[-1])


def test_scores_are_smoothed_as_in_the_event_rules():
    smooth = smoothed(np.array([0.0, 0.3, 0.6]), np.array([[0.0], [1.0], [1.0]]), 0.3)
    assert smooth[:, 0] == pytest.approx([0, 1 - np.exp(-1), 1 - np.exp(-2)])
