"""Recordings that a model has seen in training, and what a report says of them."""

from mar_edge.training.evaluation.summary import trained_on_sentences
from mar_edge.training.evaluation.trained_on import Origin, TrainedOn, compare

THERE = [Origin("f1", "P1"), Origin("f2", "P1"), Origin("f3", "P2"), Origin("f4", "P3")]


def test_whoever_is_in_one_seen_recording_is_seen_in_all():
    found = compare(["f1", "elsewhere"], [THERE[1], THERE[2], THERE[3]], THERE)
    assert found == TrainedOn(recordings=3, seen=1, others=("P2", "P3"))
    # Evaluated for two coders, or for two people, a recording counts once.
    assert compare(["f3"], [THERE[2], THERE[2]], THERE) == TrainedOn(recordings=1, seen=1, others=())


def test_sentences():
    assert trained_on_sentences(TrainedOn(recordings=2, seen=0, others=("P1", "P2")))[0].endswith(": 0 of 2.")
    warning = trained_on_sentences(TrainedOn(recordings=3, seen=1, others=("P2", "P3")))[0]
    assert warning.startswith("Warning: 1 of 3 recordings show people that the model was trained on")
    assert warning.endswith("Evaluate the others: --participants P2,P3")
    assert trained_on_sentences(TrainedOn(recordings=1, seen=1))[0].endswith("Evaluate recordings of other people.")
