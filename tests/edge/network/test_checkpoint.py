"""Checkpoints from outside: read when valid, refused with the key's name when not, never executed."""

import argparse
import hashlib
import io
import pickle
import random

import networks
import numpy as np
import pytest
import torch

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.checkpoint import CheckpointInfo, load_checkpoint, load_mmn, save_checkpoint
from mar_edge.edge.network.mmn import MMN, MMNConfig

INFO = CheckpointInfo(
    layout="ma52",
    stream="bone",
    labels=networks.LABELS,
    background=networks.BACKGROUND,
    window_s=1.5,
    name="a name",
    training_data="some",
    accuracy={"top1": 0.5},
    licence="CC0",
)


@pytest.fixture(scope="module")
def network():
    return networks.golden(networks.MA52)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.pt"


def same_weights(a: MMN, b: MMN) -> bool:
    theirs = b.state_dict()
    return all(torch.equal(tensor, theirs[name]) for name, tensor in a.state_dict().items())


def refusal(path) -> str:
    with pytest.raises(MarEdgeError) as error:
        load_checkpoint(path)
    assert str(path) in str(error.value)
    return str(error.value)


def refusal_of(state, path) -> str:
    torch.save(state, path)
    return refusal(path)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_published_state_dict(network, path, prefix):
    networks.save_state_dict(path, network, prefix)
    loaded = load_mmn(path)
    assert same_weights(loaded.network, network)
    assert not loaded.network.training
    assert loaded.info is None
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_state_dict_in_the_old_file_format(network, path):
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=False)
    assert same_weights(load_mmn(path).network, network)


def test_our_own_describes_itself(network, path):
    save_checkpoint(path, network, INFO)
    loaded = load_mmn(path)
    assert same_weights(loaded.network, network)
    assert loaded.info == INFO


def under(prefix):
    return lambda state: {prefix + name: tensor for name, tensor in state.items()}


WRAPPED = {
    "state_dict": (lambda s: {"state_dict": s, "epoch": 3, "optimizer": {"lr": 0.1}}, "read from its 'state_dict'"),
    "model": (lambda s: {"model": s}, "read from its 'model'"),
    "model_state_dict": (lambda s: {"epoch": 3, "model_state_dict": s}, "read from its 'model_state_dict'"),
    "compiled": (under("_orig_mod."), "read without '_orig_mod.' before its keys"),
    "parallel twice": (under("module.module."), "read without 'module.module.' before its keys"),
    "lightning": (
        lambda s: {
            "state_dict": under("model.")(s) | {"criterion.weight": torch.ones(12)},
            "pytorch-lightning_version": "2.4.0",
            "hyper_parameters": {"lr": 0.1},
        },
        "read from its 'state_dict'; without 'model.' before its keys; 'criterion.weight' left out, not under 'model.'",
    ),
    "compiled lightning": (
        lambda s: {"state_dict": under("net._orig_mod.")(s)},
        "read from its 'state_dict'; without 'net._orig_mod.' before its keys",
    ),
    "profiled": (
        lambda s: s | {"total_ops": torch.zeros(1), "head.total_ops": torch.zeros(1), "total_params": torch.zeros(1)},
        "read 3 counters of operations left out",
    ),
    "of an old torch": (lambda s: {k: v for k, v in s.items() if not k.endswith("num_batches_tracked")}, ""),
}


@pytest.mark.parametrize("how", WRAPPED)
def test_a_checkpoint_of_a_training_program(network, path, how):
    wrap, expected = WRAPPED[how]
    torch.save(wrap(dict(network.state_dict())), path)
    loaded = load_mmn(path)
    assert same_weights(loaded.network, network)
    assert loaded.read_as.startswith(expected)
    assert bool(loaded.read_as) == bool(expected)


def test_two_networks_in_one_file_are_refused(network, path):
    both = under("student.")(network.state_dict()) | under("teacher.")(network.state_dict())
    assert "holds 2 networks (student.STPE, teacher.STPE)" in refusal_of(both, path)


