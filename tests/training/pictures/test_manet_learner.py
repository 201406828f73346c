"""MANet's optimizer, loss and schedule are the authors'."""

import msgspec
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.inputs import picture_input
from mar_edge.edge.network.manet import MANet, MANetConfig
from mar_edge.training.pictures.dataset import PictureBatch
from mar_edge.training.pictures.learner import ManetLearner, parameter_groups
from mar_edge.training.pictures.recipe import MANET
from mar_edge.training.schedule import Pace, step_pace

TINY = MANetConfig(3, 4, (1, 1, 1, 1), 8)


def batch(seed=0):
    rng = np.random.default_rng(seed)
    return PictureBatch(rng.integers(0, 256, (2, 8, 32, 32, 3), np.uint8), np.array([2, 0]))


def learner(network, words=None, **changes):
    recipe = msgspec.structs.replace(MANET, width=8, depths=(1, 1, 1, 1), **changes)
    return ManetLearner(network, recipe, torch.device("cpu"), validation=None, workers=0, word_vectors=words)


def test_factors_and_weight_decay_of_each_parameter():
    network = MANet(TINY)
    of = {}
    for group in parameter_groups(network, 1e-4):
        for parameter in group["params"]:
            assert id(parameter) not in of
            of[id(parameter)] = (group["factor"], group["weight_decay"])
    named = {name: of[id(parameter)] for name, parameter in network.named_parameters()}
    assert len(named) == len(of)
    expected = {
        "cls_head.fc_cls.weight": (1, 1e-4),
        "cls_head.fc_cls.bias": (2, 0),
        "cls_head.fc_emb.weight": (1, 1e-4),
        "cls_head.fc_emb.bias": (2, 0),
        "cls_head.fc_emb_t.weight": (5, 1e-4),
        "cls_head.fc_emb_t.bias": (10, 0),
        "backbone.conv1.conv.weight": (1, 1e-4),
        "backbone.conv1.bn.weight": (1, 0),
        "backbone.conv1.bn.bias": (1, 0),
        "backbone.layer2.0.conv1.conv.fcce.0.weight": (1, 1e-4),
        "backbone.layer2.0.conv1.conv.net.weight": (1, 1e-4),
        "backbone.layer2.0.downsample.bn.bias": (1, 0),
    }
    assert {name: named[name] for name in expected} == expected
    others = {value for name, value in named.items() if name.startswith("backbone") and ".bn." not in name}
    assert others == {(1, 1e-4)}


def test_the_learning_rate_drops_after_epochs_30_and_60_of_80():
    epochs = [step_pace(MANET.lr, MANET.lr_drops, epoch / MANET.epochs).lr for epoch in range(80)]
    assert epochs[:30] == [0.00125] * 30
    assert epochs[30:60] == pytest.approx([0.000125] * 30)
    assert epochs[60:] == pytest.approx([0.0000125] * 20)
    assert (MANET.batch, MANET.momentum, MANET.weight_decay, MANET.clip_norm, MANET.dropout) == (10, 0.9, 1e-4, 20, 0.5)


def test_a_step_is_that_of_sgd_with_the_joint_embedding_loss():
    words = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    torch.manual_seed(0)
    network = MANet(TINY, dropout=0.0)
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    taught = learner(network, words, clip_norm=None)
    found = taught.learn(batch(), Pace(0.01))

    torch.manual_seed(0)
    again = MANet(TINY, dropout=0.0).train()
    logits, embedding = again(picture_input(torch.from_numpy(batch().frames)))
    labels = torch.tensor([2, 0])
    squared = (embedding - torch.from_numpy(words)[labels]).square().mean()
    loss = F.cross_entropy(logits, labels) + 50 * squared
    assert float(found) == pytest.approx(float(loss.detach()), rel=1e-5)
    loss.backward()
    after = dict(network.named_parameters())
    for name, factor, decay in (
        ("cls_head.fc_emb_t.weight", 5, 1e-4),
        ("cls_head.fc_emb_t.bias", 10, 0),
        ("cls_head.fc_cls.bias", 2, 0),
        ("backbone.conv1.conv.weight", 1, 1e-4),
    ):
        gradient = dict(again.named_parameters())[name].grad + decay * before[name]
        torch.testing.assert_close(after[name].detach(), before[name] - 0.01 * factor * gradient, msg=name)


def test_without_words_the_second_head_stays():
    network = MANet(TINY)
    before = network.cls_head.fc_emb_t.bias.detach().clone()
    loss = learner(network).learn(batch(), Pace(0.01))
    assert float(loss) == pytest.approx(np.log(3), abs=0.1)
    assert torch.equal(network.cls_head.fc_emb_t.bias, before)


def test_gradients_are_clipped():
    torch.manual_seed(0)
    network = MANet(TINY)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    learner(network, clip_norm=1e-6, weight_decay=0.0).learn(batch(), Pace(1.0))
    moved = sum(float((one - other).square().sum()) for one, other in zip(before, network.parameters(), strict=True))
    assert 0 < moved**0.5 < 1e-5


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"width": 12}, "--width and --depths of a MANet: width must be a multiple of 8, got 12"),
        ({"depths": (1, 0, 1, 1)}, "depths must be 4 numbers"),
        ({"lr_drops": (0.5, 1.5)}, "lr_drops are shares of the run"),
        ({"momentum": 1.0}, "momentum is from 0 to below 1"),
        ({"batch": 1}, "a batch has at least 2 clips"),
    ],
)
def test_wrong_recipes_are_refused(changes, expected):
    with pytest.raises(MarEdgeError, match=expected):
        msgspec.structs.replace(MANET, **changes)
