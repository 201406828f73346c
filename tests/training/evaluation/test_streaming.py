"""A scripted recognizer in the real pipeline: the figures that follow."""

import functools

import msgspec
import numpy as np
import pytest
from evaluation_fakes import BACKGROUND, LABELS, METADATA, FakeRuntime, ScriptedRecognizer

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import default_model_path
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.training.evaluation.models import ModelSource
from mar_edge.training.evaluation.stream_results import score_recordings
from mar_edge.training.evaluation.streaming import Take, evaluate_recording, evaluate_takes, plan_takes
from mar_edge.training.synth.events import TrueEvent
from mar_edge.training.synth.recording import Recording, record

FPS = 30
NODDING, SHAKING_HEAD, WAVING, SHRUGGING = 9, 10, 19, 2
NODS = [(3.0, 5.0), (10.0, 12.0)]
SHRUG = (16.0, 18.0)
# The script's score rises half a second after the onset, and falls after the offset.
SEEN_AFTER_S, SEEN_LONGER_S = 0.5, 0.4


def seen(span, index):
    return span[0] + SEEN_AFTER_S, span[1] + SEEN_LONGER_S, index


def footage(seconds, moves, events=()):
    """Return a person who sits still, and moves head and shoulders during ``moves``."""
    layout = load_layout("ma52")
    base = np.random.default_rng(3).uniform(100, 900, (44, 2))
    t = np.arange(round(seconds * FPS)) / FPS
    joints = np.tile(base, (len(t), 1, 1)).astype(np.float32)
    moving = [*layout.regions["head"], *layout.regions["trunk"]]
    for start, end in moves:
        sway = np.where((t >= start) & (t <= end), np.sin(2 * np.pi * 1.5 * (t - start)), 0)
        joints[:, moving, 1] += 20 * sway[:, None].astype(np.float32)
    return Recording(t, joints, np.ones((len(t), 44), np.float32), (1000, 1000), list(events))


NODDED = [TrueEvent(LABELS[NODDING], *span) for span in NODS]
SHRUGGED = TrueEvent(LABELS[SHRUGGING], *SHRUG)
SCRIPT = [seen(NODS[0], NODDING), seen(NODS[1], NODDING), seen(SHRUG, SHAKING_HEAD)]


@functools.cache
def acted():
    """Evaluate two nods, recognized correctly, and a shrug that is predicted as a shake of the head."""
    return evaluate_recording(
        footage(21, [*NODS, SHRUG], [*NODDED, SHRUGGED]), ScriptedRecognizer(SCRIPT), PipelineRules()
    )


def test_events_are_those_of_the_pipeline():
    assert [event.label.name for event in acted().live] == ["nodding", "nodding", "shaking head"]
    for event, (start_s, end_s) in zip(acted().live, [*NODS, SHRUG], strict=True):
        # Times come from the motion inside the windows, not from the times of inference.
        assert event.t_start_s == pytest.approx(start_s, abs=0.25)
        assert event.t_end_s == pytest.approx(end_s, abs=0.35)
        # The probability has to hold for a stride before the event is reported.
        assert start_s + SEEN_AFTER_S < event.t_reported_s < start_s + 1.5
        assert event.score > 0.5
    assert acted().duration_s == pytest.approx(21, abs=0.1)


def test_figures():
    found = score_recordings([acted()], LABELS[:52], seed=1)
    by_action = {row.min_tiou: row.events for row in found.levels if row.level == "action"}
    assert list(by_action) == [0.5, 0.3, 0.1]
    assert (by_action[0.5].true, by_action[0.5].live, by_action[0.5].matched) == (3, 3, 2)
    assert by_action[0.5].precision == by_action[0.5].recall == by_action[0.5].f1 == pytest.approx(2 / 3)
    delays = [event.t_reported_s - start for event, (start, _) in zip(acted().live, NODS, strict=False)]
    assert found.delay_median_s == pytest.approx(np.median(delays))
    assert found.delay_p90_s == pytest.approx(np.quantile(delays, 0.9))
    off = [(e.t_start_s - start, e.t_end_s - end) for e, (start, end) in zip(acted().live, NODS, strict=False)]
    assert (found.start_off_s, found.end_off_s) == pytest.approx(tuple(np.median(off, axis=0)))
    assert found.minutes == pytest.approx(21 / 60, rel=0.01)
    assert found.false_per_minute == pytest.approx(1 / found.minutes)
    assert (found.idle_minutes, found.idle_per_minute) == (0, None)
    rows = {row.name: row for row in found.actions}
    nodding, shaking, shrugging = (rows[name] for name in ("nodding", "shaking head", "shrugging"))
    assert (nodding.events.matched, nodding.events.f1) == (2, 1)
    assert (shaking.events.true, shaking.events.live, shaking.events.precision, shaking.events.recall) == (
        0,
        1,
        0,
        None,
    )
    assert (shrugging.events.true, shrugging.events.live, shrugging.delay_median_s) == (1, 0, None)
    assert len(found.actions) == 52


def test_a_wrong_action_of_the_same_body_group_matches_by_body_group():
    head_shaken = TrueEvent(LABELS[SHAKING_HEAD], *NODS[0])
    recording = footage(7, NODS[:1], [head_shaken])
    found = score_recordings(
        [evaluate_recording(recording, ScriptedRecognizer(SCRIPT), PipelineRules())], LABELS[:52], seed=1
    )
    matched = {row.level: row.events.matched for row in found.levels if row.min_tiou == 0.5}
    assert matched == {"action": 0, "body group": 1}


