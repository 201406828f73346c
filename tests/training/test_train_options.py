"""The options of ``mar-edge train`` with a network to start from."""

import networks
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.checkpoint import load_checkpoint, save_checkpoint
from mar_edge.training.command import run_training
from mar_edge.training.options import TrainOptions
from mar_edge.training.reporting import RunReporter
from mar_edge.training.synth.command import write_clips
from mar_edge.training.synth.generator import CLASSES


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "clips.npz"
    write_clips(path, 24, seed=2)
    return str(path)


@pytest.fixture
def start(tmp_path):
    """Write a network with motion encoding."""
    path = tmp_path / "start.pt"
    save_checkpoint(path, networks.golden(networks.MA52), networks.info("joint"))
    return path


def run(folder, data, start, **options):
    asked = TrainOptions(data=data, start=start, steps=2, batch=4, **options)
    return run_training(folder, asked, RunReporter(), lambda: False, workers=0)


def test_the_shape_is_that_of_the_start(tmp_path, data, start):
    config = load_checkpoint(run(tmp_path / "run", data, start)).network.config
    assert (config.encoding, config.width, config.depths) == ("motion", 16, (1, 1, 1, 1))


def test_the_encoding_may_be_richer_than_that_of_the_start(tmp_path, data, start):
    best = run(tmp_path / "more", data, start, encoding="contact")
    assert load_checkpoint(best).network.config.encoding == "contact"
    for less, of in (("raw", start), ("motion", best)):
        with pytest.raises(MarEdgeError, match=rf"--encoding {less}: a network that starts from .* keeps its encoding"):
            run(tmp_path / "less", data, of, encoding=less)


def test_a_start_with_sigmoids_keeps_them(tmp_path, data, start):
    first = load_checkpoint(run(tmp_path / "first", data, start, loss="focal"))
    assert (first.info.activation, first.info.background) == ("sigmoid", None)
    assert len(first.info.labels) == len(CLASSES) - 1
    on = load_checkpoint(run(tmp_path / "on", data, tmp_path / "first" / "best.pt")).info
    assert (on.activation, on.labels) == ("sigmoid", first.info.labels)
    back = load_checkpoint(run(tmp_path / "back", data, tmp_path / "first" / "best.pt", loss="cross-entropy")).info
    assert (back.activation, back.labels[back.background].name) == ("softmax", "no action")


@pytest.mark.parametrize(("name", "value"), [("width", 32), ("depths", (2, 1, 1, 1))])
def test_width_and_depths_stay(tmp_path, data, start, name, value):
    with pytest.raises(MarEdgeError, match=f"keeps its {name}"):
        run(tmp_path / "run", data, start, **{name: value})
