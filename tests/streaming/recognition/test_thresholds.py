from __future__ import annotations

import math
from typing import Any

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, background_label
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.streaming.recognition.thresholds import LabelChoice, Thresholds, resolve

LABELS = (Label(9, "nodding", "head"), Label(10, "shaking head", "head"), Label(2, "shrugging", "body"))


def model(**fields: Any) -> ModelMetadata:
    return ModelMetadata(
        name="x",
        layout="ma52",
        streams=("joint",),
        encoding="motion",
        **{"labels": (*LABELS, background_label()), "background": 3, **fields},
    )


def wanted(thresholds: Thresholds) -> list[bool]:
    return [bool(flag) for flag in thresholds.wanted]


def test_without_a_choice_the_threshold_is_one_half_for_all_but_the_background() -> None:
    found = resolve(model(), None, None, LabelChoice())
    assert found.on.tolist() == [0.5, 0.5, 0.5, math.inf]
    assert found.off.tolist() == pytest.approx([0.15, 0.15, 0.15, math.inf])


def test_the_models_own_thresholds_apply_unless_the_user_sets_others() -> None:
    own = model(thresholds=(0.4, 0.6, 0.8, 1.0))
    assert resolve(own, None, None, LabelChoice()).on.tolist() == [0.4, 0.6, 0.8, math.inf]
    assert resolve(own, 0.7, None, LabelChoice()).on.tolist() == [0.7, 0.7, 0.7, math.inf]
    assert resolve(own, None, 0.5, LabelChoice()).off.tolist() == [0.4, 0.5, 0.5, math.inf]


def test_an_actions_own_threshold_wins_over_its_groups_whatever_their_order() -> None:
    for on in ({"head": 0.9, "nodding": 0.2}, {"nodding": 0.2, "head": 0.9}, {"head": 0.9, "9": 0.2}):
        assert resolve(model(), 0.5, None, LabelChoice(on=on)).on.tolist() == [0.2, 0.9, 0.5, math.inf]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [True, True, True]),
        ("head", [True, True, False]),
        ("nodding,2", [True, False, True]),
        ("head, -nodding", [False, True, False]),
        ("-head", [False, False, True]),
        ("-shaking head,-shrugging", [True, False, False]),
    ],
)
def test_labels_by_name_id_or_group(text: str, expected: list[bool]) -> None:
    assert wanted(resolve(model(), None, None, LabelChoice.parse(text))) == [*expected, False]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (LabelChoice(only=("waving",)), "no label or body group 'waving'; body groups: body, head"),
        (LabelChoice(never=("99",)), "no label or body group '99'"),
        (LabelChoice(on={"nose": 0.5}), "no label or body group 'nose'"),
        (LabelChoice(only=("nodding",), never=("head",)), "leaves none"),
        (LabelChoice(only=("no action",)), "leaves none"),
    ],
)
def test_unknown_or_empty_choices_are_errors(choice: LabelChoice, message: str) -> None:
    with pytest.raises(MarEdgeError, match=message):
        resolve(model(), None, None, choice)


@pytest.mark.parametrize("value", [0.0, 1.5, math.nan])
def test_thresholds_out_of_range(value: float) -> None:
    with pytest.raises(MarEdgeError, match="that of 'nodding' is more than 0 and at most 1"):
        LabelChoice(on={"nodding": value})


@pytest.mark.parametrize("text", ["nodding,,head", "-", "head,- ", ","])
def test_lists_with_a_hole(text: str) -> None:
    with pytest.raises(MarEdgeError, match="--labels is a list"):
        LabelChoice.parse(text)
