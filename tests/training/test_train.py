"""Tiny real runs: reproducible, resumable after a kill at any point, and the files they write."""

import json
import math
import os

import clips
import msgspec
import numpy as np
import pytest
import torch
from killed_runs import Killed

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.network.checkpoint import load_checkpoint
from mar_edge.training.balance import class_weights
from mar_edge.training.base import Machine
from mar_edge.training.datasets import synthetic
from mar_edge.training.datasets.synthetic import SyntheticDataset
from mar_edge.training.job import MmnJob
from mar_edge.training.recipe import CONCURRENT, PAPER, SYNTHETIC
from mar_edge.training.reporting import RunReporter
from mar_edge.training.run_folder import RunConfig, RunFolder, ValidationRecord
from mar_edge.training.train import train

TINY = {"width": 16, "depths": (1, 1, 1, 1), "epochs": None, "steps": 5, "batch": 4, "validate_every": 3}
RECIPE = msgspec.structs.replace(PAPER, **TINY)
EACH_STEP = Machine(save_every=1)


class RecordingReporter(RunReporter):
    """Keeps all events; may call a function at each validation."""

    def __init__(self, on_validation=None):
        self.notes, self.validations, self.steps = [], [], []
        self._on_validation = on_validation

    def note(self, line):
        self.notes.append(line)

    def step(self, step, steps, loss, lr):
        self.steps.append((step, steps, loss, lr))

    def validated(self, record, steps):
        self.validations.append(record)
        if self._on_validation:
            self._on_validation()


def kill():
    raise Killed


@pytest.fixture(scope="module")
def data():
    return clips.stored("imigue", [0, 1, 2], 4, classes=4), clips.stored("imigue", [0, 1, 2], 2, classes=4, seed=5)


@pytest.fixture(scope="module")
def job(data):
    return MmnJob(RunConfig(recipe=RECIPE, data="clips.npz"), *data)


def changed(job, **changes):
    """Return the job with another recipe."""
    recipe = msgspec.structs.replace(job.config.recipe, **changes)
    return MmnJob(msgspec.structs.replace(job.config, recipe=recipe), job.training, job.validation, job.start)


def run(job, folder, machine=EACH_STEP, report=None, should_stop=lambda: False):
    return train(job, RunFolder(folder), machine, report or RunReporter(), should_stop)


@pytest.fixture(scope="module")
def whole(job, tmp_path_factory):
    """Return the folder of a complete run, and its reporter."""
    folder = tmp_path_factory.mktemp("runs") / "new" / "run"
    recorded = RecordingReporter()
    assert run(job, folder, report=recorded) == folder / "best.pt"
    return folder, recorded


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "elapsed_s"} for line in lines]


def assert_same(first, second, where=""):
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second), where
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), where
        for name in first:
            if name != "elapsed_s":
                assert_same(first[name], second[name], f"{where}.{name}")
    elif isinstance(first, list):
        assert len(first) == len(second), where
        for i, (one, other) in enumerate(zip(first, second, strict=True)):
            assert_same(one, other, f"{where}[{i}]")
    else:
        assert first == second, where


def assert_same_run(a, b):
    """Compare metrics, checkpoints, and the state to the last bit: weights, averages, optimizer, random states."""
    assert metrics(a) == metrics(b)
    for name in ("state.pt", "best.pt", "last.pt"):
        assert_same(*(torch.load(folder / name, weights_only=True) for folder in (a, b)), name)


