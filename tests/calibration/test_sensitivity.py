"""The choice of layers: as many as are allowed, the most sensitive left out first."""

import numpy as np
import pytest

from mar_edge.calibration import sensitivity
from mar_edge.calibration.sensitivity import Allowed, Trial
from mar_edge.calibration.windows import Windows
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import Fidelity, ModelMetadata

N, K, LAYERS = 400, 4, 10
METADATA = ModelMetadata(
    name="x",
    layout="ma52",
    streams=("joint",),
    encoding="raw",
    labels=tuple(Label(i, f"label {i}", "") for i in range(K)),
)
COSTS = {f"layer{i}": float(i) for i in range(LAYERS)}


@pytest.fixture
def choose(monkeypatch):
    """Choose layers where ``wrong[count]`` windows of label 0 are lost with ``count`` layers in INT8."""
    labels = np.arange(N) % K
    windows = Windows({"skeleton": np.zeros((N, 64, 44, 2), np.float32)}, labels, "made up")
    reference = np.eye(K, dtype=np.float32)[labels]
    tried = []

    def choose(wrong, allowed):
        def predict(chosen, *_):
            tried.append(len(chosen))
            said = labels.copy()
            said[np.flatnonzero(labels == 0)[: wrong[len(chosen)]]] = 1
            return np.eye(K, dtype=np.float32)[said]

        monkeypatch.setattr(sensitivity, "predict", predict)
        trial = Trial(lambda chosen: chosen, METADATA, windows, reference, lambda *_: None)
        return trial.choose(COSTS, allowed), tried

    return choose


def test_all_layers_where_that_is_allowed(choose):
    chosen, tried = choose([0] * 11, Allowed(0.99, 0.03))
    assert chosen == list(COSTS)
    assert tried == [LAYERS]


@pytest.mark.parametrize("tolerable", range(1, LAYERS))
def test_as_many_as_are_allowed_and_the_least_sensitive(choose, tolerable):
    # Of 100 windows of a label 3 may be lost.
    wrong = [0] * (tolerable + 1) + [4] * (LAYERS - tolerable)
    chosen, tried = choose(wrong, Allowed(0.5, 0.03))
    assert chosen == list(COSTS)[:tolerable]
    assert len(tried) == len(set(tried)) <= 7


def test_the_drop_of_a_label_counts_where_the_agreement_is_enough(choose):
    wrong = [0] * 6 + [4] * 5  # of 400 windows 1 %, of the label's own 4 %
    assert len(choose(wrong, Allowed(0.98, 0.04))[0]) == LAYERS
    assert len(choose(wrong, Allowed(0.98, 0.03))[0]) == 5


def test_where_no_choice_is_allowed_the_one_that_agrees_most(choose):
    chosen, _ = choose([20, 20, 15, 20, 20, 20, 20, 20, 20, 20, 20], Allowed(0.99, 0.03))
    assert chosen == ["layer0", "layer1"]


def test_three_of_a_hundred_are_three_points():
    fidelity = Fidelity(
        windows=9, data="", agreement=1, probability_error=0, largest_probability_error=0, worst_drop=0.97 - 0.94
    )
    assert Allowed(0.9, 0.03).by(fidelity)
