"""The choice of layers: as many as the windows allow, the dearest left out first."""

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
    """Chooses where ``wrong[count]`` windows of label 0 are lost with that many layers in int8."""
    labels = np.arange(N) % K
    windows = Windows(np.zeros((N, 64, 44, 2), np.float32), np.zeros((N, 64), np.float32), labels, "made up")
    reference = np.eye(K, dtype=np.float32)[labels]
    tried = []

    def choose(wrong, allowed):
        def ask_model(chosen, *_):
            tried.append(len(chosen))
            said = labels.copy()
            said[np.flatnonzero(labels == 0)[: wrong[len(chosen)]]] = 1
            return np.eye(K, dtype=np.float32)[said]

        monkeypatch.setattr(sensitivity, "ask_model", ask_model)
        trial = Trial(lambda chosen: chosen, METADATA, windows, reference, lambda *_: None)
        return trial.choose(COSTS, allowed), tried

    return choose


def test_all_where_all_do(choose):
    chosen, tried = choose([0] * 11, Allowed(0.99, 0.03))
    assert chosen == list(COSTS)
    assert tried == [LAYERS]


@pytest.mark.parametrize("bearable", range(1, LAYERS))
def test_as_many_as_do_and_the_cheapest(choose, bearable):
    # Of 100 windows of a label 3 may be lost.
    wrong = [0] * (bearable + 1) + [4] * (LAYERS - bearable)
    chosen, tried = choose(wrong, Allowed(0.5, 0.03))
    assert chosen == list(COSTS)[:bearable]
    assert len(tried) == len(set(tried)) <= 7


def test_the_drop_of_a_label_counts_where_all_together_agree(choose):
    wrong = [0] * 6 + [4] * 5  # of 400 windows 1 %, of the label's own 4 %
    assert len(choose(wrong, Allowed(0.98, 0.04))[0]) == LAYERS
    assert len(choose(wrong, Allowed(0.98, 0.03))[0]) == 5


def test_where_none_does_the_one_that_agrees_most(choose):
    chosen, _ = choose([20, 20, 15, 20, 20, 20, 20, 20, 20, 20, 20], Allowed(0.99, 0.03))
    assert chosen == ["layer0", "layer1"]


def test_three_of_a_hundred_are_three_points():
    fidelity = Fidelity(
        windows=9, data="", agreement=1, probability_error=0, largest_probability_error=0, worst_drop=0.97 - 0.94
    )
    assert Allowed(0.9, 0.03).by(fidelity)
