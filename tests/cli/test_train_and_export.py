"""``synth``, ``train`` and ``export`` as a user runs them."""

import re

import cv2
import networks
import numpy as np
import pytest
import torch


def test_synth_writes_arrays(cli, tmp_path):
    done = cli("synth", "--out", tmp_path / "clips.npz", "--count", 5, "--seed", 3)
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 clips" in done.stdout
    with np.load(tmp_path / "clips.npz") as arrays:
        assert arrays["joints"].shape == (5, 64, 44, 2)


def test_synth_draws_a_clip(here, tmp_path):
    done = here("synth", "--out", tmp_path / "clip.mp4", "--action", "shaking head")
    assert (done.returncode, done.stderr) == (0, "")
    assert "shaking head" in done.stdout
    video = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    assert video.isOpened()
    assert video.read()[0]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--out", "clip.mp4", "--action", "flying"), "no action 'flying'"),
        (("--out", "clips.npz", "--action", "nodding"), "--action goes with a drawing"),
        (("--out", "clips.csv"), "ends in .mp4"),
        (("--out", "/dev/null/clips.npz", "--count", "1"), "cannot write"),
        (("--statistics", "--out", "x.npz"), "--statistics prints a table and takes no --out"),
        (("--real", "."), "--real goes with --statistics"),
        ((), "--out is missing"),
        (("--statistics", "--without", "wind"), "no feature 'wind' of synthetic worlds; there are: drag"),
    ],
)
def test_synth_refuses_wrong_options(user_error, tmp_path, monkeypatch, arguments, expected):
    monkeypatch.chdir(tmp_path)
    assert expected in user_error("synth", *arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_train_reports_its_progress_and_result(cli, here, user_error, tmp_path):
    held_out = tmp_path / "held_out.npz"
    here("synth", "--out", held_out, "--count", 16)
    options = ("--run", tmp_path / "run", "--validation", held_out, "--width", 16, "--steps", 10, "--batch", 2)
    done = cli("train", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^step 10/10  loss \d\.\d+  held-out top-1 ", done.stdout, re.MULTILINE)
    assert done.stdout.rstrip().endswith("best.pt")
    assert "another configuration" in user_error("train", *options, "--seed", 2)


def test_train_refuses_a_wrong_width(user_error, tmp_path):
    assert "multiple of 16" in user_error("train", "--run", tmp_path / "run", "--width", 40)


def test_export_names_what_it_wrote(here, ma52_model, tmp_path):
    out = tmp_path / "new" / "model.onnx"
    done = here("export", *ma52_model.sources, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(out) in done.stdout
    assert "12 classes; largest logit difference from PyTorch" in done.stdout


def test_export_refuses_other_files(user_error, tmp_path):
    text, wrong = tmp_path / "text.pt", tmp_path / "wrong.pt"
    text.write_text("hello\n")
    torch.save(networks.golden(networks.MA52).state_dict() | {"head.scale": torch.zeros(3)}, wrong)
    out = tmp_path / "model.onnx"
    assert "is not a checkpoint" in user_error("export", text, "--out", out)
    assert "key 'head.scale' is unexpected" in user_error("export", wrong, "--out", out)
    assert "cannot read checkpoint" in user_error("export", tmp_path / "nowhere.pt", "--out", out)
    assert not out.exists()