def test_the_files_of_a_run(whole, job):
    folder, recorded = whole
    names = {"config.json", "labels.json", "metrics.jsonl", "state.pt", "best.pt", "last.pt"}
    assert {path.name for path in folder.iterdir()} == names
    assert msgspec.json.decode((folder / "config.json").read_bytes(), type=RunConfig) == job.config
    labels = msgspec.json.decode((folder / "labels.json").read_bytes(), type=tuple[Label, ...])
    assert labels == job.training.labels
    assert [line["step"] for line in metrics(folder)] == [3, 5]
    lines = (folder / "metrics.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=ValidationRecord) for line in lines] == recorded.validations
    last = recorded.validations[-1]
    assert (last.step, last.epoch) == (5, pytest.approx(5 / 3))
    assert 0 <= last.top1 <= 1
    assert 0 < last.loss < 10
    assert recorded.notes == [
        "1 labels have no training clip: label 3",
        "1 labels have no validation clip: label 3",
    ]


def test_checkpoints_describe_themselves(whole):
    folder, recorded = whole
    for name in ("best", "last"):
        checkpoint = load_checkpoint(folder / f"{name}.pt")
        config, info = checkpoint.network.config, checkpoint.info
        assert (config.num_joints, config.num_classes, config.encoding, config.width) == (22, 4, "raw", 16)
        assert (info.layout, info.stream, info.background, info.window_s) == ("imigue", "joint", None, 2.0)
        assert info.name == "MMN joint, depths 1,1,1,1, width 16, made clips"
        assert {f"f1 label {i}" for i in range(4)} < set(info.accuracy)
        assert info.licence == "that of the recordings"
    assert "made clips, 12, each used 1.67 times; scores on made clips, 6" in info.training_data
    assert info.accuracy["top1"] == pytest.approx(recorded.validations[-1].top1, abs=1e-4)
    best = max(recorded.validations, key=lambda record: record.f1_macro)
    found = load_checkpoint(folder / "best.pt").info.accuracy["f1_macro"]
    assert found == pytest.approx(best.f1_macro, abs=1e-4)


def test_the_same_config_gives_the_same_run_with_workers_or_without(whole, job, tmp_path):
    run(job, tmp_path, Machine(workers=1))
    assert_same_run(whole[0], tmp_path)


def test_a_run_killed_after_a_validation_resumes_with_equal_results(whole, job, tmp_path):
    with pytest.raises(Killed):
        run(job, tmp_path, report=RecordingReporter(kill))
    assert [line["step"] for line in metrics(tmp_path)] == [3]
    torch.manual_seed(99)  # another process has another random state
    recorded = RecordingReporter()
    run(job, tmp_path, report=recorded)
    assert "resumes at step 3 of 5" in recorded.notes
    assert_same_run(whole[0], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_run_killed_at_any_write_resumes_with_equal_results(job, tmp_path, monkeypatch, call):
    """Kill before each file is replaced, and before each is synced to disk, configuration and checkpoints included."""
    short = changed(job, steps=3, validate_every=2)
    run(short, tmp_path / "whole")
    real, killed = getattr(os, call), 0
    while True:
        folder, calls = tmp_path / f"{killed}", 0

        def dying(*arguments, at=killed):
            nonlocal calls
            calls += 1
            if calls > at:
                raise Killed
            return real(*arguments)

        monkeypatch.setattr(os, call, dying)
        try:
            run(short, folder)
        except Killed:
            monkeypatch.setattr(os, call, real)
            run(short, folder)
        else:
            break
        finally:
            monkeypatch.setattr(os, call, real)
        assert_same_run(tmp_path / "whole", folder)
        killed += 3 if killed else 1  # one in three; the numbers of both kinds of call share no pattern with it
    assert killed > 8


def test_files_written_after_the_state_are_discarded(whole, job, tmp_path, monkeypatch):
    with pytest.raises(Killed):
        run(job, tmp_path, report=RecordingReporter(kill))
    with (tmp_path / "metrics.jsonl").open("ab") as file:
        file.write((whole[0] / "metrics.jsonl").read_bytes().splitlines(keepends=True)[1])
        file.write(b'{"step":7,"ep')
    run(job, tmp_path)
    assert_same_run(whole[0], tmp_path)


@pytest.mark.parametrize("asked", [1, 4, 5])
def test_a_stopped_run_saves_its_state_and_resumes_with_the_same_average(whole, job, tmp_path, asked):
    """Stop at the first step, between validations, and during one."""
    questions = iter(range(100))
    assert run(job, tmp_path, Machine(), should_stop=lambda: next(questions) + 1 >= asked) is None
    assert (tmp_path / "state.pt").exists()
    run(job, tmp_path)
    assert_same_run(whole[0], tmp_path)


def test_a_finished_run_is_not_changed(whole, job):
    folder, _ = whole
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run(job, folder, report=RecordingReporter(kill)) == folder / "best.pt"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"width": 32}, "width 16 there, 32 here"), ({"batch": 5, "lr": 0.5}, "batch 4 there, 5 here, lr 0.001 there")],
)
def test_a_folder_with_another_run_is_refused_with_the_differences(whole, job, change, expected):
    with pytest.raises(MarEdgeError, match=f"holds a run with another configuration .*{expected}"):
        run(changed(job, **change), whole[0])
    other = MmnJob(msgspec.structs.replace(job.config, data_digest="ab"), job.training, job.validation)
    with pytest.raises(MarEdgeError, match=r"another configuration \(the data has changed\)"):
        run(other, whole[0])
    assert [line["step"] for line in metrics(whole[0])] == [3, 5]


def test_a_later_version_resumes_a_run(whole, job):
    later = MmnJob(msgspec.structs.replace(job.config, mar_edge_version="99"), job.training, job.validation)
    assert run(later, whole[0]) == whole[0] / "best.pt"


