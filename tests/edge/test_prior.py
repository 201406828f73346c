"""How often actions happen, and what that adds to logits."""

import math

import msgspec
import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.prior import TRAINED, UNIFORM, Prior, default_prior, interview, parse_prior, shift_of

MA52 = ModelMetadata(
    name="x",
    layout="ma52",
    streams=("joint",),
    encoding="raw",
    labels=(*ma52_labels(), background_label()),
    background=52,
)
THREE = msgspec.structs.replace(
    MA52, labels=(Label(0, "nod", "head"), background_label(), Label(2, "shrug", "body")), background=1
)


def test_the_interview_knows_every_action_of_the_data_set():
    shift = shift_of(interview(), MA52)
    names = [label.name for label in MA52.labels]
    assert shift[:52].mean() == pytest.approx(0, abs=1e-9)
    assert shift[52] == 0
    difference = shift[names.index("turning head")] - shift[names.index("turning around")]
    assert difference == pytest.approx(math.log(2.566 / 0.01))  # the rarest count as once in 100 minutes


def test_rates_of_training_are_divided_out():
    prior = Prior("here", {"nod": 4.0, "shrug": 1.0})
    trained = msgspec.structs.replace(THREE, rates=(2.0, 1.0, 1.0))
    np.testing.assert_allclose(shift_of(prior, THREE), [math.log(2), 0, -math.log(2)], atol=1e-9)
    np.testing.assert_allclose(shift_of(prior, trained), [math.log(2) / 2, 0, -math.log(2) / 2], atol=1e-9)
    np.testing.assert_allclose(shift_of(UNIFORM, trained), [-math.log(2) / 2, 0, math.log(2) / 2], atol=1e-9)
    assert not shift_of(TRAINED, trained).any()
    never = msgspec.structs.replace(THREE, rates=(1.0, 1.0, 0.0))
    assert np.isfinite(shift_of(prior, never)).all()


def test_the_default_suits_the_model():
    assert default_prior(MA52).name == "interview"
    sigmoid = msgspec.structs.replace(MA52, labels=ma52_labels(), background=None, activation="sigmoid")
    assert default_prior(sigmoid).name == "interview"
    leaning = msgspec.structs.replace(sigmoid, rates=(1.0,) * 52)
    assert default_prior(leaning).name == "trained"  # it learned from a mixture that leans to interviews
    assert default_prior(THREE).name == "trained"
    authors = msgspec.structs.replace(MA52, labels=ma52_labels(), background=None)
    assert default_prior(authors).name == "trained"  # they learned from interviews


def test_a_file_of_frequencies(tmp_path):
    path = tmp_path / "office.csv"
    path.write_text("action,per_minute,note\nnod,3,often\nshrug,0,never\n")
    prior = parse_prior(str(path))
    assert (prior.name, prior.rates) == ("office.csv", {"nod": 3.0, "shrug": 0.0})
    assert np.isfinite(shift_of(prior, THREE)).all()
    assert [parse_prior(name).name for name in ("interview", "uniform", "trained")] == [
        "interview",
        "uniform",
        "trained",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "--prior is interview, uniform, trained or a CSV file"),
        ("id,action\n1,nod\n", "columns action,per_minute"),
        ("action,per_minute\nnod,often\n", "line 2: expected an action"),
        ("action,per_minute\nnod,-1\n", "line 2"),
        ("action,per_minute\nnod,1\nnod,2\n", "line 3"),
        ("action,per_minute\nnod,1,2,3\n,4\n", "line 3"),
    ],
)
def test_files_that_are_no_label_frequencies_are_errors(tmp_path, text, said):
    path = tmp_path / "rates.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(MarEdgeError, match=said):
        parse_prior(str(path))


def test_a_label_without_a_frequency_is_named():
    with pytest.raises(MarEdgeError, match="here lacks 1 of the model's labels, such as 'shrug'"):
        shift_of(Prior("here", {"nod": 1.0}), THREE)
    with pytest.raises(MarEdgeError, match="such as 'shrug'; it has 'shrugg'; did you mean 'shrug'"):
        shift_of(Prior("here", {"nod": 1.0, "x": 1.0, "shrugg": 1.0}), THREE)
