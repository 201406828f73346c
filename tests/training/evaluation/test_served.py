"""Served recordings give the messages that a subscriber would receive, for any batch size."""

from dataclasses import replace

import numpy as np
import pytest
from evaluation_fakes import BACKGROUND, LABELS, ScriptedRecognizer

from mar_edge.edge.data import Skeleton
from mar_edge.edge.layout import load_layout
from mar_edge.streaming.capture.frames import NS, Frame
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.training.evaluation.real_results import evaluate_real
from mar_edge.training.evaluation.served import NO_ACTION, TOP_K, serve_recordings
from mar_edge.training.evaluation.truth import RealRecording, RealSet, TrueAction

ZERO_NS = 1_795_288_668_909_371_342
NODDING = 9
NO_IMAGE = np.zeros((0, 0, 3), np.uint8)
RULES = PipelineRules()


def recording(seconds, moves=(), actions=(), cut_at_s=None, name="a.mp4"):
    """Return a head that moves from ``moves[0]`` to ``moves[1]``; the source breaks off at ``cut_at_s``."""
    layout = load_layout("ma52")
    base = np.random.default_rng(3).uniform(100, 900, (44, 2)).astype(np.float32)
    frames = []
    for i in range(round(seconds * 30)):
        t_s = round(i / 30, 9)
        joints = base.copy()
        if moves and moves[0] <= t_s <= moves[1]:
            joints[list(layout.regions["head"]), 1] += 20 * np.sin(2 * np.pi * 1.5 * (t_s - moves[0]))
        segment = int(cut_at_s is not None and t_s >= cut_at_s)
        people = (Skeleton(joints, np.ones(44, np.float32)),)
        frames.append(Frame(i, ZERO_NS + round(t_s * NS), 0, t_s, NO_IMAGE, segment, people))
    return RealRecording(name, tuple(actions), tuple(frames), ZERO_NS, True, "full body")


def real(*recordings):
    return RealSet("made up, for a test", load_layout("ma52"), recordings)


NOD = TrueAction(2.0, 4.0, "nodding")
SCRIPT = [(2.6, 4.4, NODDING)]


def test_a_nod_is_an_event():
    (served,) = serve_recordings(real(recording(6, (2.0, 4.0), [NOD])), ScriptedRecognizer(SCRIPT), RULES)
    (event,) = served.events
    assert event.label.name == "nodding"
    assert (event.start_s, event.end_s) == pytest.approx((2.0, 4.0), abs=0.3)
    (nodding, *others) = next(one for one in served.labels if 2.6 <= one.t_s <= 4.4).scores.items()
    assert nodding[0] == "nodding"
    assert nodding[1] > 0.9
    assert len(others) == TOP_K - 1
    # Before the first movement the network did not run.
    assert served.labels[0].scores == {NO_ACTION: 1.0}


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_batches_change_nothing(batch):
    recordings = real(recording(6, (2.0, 4.0)), recording(7, (1.0, 7.0), cut_at_s=3.6))
    script = [(2.6, 6.5, NODDING)]
    recognizer = ScriptedRecognizer(script)
    served = serve_recordings(recordings, recognizer, RULES, batch=batch)
    assert served == serve_recordings(recordings, ScriptedRecognizer(script), RULES, batch=3)
    assert len(served[1].events) == 2  # a movement ends at a cut
    assert recognizer.windows_predicted == sum(one.windows.scores.any(axis=1).sum() for one in served)


def test_windows_keep_the_scores_of_the_network():
    recordings, recognizer = real(recording(6, (2.0, 4.0), [NOD])), ScriptedRecognizer(SCRIPT)
    (served,) = serve_recordings(recordings, recognizer, RULES)
    windows = served.windows
    asked = windows.scores.any(axis=1)
    assert 0 < asked.sum() == recognizer.windows_predicted < len(windows)
    inside = (windows.end_s >= 2.6) & (windows.end_s <= 4.4)
    assert (windows.scores[inside].argmax(axis=1) == NODDING).all()
    assert (windows.end_s - windows.start_s).max() == pytest.approx(2.0, abs=0.05)


def test_a_recording_that_was_cut_off_has_no_last_window():
    whole = recording(3.1, (1.0, 3.0))
    cut = replace(whole, ran_out=False)
    asked = []
    for one in (whole, cut):
        recognizer = ScriptedRecognizer([])
        serve_recordings(real(one), recognizer, RULES)
        asked.append(recognizer.windows_predicted)
    assert asked[0] == asked[1] + 1


def test_from_recordings_to_figures():
    idle = recording(6, (2.0, 4.0), name="idle.mp4")
    found = evaluate_real(real(recording(6, (2.0, 4.0), [NOD]), idle), ScriptedRecognizer(SCRIPT))
    assert (found.overall.actions, found.overall.top1, found.reported) == (1, 1, 2)
    assert found.detection.overall.events.matched == 1
    assert [row.name for row in found.detection.labels] == ["nodding"]
    assert found.level("name", 0.3).matched == 1
    assert found.false == {"nodding": 1}
    assert found.false_per_minute == pytest.approx(60 / idle.duration_s)
    assert LABELS[BACKGROUND].name == NO_ACTION
