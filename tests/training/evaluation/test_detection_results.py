"""Figures of detection, overall and in parts, from recordings with known scores."""

import numpy as np
import pytest
from evaluation_fakes import LABELS, METADATA

from mar_edge.training.evaluation.candidates import ScoredWindows
from mar_edge.training.evaluation.detection import window_precisions
from mar_edge.training.evaluation.matching import LiveEvent
from mar_edge.training.evaluation.stream_results import score_recordings
from mar_edge.training.evaluation.streaming import EvaluatedRecording
from mar_edge.training.synth.events import TrueEvent

NODDING, TOUCHING_LEGS, WAVING = 9, 49, 19


def evaluated(*events, seen, framing="full body", live=None):
    """Return twenty seconds with ``events``; labels in ``seen`` have high scores."""
    end_s = np.arange(2.0, 20.0, 0.2)
    scores = np.zeros((len(end_s), 53), np.float32)
    for event in events:
        if event.label in seen:
            scores[(end_s >= event.t_start + 0.7) & (end_s <= event.t_end + 1.1), event.label.id] = 0.9
    windows = ScoredWindows(end_s - 2.0, end_s, np.zeros(len(end_s), np.int64), scores)
    reported = tuple(
        LiveEvent(event.label, event.t_start, event.t_end, event.t_start + 1, 0.9)
        for event in events
        if event.label in seen
    )
    return EvaluatedRecording(20.0, False, events, reported, True, framing, windows)


NOD, TOUCH = TrueEvent(LABELS[NODDING], 3.1, 7.1), TrueEvent(LABELS[TOUCHING_LEGS], 4.1, 9.1)
WAVE = TrueEvent(LABELS[WAVING], 12.1, 14.1)


def test_simultaneous_actions_are_found():
    found = score_recordings([evaluated(NOD, TOUCH, WAVE, seen=LABELS)], LABELS[:52], 1, METADATA)
    assert found.concurrent
    assert found.detection.overall.detection_map > 0.9
    assert found.detection.at_tiou["0.5"] == 1.0
    assert found.detection.overall.window_map > 0.9
    assert (found.together.true, found.together.matched, found.alone.true, found.alone.matched) == (2, 2, 1, 1)
    assert found.f1_macro == 1.0


def test_a_label_that_is_missed_costs_its_group_and_framing():
    first = evaluated(NOD, TOUCH, seen=[LABELS[NODDING]])
    second = evaluated(WAVE, seen=LABELS, framing="face only")
    found = score_recordings([first, second], LABELS[:52], 1, METADATA)
    groups = {row.name: row for row in found.detection.groups}
    assert groups["leg-hand"].detection_map == 0
    assert groups["head"].detection_map > 0.9
    assert set(groups) == {"head", "upper limb", "leg-hand"}
    assert groups["leg-hand"].events.recall == 0
    framings = {row.name: row for row in found.detection.framings}
    assert set(framings) == {"full body", "face only"}
    assert framings["full body"].detection_map == pytest.approx(groups["head"].detection_map / 2)
    assert (framings["full body"].events.matched, framings["full body"].events.true) == (1, 2)
    assert (found.together.recall, found.alone.recall) == (0.5, 1.0)
    assert found.f1_macro == pytest.approx(2 / 3)


def test_without_windows_there_is_no_detection():
    nothing = EvaluatedRecording(20.0, False, (NOD,), ())
    assert score_recordings([nothing], LABELS[:52], 1, METADATA).detection is None


def test_precision_of_single_windows_by_hand():
    scores = np.array([[0.9], [0.8], [0.8], [0.1]], np.float32)
    shown = np.array([[True], [True], [False], [False]])
    assert window_precisions(scores, shown)[0] == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(window_precisions(scores, np.zeros_like(shown))).all()
