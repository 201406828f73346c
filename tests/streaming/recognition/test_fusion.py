"""Scores of two models as one: the formula, by hand, and what each kind of network means in it."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from streaming_fakes import LAYOUT, nod

from mar_edge.edge.data import Answer, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.prior import UNIFORM
from mar_edge.streaming.recognition.answers import AnswerScorer, Heard
from mar_edge.streaming.recognition.fusion import Fusion
from mar_edge.streaming.recognition.fusion_rules import FusionRules

NOD, SHAKE, TURN, NONE = (Label(i, name, "head") for i, name in enumerate(("nod", "shake", "turn", "no action")))


def model(*labels: Label, background: int | None = None, **others: Any) -> ModelMetadata:
    return ModelMetadata(name="m", layout="ma52", labels=labels, background=background, **others)


def scores(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


SIGMOID = model(NOD, SHAKE, TURN, activation="sigmoid")
PICTURES = model(SHAKE, NOD, family="manet")


def test_the_mean_of_logarithms_by_weight() -> None:
    """nod 0.8, shake 0.4; pictures: nod 0.2, shake 0.6, thus 1/3 and 1 of the best, times 0.8."""
    fused = Fusion(SIGMOID, PICTURES, 0.25).fused(scores(0.8, 0.4, 0.1), scores(0.6, 0.2))
    assert fused[0] == pytest.approx(0.8**0.75 * (0.8 / 3) ** 0.25)
    assert fused[1] == pytest.approx(0.4**0.75 * 0.8**0.25)
    assert fused[2] == pytest.approx(0.1)  # only skeletons have it


def test_two_that_agree_keep_the_score_and_two_that_disagree_lose_it() -> None:
    fusion = Fusion(SIGMOID, PICTURES, 0.5)
    agreed = fusion.fused(scores(0.95, 0.1, 0.0), scores(0.1, 0.3))
    assert agreed[0] == pytest.approx(0.95)
    apart = fusion.fused(scores(0.95, 0.1, 0.0), scores(0.99, 0.01))
    assert max(apart) < 0.5


@pytest.mark.parametrize(("weight", "expected"), [(0.0, (0.8, 0.4)), (1.0, (0.8 / 3, 0.8))])
def test_the_ends_of_the_weight(weight: float, expected: tuple[float, float]) -> None:
    fused = Fusion(SIGMOID, PICTURES, weight).fused(scores(0.8, 0.4, 0.1), scores(0.6, 0.2))
    assert fused[:2] == pytest.approx(expected)


def test_no_action_is_said_by_skeletons_alone() -> None:
    """Also where the model of pictures has such a label, and is sure of it."""
    skeletons = model(NOD, SHAKE, NONE, background=2)
    pictures = model(NONE, SHAKE, NOD, background=0, family="manet")
    fused = Fusion(skeletons, pictures, 0.5).fused(scores(0.3, 0.1, 0.7), scores(0.98, 0.01, 0.01))
    assert fused[2] == pytest.approx(0.7)
    assert fused[0] == pytest.approx(0.3)  # the best of skeletons, and no less likely than any other to pictures
    assert fused[1] == pytest.approx(math.sqrt(0.1 * 0.3))


def test_a_label_that_only_pictures_have_takes_from_the_others() -> None:
    other = model(SHAKE, NOD, Label(9, "juggling", "hand"), family="manet")
    fused = Fusion(SIGMOID, other, 0.5).fused(scores(0.8, 0.4, 0.1), scores(0.1, 0.1, 0.8))
    assert fused[0] == pytest.approx(0.8 * math.sqrt(1 / 8))


def test_what_cannot_be_seen_stays_impossible() -> None:
    fused = Fusion(SIGMOID, PICTURES, 1.0).fused(scores(0.0, 0.4, 0.1), scores(0.1, 0.9))
    assert fused[0] == 0.0
    nothing = Fusion(SIGMOID, PICTURES, 0.5).fused(scores(0.8, 0.4, 0.1), scores(0.0, 0.0))
    assert nothing == pytest.approx(scores(0.8, 0.4, 0.1))


def test_models_without_a_common_label_are_refused() -> None:
    with pytest.raises(MarEdgeError, match="share no label"):
        Fusion(SIGMOID, model(Label(9, "juggling", "hand"), family="manet"), 0.5)
    with pytest.raises(MarEdgeError, match="share no label"):  # nothing happening is none
        Fusion(model(NOD, NONE, background=1), model(NONE, SHAKE, family="manet"), 0.5)


@pytest.mark.parametrize("wrong", [{"weight": 1.1}, {"weight": math.nan}, {"every_s": 0.0}, {"holds_s": -1.0}])
def test_rules_out_of_range_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(MarEdgeError, match=rf"\[fusion\]: {next(iter(wrong))} is"):
        FusionRules(**wrong)


def window(end_s: float) -> Window:
    times_s = np.linspace(end_s - 2.0, end_s, 60)
    return Window(np.stack([nod()(t_s) for t_s in times_s]), times_s)


def answer(end_s: float) -> Answer:
    return Answer(person=0, scores={"shake": 0.25, "nod": 0.75}, start_s=end_s - 2.0, end_s=end_s, infer_s=0.1)


def test_an_answer_counts_for_a_second_and_no_longer_than_its_pictures_overlap() -> None:
    heard = Heard(PICTURES, UNIFORM, holds_s=1.0)
    heard.hear(answer(4.5), 5.0)
    said = heard.said_of(window(6.0), ("head",))
    assert said is not None
    assert said.probs == pytest.approx([0.25, 0.75])
    assert said.age_s == pytest.approx(1.5)
    assert heard.said_of(window(6.01), ("head",)) is None
    heard.hear(answer(4.5), 6.2)  # slow: its pictures end 2 s before 6.5 s
    assert heard.said_of(window(6.4), ("head",)) is not None
    assert heard.said_of(window(6.6), ("head",)) is None
    heard.clear()
    assert heard.said_of(window(6.4), ("head",)) is None


def test_prior_and_visibility_hold_for_pictures_too() -> None:
    legs = msgspec.structs.replace(PICTURES, labels=(SHAKE, NOD, Label(30, "crossing legs", "lower limb")))
    heard = Heard(legs, UNIFORM, holds_s=1.0)
    heard.hear(Answer(0, {"shake": 0.1, "nod": 0.2, "crossing legs": 0.7}, 3.0, 5.0, 0.1), 5.0)
    hidden, seen = heard.said_of(window(5.0), ("head",)), heard.said_of(window(5.0), ("head", "legs"))
    assert hidden is not None
    assert seen is not None
    assert (hidden.probs[2], seen.probs[2]) == (0.0, pytest.approx(0.7))


def test_pictures_alone_know_nothing_until_the_first_answer() -> None:
    heard = Heard(PICTURES, None, holds_s=1.0)
    scorer = AnswerScorer(heard, LAYOUT)
    moving = window(5.0)
    (before,) = scorer.score([moving], [moving])
    assert (before.probs, before.waiting) == (None, True)
    heard.hear(answer(4.9), 5.0)
    (after,) = scorer.score([moving], [moving])
    assert after.probs == pytest.approx([0.25, 0.75])
    assert after.said[0].family == "manet"
    (still,) = scorer.score([moving], [])
    assert (still.probs, still.waiting) == (None, False)