def test_an_entry_that_would_run_code_is_named_with_the_remedy(network, path):
    message = refusal_of({"state_dict": network.state_dict(), "hyper_parameters": argparse.Namespace(lr=0.1)}, path)
    assert "it holds argparse.Namespace, and reading that would run code" in message
    assert "weights_only=False" in message
    assert "\x1b" not in message


def test_a_torchscript_program_is_refused_as_one(path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    message = refusal(path)
    assert "it is a TorchScript program" in message
    assert "weights_only" not in message


@pytest.mark.parametrize(
    "config",
    [
        networks.MA52,
        MMNConfig(22, 32, "raw", 16, (1, 2, 1, 3)),
        MMNConfig(44, 5, "motion", 48, (2, 1, 1, 1)),
        MMNConfig(44, 52),
        MMNConfig(44, 5, "contact", 16, (1, 1, 1, 1), (29, 1, 9)),
        MMNConfig(22, 5, "contact", 16, (1, 1, 1, 1), (3,)),
    ],
)
def test_width_depths_encoding_and_classes_follow_from_the_weights(path, config):
    networks.save_state_dict(path, MMN(config))
    assert load_mmn(path).network.config == config


@pytest.mark.parametrize(
    "name",
    ["projection.0.weight", "head.weight", "head.bias", "MFM.2.blocks.0.MSM.adj", "DSs.1.bn.bias"],
)
def test_a_missing_key_is_named(network, path, name):
    state = network.state_dict()
    del state[name]
    assert f"key '{name}' is missing" in refusal_of(state, path)


def test_a_missing_scale_is_named(network, path):
    state = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith("MFM.1.")}
    assert "key 'MFM.1.blocks.0.gconv' is missing" in refusal_of(state, path)


@pytest.mark.parametrize("name", ["epoch", "head.scale", "MFM.0.blocks.0.extra"])
def test_an_unexpected_key_is_named(network, path, name):
    assert f"key '{name}' is unexpected" in refusal_of(network.state_dict() | {name: torch.zeros(1)}, path)


def test_a_fifth_scale_is_named(network, path):
    state = network.state_dict() | {"MFM.4.blocks.0.gconv": torch.zeros(4, 44, 44)}
    assert "key 'MFM.4.blocks.0.gconv' is unexpected" in refusal_of(state, path)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("head.bias", (13,), "has the shape (13,), expected (12,)"),
        ("MFM.3.blocks.0.gconv", (4, 44, 43), "has the shape (4, 44, 43), expected (4, 44, 44)"),
        ("fusion.down1.0.weight", (16, 16, 4, 1), "has the shape (16, 16, 4, 1), expected (16, 16, 8, 1)"),
        ("head.weight", (12,), "has the shape (12,), expected 2 axes"),
        ("STPE", (16, 44, 1), "has the shape (16, 44, 1), expected 2 axes"),
        ("projection.0.weight", (12, 3, 1, 1), "takes 3 channels; expected 2 (raw), 6 (motion) or,"),
        ("STPE", (24, 44), "width must be a multiple of 16, got 24"),
    ],
)
def test_a_mis_shaped_key_is_named(network, path, name, shape, expected):
    message = refusal_of(network.state_dict() | {name: torch.zeros(shape)}, path)
    assert expected in message
    assert "multiple of 16" in message or f"key '{name}'" in message


@pytest.mark.parametrize(
    ("landmarks", "expected"),
    [
        (torch.tensor([29, 1, 9]), "takes 6 channels; expected"),
        (torch.tensor([29, 1, 44]), "landmarks must be joints, 0 to 43, got (29, 1, 44)"),
        (torch.tensor([[29, 1, 9]]), "key 'landmarks' has the shape (1, 3), expected 1 axes"),
        (torch.tensor([29.0, 1.0, float("nan")]), "key 'landmarks' is torch.float32, expected indices of joints"),
        (torch.zeros(0, dtype=torch.int64), "key 'landmarks' is unexpected"),
    ],
)
def test_landmarks_that_do_not_fit_are_named(network, path, landmarks, expected):
    assert expected in refusal_of(network.state_dict() | {"landmarks": landmarks}, path)


