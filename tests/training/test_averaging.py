"""Averages of the weights of networks."""

import msgspec
import networks
import pytest
import torch

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.checkpoint import load_checkpoint, save_checkpoint
from mar_edge.edge.network.mmn import MMN, MMNConfig
from mar_edge.training.averaging import average

CONFIG = MMNConfig(44, len(networks.LABELS), depths=(1, 1, 1, 1), width=16)


def saved(path, seed, **changes):
    torch.manual_seed(seed)
    network = MMN(changes.pop("config", CONFIG))
    info = msgspec.structs.replace(networks.info("joint"), **changes)
    save_checkpoint(path, network, info)
    return path


def test_weights_and_rates_are_the_mean_and_figures_are_dropped(tmp_path):
    K = len(networks.LABELS)
    one = saved(tmp_path / "a.pt", 1, rates=(1.0,) * K)
    two = saved(tmp_path / "b.pt", 2, rates=(2.0,) * K, training_data="something else")
    average([one, two], tmp_path / "mean.pt")
    a, b, mean = (load_checkpoint(path) for path in (one, two, tmp_path / "mean.pt"))
    states = [checkpoint.network.state_dict() for checkpoint in (a, b, mean)]
    for name, value in states[2].items():
        if value.is_floating_point():
            torch.testing.assert_close(value, (states[0][name] + states[1][name]) / 2)
    assert mean.info.rates == (1.5,) * K
    assert mean.info.accuracy == {}
    assert mean.info.training_data == "nothing at all; something else"
    assert mean.info.labels == a.info.labels


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"activation": "sigmoid", "background": None}, "differ in their background"),
        ({"rates": (1.0,) * len(networks.LABELS)}, "states its training rates"),
        ({"config": MMNConfig(44, len(networks.LABELS), depths=(1, 1, 1, 1), width=32)}, "different shapes"),
    ],
)
def test_networks_of_different_tasks_or_shapes_are_refused(tmp_path, changes, message):
    one, other = saved(tmp_path / "a.pt", 1), saved(tmp_path / "b.pt", 2, **changes)
    with pytest.raises(MarEdgeError, match=message):
        average([one, other], tmp_path / "mean.pt")
    assert not (tmp_path / "mean.pt").exists()


def test_files_that_cannot_be_averaged_are_refused(tmp_path):
    one = saved(tmp_path / "a.pt", 1)
    with pytest.raises(MarEdgeError, match="two checkpoints or more"):
        average([one], tmp_path / "mean.pt")
    with pytest.raises(MarEdgeError, match=r"a\.pt"):
        average([one, one], one)
    flat = networks.save_state_dict(tmp_path / "flat.pt", load_checkpoint(one).network)
    with pytest.raises(MarEdgeError, match="has no description"):
        average([one, flat], tmp_path / "mean.pt")


def test_the_command(cli, tmp_path):
    files = [saved(tmp_path / name, seed) for seed, name in enumerate(("a.pt", "b.pt", "c.pt"))]
    done = cli("average", *files, "--out", tmp_path / "mean.pt")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/mean.pt: the mean of 3 checkpoints\n")
