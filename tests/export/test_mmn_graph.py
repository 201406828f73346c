"""The deploy graph is the same function as its networks, for every stream, encoding and layout."""

import itertools

import networks
import numpy as np
import pytest
import torch
from torch import nn

from mar_edge.edge.layout import load_layout
from mar_edge.edge.network.mmn import MMNConfig
from mar_edge.export.mmn import reference_features, reference_logits
from mar_edge.export.mmn_graph import DeployGraph

STREAMS = {"joint": ("joint",), "bone": ("bone",), "both": ("joint", "bone")}


def pair(stream, encoding, layout, depths=(1, 1, 1, 1)):
    landmarks = layout.landmark_places if encoding == "contact" else ()
    config = MMNConfig(layout.num_joints, 12, encoding, 16, depths, landmarks)
    return [(name, networks.golden(config, 1000 * i)) for i, name in enumerate(STREAMS[stream])]


def tensors(count, layout):
    return tuple(torch.from_numpy(array) for array in networks.windows(count, layout.num_joints))


@pytest.mark.parametrize(
    ("stream", "encoding", "name"), list(itertools.product(STREAMS, ("raw", "motion", "contact"), ("ma52", "imigue")))
)
@torch.no_grad()
def test_same_logits(stream, encoding, name):
    layout = load_layout(name)
    parts = pair(stream, encoding, layout)
    skeleton, index_t = tensors(3, layout)
    logits, probs, features = DeployGraph(parts, layout).eval()(skeleton, index_t)
    expected = reference_logits(parts, layout, skeleton, index_t)
    assert expected.std(dim=0).max() > 1e-3  # the windows differ, so that equality is no coincidence
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(probs, expected.softmax(dim=-1), rtol=0, atol=1e-5)
    torch.testing.assert_close(features, reference_features(parts, layout, skeleton, index_t), rtol=0, atol=1e-4)


@torch.no_grad()
def test_the_temperature_changes_the_probabilities_and_not_the_logits():
    layout = load_layout("imigue")
    parts = pair("joint", "motion", layout)
    skeleton, index_t = tensors(2, layout)
    plain, *_ = DeployGraph(parts, layout).eval()(skeleton, index_t)
    logits, probs, _ = DeployGraph(parts, layout, temperature=2.5).eval()(skeleton, index_t)
    torch.testing.assert_close(logits, plain, rtol=0, atol=0)
    torch.testing.assert_close(probs, (logits / 2.5).softmax(dim=-1), rtol=0, atol=1e-7)


@torch.no_grad()
def test_a_sigmoid_network_gives_each_label_its_own_probability():
    layout = load_layout("imigue")
    parts = pair("joint", "motion", layout)
    logits, probs, _ = DeployGraph(parts, layout, temperature=2.5, activation="sigmoid").eval()(*tensors(2, layout))
    torch.testing.assert_close(probs, (logits / 2.5).sigmoid(), rtol=0, atol=1e-7)


@torch.no_grad()
def test_same_logits_with_more_blocks_and_other_times():
    layout = load_layout("ma52")
    parts = pair("both", "motion", layout, depths=(2, 1, 3, 2))
    skeleton, _ = tensors(2, layout)
    index_t = torch.rand(2, 64).sort().values
    logits, *_ = DeployGraph(parts, layout).eval()(skeleton, index_t)
    torch.testing.assert_close(logits, reference_logits(parts, layout, skeleton, index_t), rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_full_size_network_gives_the_authors_numbers(data):
    layout, measured = load_layout("ma52"), np.load(data / "golden_mmn_ma52.npz")
    skeleton = np.empty((len(measured["x"]), 64, 44, 2), np.float32)
    skeleton[:, :, list(layout.network_order)] = measured["x"][..., 0].transpose(0, 2, 3, 1)
    graph = DeployGraph([("joint", networks.golden(MMNConfig(44, 52)))], layout).eval()
    logits, *_ = graph(torch.from_numpy(skeleton), torch.from_numpy(measured["index_t"]))
    np.testing.assert_allclose(logits, measured["logits"], rtol=0, atol=1e-4)


@torch.no_grad()
def test_joints_come_in_the_layouts_order():
    layout = load_layout("ma52")
    parts = pair("joint", "raw", layout)
    graph = DeployGraph(parts, layout).eval()
    skeleton, index_t = tensors(1, layout)
    logits, *_ = graph(skeleton, index_t)
    in_network_order, *_ = graph(skeleton[:, :, list(layout.network_order)], index_t)
    assert (logits - in_network_order).abs().max() > 1e-3


def test_no_batch_norm_is_left():
    layout = load_layout("imigue")
    graph = DeployGraph(pair("both", "motion", layout), layout)
    assert not [module for module in graph.modules() if isinstance(module, nn.BatchNorm2d)]
