"""Figures on real recordings, counted by hand."""

import msgspec
import numpy as np
import pytest
from evaluation_fakes import LABELS, METADATA
from hypothesis import given, settings
from hypothesis import strategies as st

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.streaming.capture.frames import Frame
from mar_edge.training.evaluation.real_results import check_fits, score_real
from mar_edge.training.evaluation.served import NO_ACTION, Served, ServedEvent, ServedLabels
from mar_edge.training.evaluation.truth import RealRecording, RealSet, TrueAction

NAMED = {label.name: label for label in LABELS}
NO_IMAGE = np.zeros((0, 0, 3), np.uint8)


def recording(*actions, framing="full body"):
    """Return a minute with these actions."""
    return RealRecording("a.mp4", actions, (Frame(0, 0, 0, 60.0, NO_IMAGE),), 0, True, framing)


def real(*recordings):
    return RealSet("fake", load_layout("ma52"), recordings)


def labels(t_s, **scores):
    return ServedLabels(t_s, {name.replace("_", " "): score for name, score in scores.items()})


def event(name, start_s, end_s, score=0.9):
    return ServedEvent(NAMED[name], start_s, end_s, score)


def score_one(action, *predicted, events=()):
    return score_real(real(recording(action)), [Served(predicted, events)], METADATA)


NOD = TrueAction(10.0, 12.0, "nodding", ("shaking head",), "medium")


def test_ranks_are_those_of_the_mean_over_the_action():
    found = score_one(
        NOD,
        labels(10.2, waving=1.0),  # before 0.3 s of it were seen
        labels(10.4, shaking_head=0.6, nodding=0.3),
        labels(12.4, waving=0.5, nodding=0.4),
        labels(12.6, waving=1.0),  # after 0.5 s
    )
    # nodding 0.35, shaking head 0.30, waving 0.25
    assert (found.overall.top1, found.overall.deployed, found.overall.body1) == (1, 1, 1)
    assert found.mistakes == ()


def test_another_correct_name_is_counted_separately():
    found = score_one(NOD, labels(11.0, shaking_head=0.6, nodding=0.3))
    assert (found.overall.top1, found.overall.top3, found.overall.any_top1) == (0, 1, 1)
    assert found.mistakes == ()  # an accepted name is not a mistake


def test_no_action_is_predicted_as_deployed_only():
    found = score_one(NOD, ServedLabels(11.0, {NO_ACTION: 0.9, "nodding": 0.1}))
    assert (found.overall.top1, found.overall.deployed) == (1, 0)
    (mistake,) = found.mistakes
    assert (mistake.true, mistake.predicted, mistake.count) == ("nodding", NO_ACTION, 1)


def test_labels_that_were_not_sent_rank_in_the_order_of_the_model():
    """Rank labels that are in no message, which holds only the five best, in the order of the model."""
    found = score_one(TrueAction(10, 12, "shaking body"), labels(11.0, waving=1.0))
    assert (found.overall.top1, found.overall.top3, found.overall.body1) == (0, 1, 0)


def test_a_late_window_is_used_if_there_is_no_other():
    assert score_one(NOD, labels(13.0, nodding=1.0), labels(13.1, waving=9.0)).overall.top1 == 1
    late = score_one(NOD, labels(13.3, nodding=1.0))
    assert (late.overall.actions, late.overall.top1, late.overall.without_window) == (1, 0, 1)


def test_body_groups_add_up():
    found = score_one(NOD, labels(11.0, waving=0.4, head_up=0.3, tilting_head=0.3))
    assert (found.overall.body1, found.overall.top1) == (1, 0)


def test_events_match_by_name_any_correct_name_and_body_group():
    # Overlaps of 0.5, 0.8 and 0.6 with the nod; the last touches nothing.
    events = (
        event("nodding", 10, 11),
        event("shaking head", 10.4, 12),
        event("head up", 10.8, 12),
        event("waving", 30, 31),
    )
    found = score_one(NOD, events=events)
    matched = {(row.by, row.min_tiou): row.matched for row in found.events}
    assert matched == {
        ("name", 0.3): 1,
        ("name", 0.5): 1,
        ("any correct name", 0.3): 1,
        ("any correct name", 0.5): 1,
        ("body group", 0.3): 1,
        ("body group", 0.5): 1,
    }
    level = found.level("name", 0.3)
    assert (level.precision, level.recall, level.f1) == (0.25, 1.0, pytest.approx(0.4))
    assert (found.stray, found.stray_per_minute) == (1, 1.0)
    assert score_one(NOD, events=(event("nodding", 10, 10.8),)).level("name", 0.5).matched == 0
    assert score_one(NOD, events=(event("nodding", 10, 10.8),)).level("name", 0.3).matched == 1
    assert score_one(NOD, events=(event("head up", 10, 12),)).level("name", 0.3).matched == 0


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)), max_size=6))
@settings(deadline=None, max_examples=40)
def test_no_event_and_no_action_counts_twice(spans):
    events = tuple(event("nodding", start, start + length) for start, length in spans)
    actions = [TrueAction(start, start + length, "nodding") for start, length in spans[::2]]
    found = score_real(real(recording(*actions)), [Served((), events)], METADATA)
    assert all(row.matched == len(actions) for row in found.events)


def test_false_events_are_those_in_recordings_without_actions():
    served = [Served((), (event("waving", 1, 2),)), Served((), (event("waving", 1, 2), event("nodding", 5, 6)))]
    found = score_real(real(recording(NOD), recording()), served, METADATA)
    assert (found.minutes, found.nothing_minutes) == (1.0, 1.0)
    assert found.false == {"waving": 1, "nodding": 1}
    assert (found.false_per_minute, found.stray) == (2.0, 1)
    assert found.reported == 3


def test_figures_by_framing_body_group_and_confidence():
    recordings = real(recording(NOD, framing="face only"), recording(TrueAction(1, 2, "waving")))
    served = [Served((labels(11.0, nodding=1.0),), ()), Served((labels(2.0, nodding=1.0),), ())]
    found = score_real(recordings, served, METADATA)
    for rows, expected in (
        (found.framings, {"full body": 0, "face only": 1}),
        (found.groups, {"head": 1, "upper limb": 0}),
        (found.confidences, {"medium": 1, "high": 0}),
    ):
        assert {row.name: row.top1 for row in rows} == expected
        assert [row.actions for row in rows] == [1, 1]


def test_a_model_without_no_action():
    metadata = msgspec.structs.replace(METADATA, labels=LABELS[:52], background=None)
    gated = ServedLabels(11.0, {NO_ACTION: 1.0})
    found = score_real(real(recording(NOD)), [Served((gated, labels(11.2, nodding=0.2)), ())], metadata)
    assert (found.overall.top1, found.overall.deployed) == (1, 1)


def test_actions_that_a_model_does_not_know():
    metadata = msgspec.structs.replace(METADATA, labels=LABELS[19:], background=33)
    recordings = real(recording(NOD, TrueAction(1, 2, "waving")))
    with pytest.raises(MarEdgeError, match=r"does not know 'nodding'; .* --known-only"):
        check_fits(recordings, metadata, known_only=False)
    with pytest.raises(MarEdgeError, match="did you mean 'waving'"):
        check_fits(real(recording(TrueAction(1, 2, "wavin"))), METADATA, known_only=False)
    check_fits(recordings, metadata, known_only=True)
    found = score_real(recordings, [Served((), ())], metadata)
    assert (found.unknown, found.overall.actions) == (1, 1)
    with pytest.raises(MarEdgeError, match="takes imigue ones"):
        check_fits(recordings, msgspec.structs.replace(METADATA, layout="imigue"), known_only=False)
