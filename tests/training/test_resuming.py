"""A run resumes from its folder alone: every recipe, stopped at any point, with data that moved."""

import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import clips
import msgspec
import networks
import pytest
import torch
from full_disk import full_disk
from killed_runs import Killed, Notes

from mar_edge.edge.errors import MarEdgeError
from mar_edge.training import command, configure
from mar_edge.training.command import run_training
from mar_edge.training.datasets import synthetic
from mar_edge.training.options import TrainOptions
from mar_edge.training.recipe import PRESETS
from mar_edge.training.reporting import TensorBoardReporter
from mar_edge.training.run_folder import RunConfig, RunFolder

TINY = {"width": 16, "depths": (1, 1, 1, 1), "batch": 4, "validation_clips": 8, "least_steps": 0}
STEPS = 3
MAKE_CHUNK = functools.cache(synthetic.make_chunk)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Write a miniature MA-52: 8 clips to train on, 4 to validate on."""
    folder = tmp_path_factory.mktemp("data") / "ma52"
    folder.mkdir()
    clips.write_authors(folder, "ma52", "train", [0, 3], 4)
    clips.write_authors(folder, "ma52", "val", [0, 3], 2)
    return folder


@pytest.fixture
def tiny(monkeypatch):
    """Return the recipes with a small network and a validation every two steps."""
    small = {name: msgspec.structs.replace(recipe, **TINY, validate_every=2) for name, recipe in PRESETS.items()}
    monkeypatch.setattr(configure, "PRESETS", small)
    monkeypatch.setattr(synthetic, "make_chunk", MAKE_CHUNK)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    from mar_edge.edge.network.checkpoint import save_checkpoint

    path = tmp_path_factory.mktemp("start") / "start.pt"
    save_checkpoint(path, networks.golden(networks.MA52), networks.info("joint"))
    return path


def options(recipe, data, start):
    if recipe in {"synthetic", "live"}:
        return TrainOptions(data="synth" if recipe == "synthetic" else "synth-live", preset=recipe, steps=STEPS)
    first = start if recipe in {"fine-tune", "corrections"} else None
    return TrainOptions(data=f"ma52:{data}", preset=recipe, start=first, steps=STEPS)


def train(folder, asked=None, report=None, should_stop=lambda: False):
    return run_training(folder, asked or TrainOptions(), report or Notes(), should_stop, workers=0, save_every=1)


def assert_same_weights(one, other):
    first, second = (torch.load(folder / "last.pt", weights_only=True)["state_dict"] for folder in (one, other))
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def steps_of(folder):
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def kill():
    raise Killed


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("recipe", PRESETS)
def test_every_recipe_resumes_from_its_folder_alone(tmp_path, data, start, recipe):
    """Resume after a kill, after Ctrl-C, and after the end of the run, for more steps."""
    whole, folder = tmp_path / "whole", tmp_path / "run"
    train(whole, options(recipe, data, start))
    with pytest.raises(Killed):
        train(folder, options(recipe, data, start), Notes(kill))
    questions = iter(range(99))
    assert train(folder, should_stop=lambda: next(questions) >= 0) is None
    assert train(folder) == folder / "best.pt"
    assert steps_of(folder) == [2, STEPS]
    assert_same_weights(whole, folder)
    assert train(folder) == folder / "best.pt"  # its end is its end
    notes = Notes()
    train(folder, TrainOptions(steps=5), notes)
    assert f"continues to step 5, not {STEPS}; its learning rate follows the new length" in notes.lines
    assert steps_of(folder) == [2, STEPS, 4, 5]
    assert train(folder) == folder / "best.pt"  # the longer run is the run now
    with pytest.raises(MarEdgeError, match="has done 5 steps already; --steps takes more, not 4"):
        train(folder, TrainOptions(steps=4))


def older_state(folder):
    """``state.pt`` as it was before it held its config, with the hash of what was configured, and without a family."""
    content = torch.load(folder / "state.pt", weights_only=True)
    config = msgspec.json.decode((folder / "config.json").read_bytes())
    del config["recipe"]["family"]
    (folder / "config.json").write_bytes(msgspec.json.encode(config))
    del content["config"]
    content["run"] = hashlib.sha256(msgspec.json.encode(config | {"mar_edge_version": ""})).hexdigest()
    torch.save(content, folder / "state.pt")
    return config


@pytest.mark.usefixtures("tiny")
def test_older_states_resume(tmp_path, data, start):
    folder = tmp_path / "run"
    with pytest.raises(Killed):
        train(folder, options("paper", data, start), Notes(kill))
    config = older_state(folder)
    rotation = config["recipe"]["augmentation"]["rotate_deg"]
    assert isinstance(rotation, int)  # what reading it as a number of degrees changes
    notes = Notes()
    train(folder, report=notes)
    assert f"resumes at step 2 of {STEPS}" in notes.lines


@pytest.mark.usefixtures("tiny")
def test_a_run_resumes_after_its_data_moved(tmp_path, data, start, monkeypatch):
    here = tmp_path / "here"
    shutil.copytree(data, here)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "run"
    with pytest.raises(Killed):
        train(folder, options("paper", "here", start), Notes(kill))
    for same in ("ma52:here/", f"ma52:{here}", "ma52-train:./here"):
        questions = iter(range(99))
        assert train(folder, TrainOptions(data=same), should_stop=lambda i=questions: next(i) >= 0) is None
    here.rename(tmp_path / "there")
    with pytest.raises(MarEdgeError, match=r"needs here, which does not exist; --data names its new place"):
        train(folder)
    train(folder, TrainOptions(data="ma52:there"))
    assert train(folder) == folder / "best.pt"  # the folder knows it now
    assert steps_of(folder) == [2, STEPS]


@pytest.mark.usefixtures("tiny")
def test_the_start_may_move_but_other_data_is_another_run(tmp_path, data, start):
    moved, folder, other = tmp_path / "moved.pt", tmp_path / "run", tmp_path / "other"
    shutil.copy(start, moved)
    with pytest.raises(Killed):
        train(folder, options("fine-tune", data, moved), Notes(kill))
    moved.unlink()
    with pytest.raises(MarEdgeError, match=r"moved.pt, which does not exist; --from names its new place"):
        train(folder)
    clips_elsewhere = shutil.copytree(data, other)
    clips.write_authors(clips_elsewhere, "ma52", "train", [0, 5], 4)
    for wrong, expected in (
        ({"data": f"ma52:{other}"}, "the data has changed"),
        ({"data": "synth"}, "data files there, synth here"),
        ({"seed": 5}, "seed 1 there, 5 here"),
        ({"lr": 0.5}, "lr 0.0003 there, 0.5 here"),
        ({"stream": "bone"}, "stream joint there, bone here"),
        ({"mirror": True}, "mirror 0.0 there, 0.5 here"),
    ):
        with pytest.raises(MarEdgeError, match=expected):
            train(folder, TrainOptions(start=start, **wrong))
    assert train(folder, TrainOptions(start=start)) == folder / "best.pt"


@pytest.mark.usefixtures("tiny")
def test_a_run_does_not_overwrite_its_start(tmp_path, data, start):
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(start, folder / "best.pt")
    with pytest.raises(MarEdgeError, match=r"best.pt is an input, which would be lost"):
        train(folder, options("fine-tune", data, folder / "best.pt"))
    assert (folder / "best.pt").read_bytes() == start.read_bytes()


@pytest.mark.usefixtures("tiny")
def test_a_full_disk_ends_a_run_in_one_line_and_it_resumes(tmp_path, data, start, capsys):
    whole, folder = tmp_path / "whole", tmp_path / "run"
    train(whole, options("paper", data, start))
    with pytest.raises(Killed):
        train(folder, options("paper", data, start), Notes(kill))
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".pt"}
    with full_disk(1000), pytest.raises(MarEdgeError, match=r"cannot write .*\.pt: File too large"):
        train(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".pt"} == before
    assert not list(folder.glob(".mar-edge-*"))
    train(folder)
    assert_same_weights(whole, folder)
    assert capsys.readouterr().err == ""


def test_a_full_disk_ends_the_curves_but_not_the_run(tmp_path, capsys):
    with full_disk(200), TensorBoardReporter(tmp_path) as curves:
        for step in range(10):
            curves.step(step, 10, 1.0, 0.1)
    message = capsys.readouterr().err
    assert message == f"no more curves in {tmp_path}: File too large; the run continues\n"


def test_an_incomplete_line_of_metrics_is_removed_on_resuming(tmp_path):
    from mar_edge.training.run_folder import ValidationRecord

    folder = RunFolder(tmp_path)
    record = ValidationRecord(step=1, epoch=1, loss=1, lr=1, top1=1, f1_macro=1, elapsed_s=1)
    with full_disk(20), pytest.raises(MarEdgeError, match=r"cannot write .*metrics\.jsonl: File too large"):
        folder.append(record)
    folder.resume(RunConfig(recipe=PRESETS["paper"]), {}, torch.device("cpu"))
    assert (tmp_path / "metrics.jsonl").read_bytes() == b""


def test_one_process_at_a_time(tmp_path):
    folder = tmp_path / "run"
    with RunFolder(folder).locked():
        (folder / "config.json").write_text("{}")
        with pytest.raises(MarEdgeError, match=r"another process is training in .*;"), RunFolder(folder).locked():
            pass
    with RunFolder(folder).locked():  # it ends
        pass


def test_a_new_folder_without_a_run_is_removed(tmp_path):
    with pytest.raises(MarEdgeError, match="no data set 'people'"):
        train(tmp_path / "new" / "run", TrainOptions(data="people"))
    assert not (tmp_path / "new" / "run").exists()


WORKER = """
import sys
from pathlib import Path
import msgspec
from mar_edge.training import command, configure
from mar_edge.training.options import TrainOptions
from mar_edge.training.recipe import PRESETS
from mar_edge.training.reporting import RunReporter
small = dict(width=16, depths=(1, 1, 1, 1), batch=4, validation_clips=8, validate_every=10**6)
configure.PRESETS = {name: msgspec.structs.replace(recipe, **small) for name, recipe in PRESETS.items()}
asked = TrainOptions(data="ma52:" + sys.argv[2], preset="paper", steps=10**6)
command.run_training(Path(sys.argv[1]), asked, RunReporter(), lambda: False, workers=0, save_every=1)
"""


@pytest.mark.usefixtures("tiny")
def test_a_real_process_that_is_killed_leaves_no_lock(tmp_path, data):
    folder = tmp_path / "run"
    environment = os.environ | {"PYTHONPATH": str(Path(command.__file__).resolve().parents[1])}
    process = subprocess.Popen([sys.executable, "-c", WORKER, folder, data], env=environment)
    try:
        while not (folder / "state.pt").exists():
            assert process.poll() is None
            time.sleep(0.05)
        with pytest.raises(MarEdgeError, match="another process is training in"):
            train(folder)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    notes = Notes()
    questions = iter(range(99))
    assert train(folder, report=notes, should_stop=lambda: next(questions) >= 1) is None
    assert any(line.startswith("resumes at step ") for line in notes.lines)
