"""Corrected recordings as truth: only what a coder watched counts."""

import pytest
from corrected_runs import ADDED, CONFIRMED, REJECTED, decision, reviewed, write
from evaluation_fakes import LABELS, METADATA

from mar_edge.edge.errors import MarEdgeError
from mar_edge.training.evaluation.corrected import open_corrected
from mar_edge.training.evaluation.real_results import score_real
from mar_edge.training.evaluation.served import Served, ServedEvent

NAMED = {label.name: label for label in LABELS}


def event(name, start_s, end_s):
    return ServedEvent(NAMED[name], start_s, end_s, 0.9)


def test_only_reviewed_stretches_count(tmp_path):
    write(tmp_path, CONFIRMED, REJECTED, ADDED, reviewed(0.0, 5.0), reviewed(7.0, 12.5))
    real = open_corrected(tmp_path)
    [one] = real.recordings
    assert [(action.label, action.start_s) for action in one.actions] == [("nodding", 2.0), ("shaking head", 11.0)]
    assert one.known_s == 10.5
    assert max(frame.media_s for frame in one.frames) <= 17.5
    events = (
        event("nodding", 2.1, 4.0),  # true
        event("shaking head", 8.0, 10.0),  # the coder rejected it
        event("nodding", 5.5, 6.5),  # nobody watched
        event("nodding", 14.0, 16.0),
    )
    found = score_real(real, [Served((), events)], METADATA)
    level = found.level("name", 0.5)
    assert (found.reported, level.matched, level.recall) == (2, 1, 0.5)
    assert found.stray == 1
    assert found.minutes == pytest.approx(10.5 / 60)


def test_an_event_that_nobody_decided_about_is_not_false(tmp_path):
    write(tmp_path, CONFIRMED, reviewed(0.0, 20.0))
    real = open_corrected(tmp_path)
    events = (event("nodding", 14.2, 16.0), event("shaking head", 14.2, 16.0))
    found = score_real(real, [Served((), events)], METADATA)
    assert (found.reported, found.stray) == (1, 1)


def test_each_person_and_coder_is_a_recording(tmp_path):
    other = reviewed(0.0, 4.0, coder="Bea", person=0)
    write(tmp_path, CONFIRMED, reviewed(0.0, 20.0), other, participants={"a.jsonl": "P1"})
    real = open_corrected(tmp_path)
    assert [one.known for one in real.recordings] == [((0.0, 20.0),), ((0.0, 4.0),)]
    assert [len(one.actions) for one in real.recordings] == [1, 0]
    assert {one.origin.participant for one in real.recordings} == {"P1"}
    assert "1 participant" in real.name


def test_participants(tmp_path):
    rows = [reviewed(0.0, 5.0, recording=f"{name}.jsonl") for name in "ab"]
    unwatched = decision("confirmed", 1, 2.0, 4.0, recording="c.jsonl")
    write(tmp_path, *rows, unwatched)
    real = open_corrected(tmp_path)
    assert [one.name for one in real.recordings] == ["a.jsonl", "b.jsonl"]
    assert "1 without a reviewed stretch left out" in real.name
    [one] = open_corrected(tmp_path, ["b"]).recordings
    assert one.name == "b.jsonl"
    assert len(open_corrected(tmp_path, ["b"]).there) == 3


def test_without_a_reviewed_stretch_there_is_no_truth(tmp_path):
    with pytest.raises(MarEdgeError, match="no stretch is marked as reviewed"):
        open_corrected(write(tmp_path, CONFIRMED))
