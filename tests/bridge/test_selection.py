from __future__ import annotations

import pytest
from brokers import HELLO, LABEL, STATUS, event

from mar_edge.bridge.selection import Selection
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.messages import HelloMessage


@pytest.mark.parametrize(
    ("selection", "passes"),
    [
        (Selection(), True),
        (Selection(labels=frozenset({"nodding", "waving"})), True),
        (Selection(labels=frozenset({"waving"})), False),
        (Selection(bodies=frozenset({"head"})), True),
        (Selection(bodies=frozenset({"hands"})), False),
        (Selection(labels=frozenset({"nodding"}), bodies=frozenset({"hands"})), False),
        (Selection(least_score=0.9), True),
        (Selection(least_score=0.91), False),
    ],
)
def test_events_and_labels_are_filtered_by_label_body_and_score(selection: Selection, passes: bool) -> None:
    assert selection.passes(event(0)) is passes  # a nod of the head, 0.9
    assert selection.passes(LABEL) is passes
    assert selection.passes(STATUS)


def test_phases_are_of_events() -> None:
    ends = Selection(phases=frozenset({"end"}))
    assert [ends.passes(event(0, phase=phase)) for phase in ("begin", "update", "end")] == [False, False, True]
    assert ends.passes(LABEL)


def test_names_that_the_sender_does_not_have_are_reported() -> None:
    assert isinstance(HELLO, HelloMessage)
    wrong = Selection(labels=frozenset({"noding", "nodding"}), bodies=frozenset({"head", "leg"}))
    assert wrong.unknown(HELLO) == [
        "the sender has no label 'noding'; did you mean 'nodding'?",
        "the sender has no body group 'leg'",
    ]
    with pytest.raises(MarEdgeError, match="from 0 to 1"):
        Selection(least_score=float("nan"))
