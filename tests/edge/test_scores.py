"""Scores of each kind of network, counted by hand."""

import msgspec
import numpy as np
import pytest

from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.scores import adjusted, scores_of

SOFTMAX = ModelMetadata(
    name="x",
    layout="ma52",
    streams=("joint",),
    encoding="raw",
    labels=tuple(Label(i, name, "") for i, name in enumerate(("nod", "shrug", "nothing"))),
    temperature=2.0,
)
WITH_NOTHING = msgspec.structs.replace(SOFTMAX, background=2)
SIGMOID = msgspec.structs.replace(SOFTMAX, activation="sigmoid")
LOGITS = np.array([[4.0, 2.0, 1.0], [-1.0, -60.0, 90.0]], np.float32)
EVERYTHING = np.ones((2, 3), bool)


def sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z, np.float64)))


def test_a_label_of_a_softmax_network_is_compared_with_the_background_alone():
    scores = scores_of(LOGITS, WITH_NOTHING)
    np.testing.assert_allclose(scores[0], [sigmoid(1.5), sigmoid(0.5), 1 - sigmoid(1.5)], atol=1e-6)
    assert scores.sum(axis=1)[0] > 1  # two may be likely together
    others = LOGITS.copy()
    others[0, 1] = 9.0
    assert scores_of(others, WITH_NOTHING)[0, 0] == scores[0, 0]


def test_other_networks_keep_their_activation():
    np.testing.assert_allclose(scores_of(LOGITS, SIGMOID), sigmoid(LOGITS / 2), atol=1e-6)
    softmax = np.exp(LOGITS[0] / 2) / np.exp(LOGITS[0] / 2).sum()
    np.testing.assert_allclose(scores_of(LOGITS, SOFTMAX)[0], softmax, atol=1e-6)


@pytest.mark.parametrize("metadata", [SOFTMAX, WITH_NOTHING, SIGMOID], ids=["softmax", "background", "sigmoid"])
def test_a_shift_is_as_if_it_were_added_to_the_logits(metadata):
    shift = np.array([1.0, -2.0, 0.0])
    at_once = scores_of(LOGITS + np.float32(2.0) * shift.astype(np.float32), metadata)
    np.testing.assert_allclose(adjusted(scores_of(LOGITS, metadata), shift, EVERYTHING, metadata), at_once, atol=1e-6)


@pytest.mark.parametrize("metadata", [SOFTMAX, WITH_NOTHING, SIGMOID], ids=["softmax", "background", "sigmoid"])
def test_without_shift_and_mask_nothing_changes(metadata):
    scores = scores_of(LOGITS, metadata)
    np.testing.assert_allclose(adjusted(scores, np.zeros(3), EVERYTHING, metadata), scores, rtol=1e-6)


def test_a_masked_label_has_the_score_0_and_the_background_a_higher_one():
    detectable = np.array([[False, True, True]] * 2)
    scores = adjusted(scores_of(LOGITS, WITH_NOTHING), np.zeros(3), detectable, WITH_NOTHING)
    np.testing.assert_allclose(scores[0], [0, sigmoid(0.5), 1 - sigmoid(0.5)], atol=1e-6)


def test_nan_stays_nan():
    assert np.isnan(scores_of(np.full((1, 3), np.nan, np.float32), WITH_NOTHING)).all()