def test_footage_in_pieces_is_counted_together():
    pieces = [
        evaluate_recording(footage(7, NODS[:1], NODDED[:1]), ScriptedRecognizer(SCRIPT), PipelineRules()),
        evaluate_recording(footage(7, []), ScriptedRecognizer([]), PipelineRules()),
    ]
    found = score_recordings(pieces, LABELS[:52], seed=1)
    assert found.levels[0].events.f1 == 1
    assert found.minutes == pytest.approx(14 / 60, rel=0.02)


FALSE_ALARM = [(5.0, 6.5, NODDING)]


def test_idle_footage_counts_every_event():
    evaluated = evaluate_recording(footage(10, [(4.5, 6)]), ScriptedRecognizer(FALSE_ALARM), PipelineRules(), idle=True)
    found = score_recordings([acted(), evaluated], LABELS[:52], seed=1)
    assert found.idle_per_minute == pytest.approx(6, rel=0.01)
    assert next(row.idle for row in found.actions if row.name == "nodding") == 1
    assert found.levels == score_recordings([acted()], LABELS[:52], seed=1).levels


def test_the_motion_gate_is_part_of_the_evaluation():
    still, recognizer = footage(10, []), ScriptedRecognizer(FALSE_ALARM)
    evaluate_recording(still, recognizer, PipelineRules())
    assert recognizer.windows_predicted == 0
    evaluate_recording(still, recognizer, PipelineRules(motion_gate=None))
    assert recognizer.windows_predicted > 0


def test_an_event_needs_a_movement_of_its_region():
    """Head and shoulders move, so a wave is not reported."""
    moved = footage(10, [(4.5, 6)])
    waved = ScriptedRecognizer([(start, end, WAVING) for start, end, _ in FALSE_ALARM])
    assert evaluate_recording(moved, waved, PipelineRules()).live == ()
    assert len(evaluate_recording(moved, ScriptedRecognizer(FALSE_ALARM), PipelineRules()).live) == 1


def test_an_event_that_the_end_cuts_off_counts():
    evaluated = evaluate_recording(footage(4.6, NODS[:1]), ScriptedRecognizer(SCRIPT), PipelineRules())
    assert [event.t_end_s for event in evaluated.live] == [pytest.approx(4.6, abs=0.1)]


def test_frames_without_people_are_as_in_live_use():
    recording = footage(9, [(3.0, 8.0)])
    recording.joints[150:180] = np.nan  # a second, in the middle of the nod
    assert len(evaluate_recording(recording, ScriptedRecognizer([(0, 9, NODDING)]), PipelineRules()).live) == 2


def test_without_events_there_are_no_figures():
    found = score_recordings(
        [evaluate_recording(footage(3, []), ScriptedRecognizer([]), PipelineRules())], LABELS[:52], seed=1
    )
    events = found.levels[0].events
    assert (events.precision, events.recall, events.f1) == (None, None, None)
    assert (found.delay_median_s, found.delay_p90_s, found.false_per_minute) == (None, None, 0)


def test_takes_are_a_minute_or_less_and_share_no_seed():
    takes = plan_takes(METADATA, 2.5, 1.0, seed=3)
    assert [(take.duration_s, take.idle) for take in takes] == [(50, False)] * 3 + [(60, True)]
    other = plan_takes(METADATA, 2.5, 1.0, seed=4)
    assert len({take.seed for take in (*takes, *other)}) == 8
    assert BACKGROUND not in {label.id for label in takes[0].labels}
    assert plan_takes(METADATA, 0.0, 0.5, seed=3) == (Take(takes[3].seed, 30, True, takes[0].labels),)


def test_takes_have_actions_that_the_model_knows():
    few = msgspec.structs.replace(METADATA, labels=(LABELS[NODDING], LABELS[BACKGROUND]), background=1)
    assert [label.name for label in plan_takes(few, 1.0, 0.0, seed=1)[0].labels] == ["nodding"]
    none = msgspec.structs.replace(METADATA, labels=(LABELS[BACKGROUND],), background=0)
    with pytest.raises(MarEdgeError, match="none of the actions"):
        plan_takes(none, 1.0, 0.0, seed=1)
    with pytest.raises(MarEdgeError, match="takes imigue ones"):
        plan_takes(msgspec.structs.replace(METADATA, layout="imigue"), 1.0, 0.0, seed=1)


def test_true_events_of_unknown_labels_are_left_out():
    few = msgspec.structs.replace(METADATA, labels=(LABELS[WAVING], LABELS[BACKGROUND]), background=1)
    recognizer = WindowRecognizer(FakeRuntime(np.zeros((1, 2), np.float32), few), "fake")
    recording = footage(2, [], [*NODDED, TrueEvent(LABELS[WAVING], 0.5, 1.0)])
    assert [event.label.name for event in evaluate_recording(recording, recognizer, PipelineRules()).true] == ["waving"]


@pytest.mark.timeout(120)
def test_recordings_are_evaluated_in_processes():
    """Compare processes with this one, on the package's model and generated recordings."""
    source = ModelSource((default_model_path(),), threads=1)
    with source.open(load_layout("ma52")) as recognizer:
        takes = plan_takes(recognizer.metadata, 0.2, 0.1, seed=5)
        here = [
            evaluate_recording(
                record(t.seed, duration_s=t.duration_s, idle=t.idle, labels=t.labels), recognizer, PipelineRules()
            )
            for t in takes
        ]
    steps = []
    there = evaluate_takes(source, PipelineRules(), takes, lambda *step: steps.append(step))
    assert steps == [("recordings", 1, 2), ("recordings", 2, 2)]
    assert [one.idle for one in there] == [False, True]
    assert [(one.true, one.live) for one in there] == [(one.true, one.live) for one in here]
    assert there[0].true
    assert not there[1].true
