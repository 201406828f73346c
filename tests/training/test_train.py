"""Tiny runs of the real thing: reproducible, resumable, and what they leave behind."""

import json

import msgspec
import networks
import pytest
import torch

from edge.checkpoint import load_checkpoint
from edge.errors import MarEdgeError
from edge.layout import load_layout
from export.command import export_model
from export.graph import DeployGraph
from export.onnx_file import reference_logits
from training.synth.generator import CLASSES
from training.train import Progress, TrainConfig, held_out, train

CONFIG = TrainConfig(width=16, steps=6, batch=4, validate_every=3, validation_clips=32)


class Killed(Exception):
    pass


def kill(progress: Progress) -> None:
    raise Killed


def quiet(progress: Progress) -> None:
    pass


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run from beginning to end, and what it reported."""
    folder = tmp_path_factory.mktemp("runs") / "new" / "run"
    reports = []
    assert train(CONFIG, folder, reports.append) == folder / "best.pt"
    return folder, reports


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "elapsed_s"} for line in lines]


def assert_same_weights(first, second):
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def assert_same_run(a, b):
    """Metrics, weights, averaged weights and the checkpoint."""
    assert metrics(a) == metrics(b)
    states = [torch.load(folder / "state.pt", weights_only=True) for folder in (a, b)]
    for part in ("network", "average"):
        assert_same_weights(*(state[part] for state in states))
    first, second = (load_checkpoint(folder / "best.pt", 44) for folder in (a, b))
    assert first.info == second.info
    assert_same_weights(first.network.state_dict(), second.network.state_dict())


def test_what_a_run_leaves(whole):
    folder, reports = whole
    assert {path.name for path in folder.iterdir()} == {"config.json", "metrics.jsonl", "state.pt", "best.pt"}
    assert msgspec.json.decode((folder / "config.json").read_bytes(), type=TrainConfig) == CONFIG
    assert [report.step for report in reports] == [3, 6]
    assert [line["step"] for line in metrics(folder)] == [3, 6]
    assert all(0 <= report.top1 <= 1 and 0 < report.loss < 10 for report in reports)


def test_the_checkpoint_says_what_it_is(whole):
    checkpoint = load_checkpoint(whole[0] / "best.pt", 44)
    config, info = checkpoint.network.config, checkpoint.info
    assert (config.width, config.depths, config.encoding) == (16, (1, 1, 1, 1), "motion")
    assert (config.num_classes, info.labels) == (len(CLASSES), CLASSES)
    assert info.labels[info.background].name == "no action"
    assert (info.layout, info.stream) == ("ma52", "joint")
    assert "synthetic motion only" in info.training_data
    best = max(whole[1], key=lambda report: report.f1_macro)
    assert info.accuracy["f1_macro"] == pytest.approx(best.f1_macro, abs=1e-4)
    assert {f"f1 {label.name}" for label in CLASSES} < set(info.accuracy)


@torch.no_grad()
def test_the_checkpoint_can_be_deployed(whole):
    layout = load_layout("ma52")
    parts = [("joint", load_checkpoint(whole[0] / "best.pt", 44).network)]
    skeleton, index_t = (torch.from_numpy(array) for array in networks.windows(2, 44))
    logits, _ = DeployGraph(parts, layout).eval()(skeleton, index_t)
    torch.testing.assert_close(logits, reference_logits(parts, layout, skeleton, index_t), rtol=0, atol=1e-5)


@pytest.mark.slow
def test_the_checkpoint_can_be_exported(whole, tmp_path):
    exported = export_model(whole[0] / "best.pt", None, layout_name="ma52", stream="joint", out=tmp_path / "model.onnx")
    assert exported.difference < 1e-4
    assert exported.metadata.accuracy["f1_macro"] >= 0


def test_the_same_config_gives_the_same_run(whole, tmp_path):
    train(CONFIG, tmp_path, quiet)
    assert_same_run(whole[0], tmp_path)


def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(whole, tmp_path):
    with pytest.raises(Killed):
        train(CONFIG, tmp_path, kill)
    assert [line["step"] for line in metrics(tmp_path)] == [3]
    torch.manual_seed(99)  # another process has another random state
    train(CONFIG, tmp_path, quiet)
    assert_same_run(whole[0], tmp_path)


def test_a_finished_run_is_left_as_it_is(whole):
    folder, _ = whole
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert train(CONFIG, folder, kill) == folder / "best.pt"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("change", [{"seed": 2}, {"width": 32}, {"steps": 7}])
def test_a_folder_with_another_run_is_refused(whole, change):
    with pytest.raises(MarEdgeError, match="holds a run with another configuration"):
        train(msgspec.structs.replace(CONFIG, **change), whole[0], quiet)
    assert [line["step"] for line in metrics(whole[0])] == [3, 6]


def test_another_seed_is_another_run(whole, tmp_path):
    train(msgspec.structs.replace(CONFIG, seed=2, steps=3), tmp_path, quiet)
    assert metrics(tmp_path)[0]["loss"] != metrics(whole[0])[0]["loss"]


def test_bones(tmp_path):
    best = train(msgspec.structs.replace(CONFIG, stream="bone", steps=3), tmp_path, quiet)
    info = load_checkpoint(best, 44).info
    assert info.stream == "bone"
    assert "bone" in info.name


@pytest.mark.parametrize("steps", [1, 2, 10, 20])
def test_any_number_of_steps_has_a_learning_rate(tmp_path, steps):
    config = msgspec.structs.replace(CONFIG, steps=steps, batch=2, validate_every=100)
    assert train(config, tmp_path, quiet).exists()


def test_it_learns(tmp_path):
    reports = []
    config = TrainConfig(width=16, steps=40, batch=16, validate_every=10, validation_clips=32, peak_lr=1e-2)
    train(config, tmp_path, reports.append)
    assert reports[-1].loss < reports[0].loss - 0.1


def test_held_out_clips_are_always_the_same_and_never_seen_in_training():
    skeleton, labels = held_out(1, 40)
    again, _ = held_out(1, 300)
    assert skeleton.shape == (40, 64, 44, 2)
    assert labels.shape == (40,)
    assert skeleton.abs().max() <= 1
    assert torch.equal(again[:40], skeleton)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_cuda_is_refused_and_no_folder_made(tmp_path):
    with pytest.raises(MarEdgeError, match="no CUDA device"):
        train(msgspec.structs.replace(CONFIG, device="cuda"), tmp_path / "run", quiet)
    assert not (tmp_path / "run").exists()