def test_several_problems_are_counted(network, path):
    state = network.state_dict() | {"more": torch.zeros(1), "head.bias": torch.zeros(3)}
    del state["fusion.res_conv.bias"]
    assert "key 'fusion.res_conv.bias' is missing (and 2 more)" in refusal_of(state, path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_and_infinite_weights_are_named(network, path, value):
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state["MFM.0.blocks.0.proj.weight"][3, 5] = value
    assert "key 'MFM.0.blocks.0.proj.weight' holds NaN or infinite weights" in refusal_of(state, path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, "holds a dict; expected a flat state_dict"),
        ([torch.zeros(3)], "holds a list"),
        (torch.zeros(3), "holds a Tensor"),
        ({"epoch": 3, "lr": 0.1}, "entry 'epoch' is a int"),
        ({"weights": {"STPE": torch.zeros(16, 44)}}, "entry 'weights' is a dict"),
        ({"model": {"STPE": torch.zeros(16, 44)}}, "key 'projection.0.weight' is missing"),
        ({3: torch.zeros(1)}, "entry '3'"),
        ({"weight": torch.zeros(3)}, "the keys of MMN (skeletons), 'STPE', and of MANet (pictures), 'backbone.conv1."),
        ({"format": "mar-edge checkpoint", "info": "{", "state_dict": {}}, "description is not readable"),
        ({"format": "mar-edge checkpoint", "info": "{}", "state_dict": {}}, "description is not readable"),
        ({"format": "mar-edge checkpoint", "info": 7}, "description is not readable"),
    ],
)
def test_other_contents_are_refused(path, content, expected):
    assert expected in refusal_of(content, path)


def test_our_own_without_weights_is_refused(network, path):
    save_checkpoint(path, network, INFO)
    content = torch.load(path, weights_only=True)
    assert "holds a NoneType" in refusal_of(content | {"state_dict": None}, path)


class Bait:
    """Writes a file when it is unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return open, (str(self.target), "w")


@pytest.mark.parametrize("how", ["torch.save", "torch.save, old format", "pickle"])
def test_code_in_a_pickle_is_not_run(network, path, tmp_path, how):
    target = tmp_path / "it ran"
    state = dict(network.state_dict()) | {"head.bias": Bait(target)}
    if how == "pickle":
        path.write_bytes(pickle.dumps({"head.bias": Bait(target)}))
    else:
        torch.save(state, path, _use_new_zipfile_serialization=how == "torch.save")
    assert "not a checkpoint of tensors saved by torch" in refusal(path)
    assert not target.exists()
    # Unpickled without protection, it does write the file.
    pickle.loads(pickle.dumps(Bait(target))).close()
    assert target.exists()


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"hello, I am text\n", b"PK\x03\x04", b"\x80", b"<html></html>", b"\0" * 1000, b"{}"]
)
def test_bytes_that_are_no_checkpoint_are_refused(path, content):
    path.write_bytes(content)
    assert "not a checkpoint of tensors saved by torch" in refusal(path)


def test_an_archive_of_another_kind_is_refused(path):
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))
    assert "not a checkpoint of tensors saved by torch" in refusal(path)


@pytest.mark.parametrize("new_format", [True, False])
def test_a_damaged_checkpoint_is_read_or_refused(path, new_format):
    whole = io.BytesIO()
    torch.save(networks.golden(networks.IMIGUE).state_dict(), whole, _use_new_zipfile_serialization=new_format)
    rng = random.Random(0)
    refused = 0
    for trial in range(60):
        damaged = bytearray(whole.getvalue())
        for _ in range(30):
            damaged[rng.randrange(30_000)] = rng.randrange(256)
        path.write_bytes(damaged[: rng.randrange(len(damaged))] if trial % 5 == 0 else damaged)
        try:
            load_mmn(path)
        except MarEdgeError:
            refused += 1
    assert refused > 40


def test_a_missing_file_and_a_directory(tmp_path):
    assert "cannot read checkpoint" in refusal(tmp_path / "nowhere.pt")
    assert "No such file" in refusal(tmp_path / "nowhere.pt")
    assert "Is a directory" in refusal(tmp_path)