def test_a_state_that_is_damaged_or_foreign_is_one_line(job, tmp_path):
    with pytest.raises(Killed):
        run(job, tmp_path, report=RecordingReporter(kill))
    state = tmp_path / "state.pt"
    content = state.read_bytes()
    foreign = torch.load(state, weights_only=True)
    foreign["config"] = msgspec.json.encode(msgspec.structs.replace(job.config, seed=9)).decode()
    damaged = [content[: len(content) // 2], b"", b"hello", content[:1000] + bytes(200) + content[1200:]]
    for wrong in damaged:
        state.write_bytes(wrong)
        with pytest.raises(MarEdgeError, match=r"state.pt is damaged .*; remove it to restart the run"):
            run(job, tmp_path)
    torch.save({"format": "something else"}, state)
    with pytest.raises(MarEdgeError, match=r"state.pt is damaged or not a training state"):
        run(job, tmp_path)
    torch.save(foreign, state)
    with pytest.raises(MarEdgeError, match=r"state.pt belongs to another run"):
        run(job, tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(MarEdgeError, match=r"config.json is not the configuration of a run"):
        run(job, tmp_path)


def test_a_folder_that_cannot_be_written(job, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MarEdgeError, match=r"cannot write .*Not a directory"):
        run(job, tmp_path / "file" / "run")
    with pytest.raises(MarEdgeError, match="cannot write to the run folder"), RunFolder(tmp_path / "file").locked():
        pass


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_its_state(job, tmp_path):
    wild = changed(job, lr=1e30, schedule="one-cycle", clip_norm=None)
    with pytest.raises(MarEdgeError, match=r"no longer a number at step \d; .* lower --lr"):
        run(wild, tmp_path)
    if (tmp_path / "state.pt").exists():
        saved = torch.load(tmp_path / "state.pt", weights_only=True)
        assert math.isfinite(saved["standing"]["loss_sum"])
    assert not (tmp_path / "best.pt").exists()


def test_another_seed_and_another_stream_are_other_runs(whole, job, tmp_path):
    seeded = MmnJob(msgspec.structs.replace(job.config, seed=2), job.training, job.validation)
    run(seeded, tmp_path / "seed")
    run(changed(job, stream="bone"), tmp_path / "bone")
    losses = [metrics(folder)[0]["loss"] for folder in (whole[0], tmp_path / "seed", tmp_path / "bone")]
    assert len(set(losses)) == 3
    info = load_checkpoint(tmp_path / "bone" / "last.pt").info
    assert (info.stream, info.name.startswith("MMN bone")) == ("bone", True)


def test_every_tenth_step_is_reported(job, tmp_path):
    recorded = RecordingReporter()
    run(changed(job, steps=20, validate_every=100), tmp_path, report=recorded)
    assert [(step, steps) for step, steps, _, _ in recorded.steps] == [(10, 20), (20, 20)]
    assert [record.step for record in recorded.validations] == [20]


def test_the_synthetic_recipe_on_synthetic_motion(tmp_path):
    recipe = msgspec.structs.replace(SYNTHETIC, width=16, steps=3, batch=4, validate_every=2)
    job = MmnJob(RunConfig(recipe=recipe), SyntheticDataset(1, 12), SyntheticDataset(2, 16))
    with pytest.raises(Killed):
        run(job, tmp_path / "killed", report=RecordingReporter(kill))
    for folder in ("killed", "whole"):
        run(job, tmp_path / folder)
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    info = load_checkpoint(tmp_path / "whole" / "last.pt").info
    assert info.labels[info.background].name == "no action"
    assert "synthetic motion only, 12 clips, seed 1" in info.training_data
    assert "each used at most once" in info.training_data
    assert info.name.endswith("synthetic motion only")
    assert info.licence == "Apache-2.0"
    state = torch.load(tmp_path / "whole" / "state.pt", weights_only=True)["parts"]
    assert any(  # what is kept is an average, not the last weights
        not torch.equal(tensor, state["average"][f"module.{name}"]) for name, tensor in state["network"].items()
    )


def test_a_network_with_several_labels(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "_MEASURED_RECORDINGS", 60)
    recipe = msgspec.structs.replace(CONCURRENT, width=16, steps=3, batch=4, validate_every=2)
    data = [SyntheticDataset(seed, 16, live=0.5, concurrent=True) for seed in (1, 2)]
    job = MmnJob(RunConfig(recipe=recipe, data="synth-concurrent"), *data)
    with pytest.raises(Killed):
        run(job, tmp_path / "killed", report=RecordingReporter(kill))
    for folder in ("killed", "whole"):
        run(job, tmp_path / folder, Machine(save_every=1, keep_all=True))
    assert_same_run(tmp_path / "whole", tmp_path / "killed")
    checkpoint = load_checkpoint(tmp_path / "whole" / "best.pt")
    info = checkpoint.info
    assert (info.activation, info.background, len(info.labels)) == ("sigmoid", None, 52)
    assert checkpoint.network.config.num_classes == 52
    rates = dict(zip((label.name for label in info.labels), info.rates, strict=True))
    assert np.mean(list(rates.values())) == pytest.approx(1, abs=0.01)
    assert rates["turning head"] > 3 * rates["covering face"] > 0
    assert 0 < info.accuracy["mean_ap"] < 1
    assert {line["mean_ap"] is None for line in metrics(tmp_path / "whole")} == {False}
    kept = sorted(path.name for path in (tmp_path / "whole").glob("step-*.pt"))
    assert kept == ["step-000002.pt", "step-000003.pt"]
    labels = msgspec.json.decode((tmp_path / "whole" / "labels.json").read_bytes(), type=tuple[Label, ...])
    assert labels == info.labels


def test_sigmoid_losses_accept_clips_with_one_label(job, tmp_path):
    run(changed(job, loss="asymmetric", steps=2), tmp_path)
    info = load_checkpoint(tmp_path / "best.pt").info
    assert (info.activation, info.labels) == ("sigmoid", job.training.labels)
    assert load_checkpoint(tmp_path / "best.pt").info.rates


def test_several_labels_with_a_loss_for_one_is_a_warning(tmp_path):
    recipe = msgspec.structs.replace(SYNTHETIC, width=16)
    data = SyntheticDataset(1, 16, live=0.5, concurrent=True)
    assert any("--loss bce teaches all" in line for line in MmnJob(RunConfig(recipe=recipe), data, data).warnings())
    with pytest.raises(MarEdgeError, match="--balance weights is for the loss cross-entropy, not for bce"):
        msgspec.structs.replace(recipe, loss="bce", balance="weights")


def uneven():
    """Return 30 clips of label 0, 3 of label 1, none of label 2."""
    many = clips.stored("imigue", [0, 1, 2], 30)
    labels = many.known_labels()
    return many.only(np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[:3]]), "part")


def test_rare_classes_weigh_more_in_the_loss(tmp_path):
    training = uneven()
    plain = MmnJob(RunConfig(recipe=msgspec.structs.replace(RECIPE, steps=1), data="clips.npz"), training, training)
    weighed = changed(plain, balance="weights")
    assert plain.loss_weights() is None
    np.testing.assert_allclose(weighed.loss_weights(), class_weights(np.array([30, 3, 0])), rtol=1e-6)
    for job, name in ((plain, "plain"), (weighed, "weighed")):
        run(job, tmp_path / name)
    losses = [metrics(tmp_path / name)[0]["loss"] for name in ("plain", "weighed")]
    counts = np.bincount(training.known_labels()[plain.plan.indices(0)], minlength=3)
    # The network hardly tells classes apart yet: the loss scales as the mean weight of the batch does.
    expected = (counts * weighed.loss_weights()).sum() / counts.sum()
    assert losses[1] / losses[0] == pytest.approx(expected, rel=0.35)


def test_rare_classes_are_drawn_more_often():
    training = uneven()
    config = RunConfig(recipe=msgspec.structs.replace(RECIPE, balance="sampling", batch=30), data="clips.npz")
    job = MmnJob(config, training, training)
    drawn = np.concatenate([training.known_labels()[job.plan.indices(n)] for n in range(50)])
    assert (drawn == 1).mean() == pytest.approx(0.5, abs=0.05)
    assert job.loss_weights() is None
    synthetic = MmnJob(config, SyntheticDataset(1, 64), SyntheticDataset(2, 64))
    with pytest.raises(MarEdgeError, match="balanced already; leave out --balance sampling"):
        _ = synthetic.plan


def test_epochs_count_passes_over_the_data(job):
    assert changed(job, steps=None, epochs=4, batch=5).steps == 4 * 2
    assert changed(job, steps=None, epochs=4, batch=5, validate_every=None).validate_every == 2
    assert changed(job, steps=None, epochs=4, batch=50).steps == 4


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_cuda_is_refused_and_no_folder_made(job, tmp_path):
    with pytest.raises(MarEdgeError, match="no CUDA device"):
        run(job, tmp_path / "run", Machine(device="cuda"))
    assert not (tmp_path / "run").exists()
