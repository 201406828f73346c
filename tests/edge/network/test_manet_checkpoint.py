"""MANet's checkpoints: the authors' files and our own read, others refused with the key's name."""

import networks
import pytest
import torch

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.checkpoint import load_checkpoint, load_manet, load_mmn, save_checkpoint
from mar_edge.edge.network.manet import MANet, MANetConfig

STEM, GATE = "backbone.conv1.conv.weight", "backbone.layer2.1.conv1.conv.fcce.2.weight"


@pytest.fixture(scope="module")
def network():
    return networks.golden_manet(networks.MANET)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "manet.pth"


def same_weights(a, b) -> bool:
    theirs = b.state_dict()
    return all(torch.equal(tensor, theirs[name]) for name, tensor in a.state_dict().items())


def refusal_of(state, path) -> str:
    torch.save(state, path)
    with pytest.raises(MarEdgeError) as error:
        load_checkpoint(path)
    assert str(path) in str(error.value)
    return str(error.value)


def without(state, *names):
    return {name: tensor for name, tensor in state.items() if name not in names}


@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_authors_file(network, path, prefix):
    content = networks.manet_file(network)
    content["state_dict"] = {prefix + name: tensor for name, tensor in content["state_dict"].items()}
    torch.save(content, path)
    loaded = load_checkpoint(path)
    assert isinstance(loaded.network, MANet)
    assert same_weights(loaded.network, network)
    assert not loaded.network.training
    assert loaded.info is None
    assert loaded.read_as.startswith("read from its 'state_dict'; ")
    assert loaded.read_as.endswith("15 unused tensors left out (action_p2_*)")
    assert ("without 'module.' before its keys" in loaded.read_as) == bool(prefix)


def test_our_own_describes_itself(network, path):
    save_checkpoint(path, network, networks.MANET_INFO)
    loaded = load_manet(path)
    assert same_weights(loaded.network, network)
    assert loaded.info == networks.MANET_INFO
    assert loaded.read_as == ""


@pytest.mark.parametrize(
    "config", [networks.MANET, MANetConfig(5, 300, (1, 1, 2, 1), 16), MANetConfig(52, 7, (3, 1, 1, 1), 8)]
)
def test_the_shape_follows_from_the_weights(path, config):
    torch.save(MANet(config).state_dict(), path)
    assert load_manet(path).network.config == config


@pytest.mark.parametrize(
    "name", [STEM, GATE, "cls_head.fc_cls.weight", "cls_head.fc_emb.weight", "backbone.layer1.0.downsample.bn.bias"]
)
def test_a_missing_key_is_named(network, path, name):
    assert f"key '{name}' is missing" in refusal_of(without(network.state_dict(), name), path)


def test_a_missing_stage_is_named(network, path):
    state = {name: tensor for name, tensor in network.state_dict().items() if ".layer3." not in name}
    assert "key 'backbone.layer3.0.conv1.conv.net.weight' is missing" in refusal_of(state, path)


@pytest.mark.parametrize(
    "name", ["cls_head.fc_body.weight", "backbone.layer5.0.conv1.bn.bias", "backbone.layer0.0.conv1.bn.bias"]
)
def test_an_unexpected_key_is_named(network, path, name):
    assert f"key '{name}' is unexpected" in refusal_of(network.state_dict() | {name: torch.zeros(1)}, path)


def test_a_block_of_another_number_costs_no_memory(network, path):
    state = network.state_dict() | {"backbone.layer1.999999999.conv1.bn.bias": torch.zeros(1)}
    assert "key 'backbone.layer1.1.conv1.conv.net.weight' is missing" in refusal_of(state, path)


def test_a_tensor_that_claims_more_than_it_holds_is_named(network, path):
    state = network.state_dict() | {STEM: torch.zeros(1).expand(2**20, 3, 7, 7)}
    assert f"key '{STEM}' is not a plain tensor" in refusal_of(state, path)
    state = network.state_dict() | {STEM: torch.zeros(2**16, 3, 7, 7)}
    assert "has the shape (" in refusal_of(state, path)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        (GATE, (32, 9), "has the shape (32, 9), expected (64, 16)"),
        ("cls_head.fc_cls.bias", (13,), "has the shape (13,), expected (12,)"),
        (STEM, (8, 3, 7), "has the shape (8, 3, 7), expected 4 axes"),
        (STEM, (12, 3, 7, 7), "not a MANet checkpoint: width must be a multiple of 8, got 12"),
        ("backbone.layer1.0.conv2.conv.weight", (8, 8, 1, 1), "has the shape (8, 8, 1, 1), expected (8, 8, 3, 3)"),
    ],
)
def test_a_mis_shaped_key_is_named(network, path, name, shape, expected):
    message = refusal_of(network.state_dict() | {name: torch.zeros(shape)}, path)
    assert expected in message
    assert f"'{name}'" in message or "not a MANet" in message


def test_nan_weights_are_named(network, path):
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state[GATE][3, 5] = float("nan")
    assert f"key '{GATE}' holds NaN or infinite weights" in refusal_of(state, path)


def test_a_resnet_without_gates_is_refused(network, path):
    state = {name: tensor for name, tensor in network.state_dict().items() if "fcce" not in name}
    assert "key 'backbone.layer1.0.conv1.conv.fcce.0.weight' is missing (and 9 more)" in refusal_of(state, path)


def test_the_other_family_is_named(network, path):
    torch.save(network.state_dict(), path)
    with pytest.raises(MarEdgeError, match=r"is a checkpoint of MANet \(pictures\); expected one of MMN \(skeletons\)"):
        load_mmn(path)
    networks.save_state_dict(path, networks.golden(networks.MA52))
    with pytest.raises(MarEdgeError, match=r"is a checkpoint of MMN \(skeletons\); expected one of MANet \(pictures\)"):
        load_manet(path)


def test_both_families_in_one_file_are_refused(network, path):
    both = networks.golden(networks.MA52).state_dict() | network.state_dict()
    assert f"holds 2 networks (STPE, {STEM})" in refusal_of(both, path)


def test_a_description_of_the_other_family_is_refused(network, path):
    save_checkpoint(path, network, networks.info("joint"))
    with pytest.raises(MarEdgeError, match="of the family mmn; its keys are those of manet"):
        load_checkpoint(path)
