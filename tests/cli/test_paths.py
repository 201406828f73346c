"""Every path on the command line may be unusable: that is one line, and never a traceback."""

import os

import pytest

TOO_LONG = "x" * 300
READ = {
    "agree": ("agree", "PATH", "recording"),
    "agree, the map": ("agree", "recording", "recording", "--map", "PATH"),
    "analyze": ("analyze", "PATH", "--out", "new"),
    "analyze, the model": ("analyze", "clip.mp4", "--out", "new", "--model", "PATH"),
    "annotations": ("annotations", "PATH", "--out", "new.csv"),
    "annotations, the map": ("annotations", "recording", "--out", "new.csv", "--map", "PATH"),
    "annotations, the video": ("annotations", "recording", "--out", "new.eaf", "--media", "PATH"),
    "audit": ("audit", "PATH"),
    "average": ("average", "PATH", "PATH", "--out", "new.pt"),
    "bench": ("bench", "PATH"),
    "bench, the picture": ("bench", "--pose", "holistic", "--image", "PATH"),
    "build": ("build", "PATH", "--target", "sm86", "--out", "new.engine"),
    "calibrate": ("calibrate", "PATH", "--out", "new.onnx"),
    "calibrate, frames": ("calibrate", "--pose", "holistic", "--frames", "PATH", "--out", "new"),
    "evaluate": ("evaluate", "PATH", "--out", "new"),
    "evaluate, clips": ("evaluate", "package", "--data", "PATH", "--out", "new"),
    "evaluate, recordings": ("evaluate", "package", "--data", "recordings:PATH", "--out", "new"),
    "evaluate, corrections": ("evaluate", "package", "--data", "corrections:PATH", "--out", "new"),
    "evaluate, truth": ("evaluate", "package", "--data", "truth:PATH", "--out", "new"),
    "evaluate, ma52": ("evaluate", "package", "--data", "ma52:PATH", "--out", "new"),
    "export": ("export", "PATH", "--out", "new.onnx"),
    "export, labels": ("export", "PATH", "--labels", "PATH", "--out", "new.onnx"),
    "models": ("models", "PATH"),
    "plot": ("plot", "PATH", "--out", "new.png"),
    "profile": ("profile", "PATH", "--out", "new.csv"),
    "profile, the baseline": ("profile", "recording", "--out", "new.csv", "--baseline", "PATH"),
    "relay, the key": ("relay", "--connect", "ipc://a", "--bind", "ipc://b", "--key", "PATH", "--clients", "PATH"),
    "replay": ("replay", "PATH", "--bind", "ipc://b"),
    "replay, the configuration": ("replay", "recording", "--config", "PATH"),
    "serve, the camera": ("serve", "--camera", "PATH"),
    "serve, the configuration": ("serve", "--config", "PATH"),
    "serve, the model": ("serve", "--camera", "demo:", "--bind", "ipc://b", "--model", "PATH"),
    "serve, the prior": ("serve", "--camera", "demo:", "--bind", "ipc://b", "--prior", "PATH"),
    "serve, the pose": ("serve", "--camera", "demo:", "--bind", "ipc://b", "--pose", "PATH"),
    "serve, the key": ("serve", "--camera", "demo:", "--bind", "ipc://b", "--key", "PATH", "--clients", "PATH"),
    "serve, the baseline": ("serve", "--camera", "demo:", "--profile", "--profile-baseline", "PATH"),
    "subscribe, the key": ("subscribe", "--connect", "ipc://b", "--key", "PATH", "--server-key", "PATH"),
    "teach": ("teach", "waving", "--recording", "PATH", "--at", "1-2", "--body", "head", "--out", "new.onnx"),
    "teach, the folder": ("teach", "waving", "--folder", "PATH", "--body", "head", "--out", "new.onnx"),
    "train, the data": ("train", "--run", "new", "--data", "ma52:PATH"),
    "train, the start": ("train", "--run", "new", "--data", "synth", "--from", "PATH"),
    "train, the labels": ("train", "--run", "new", "--labels", "PATH"),
    "train, the validation": ("train", "--run", "new", "--validation", "PATH"),
    "view": ("view", "PATH", "--no-open"),
    "view, the video": ("view", "recording", "--media", "PATH", "--no-open"),
}
WRITTEN = {
    "agree": ("agree", "recording", "recording", "--out", "PATH"),
    "analyze": ("analyze", "clip.mp4", "--out", "PATH"),
    "annotations": ("annotations", "recording", "--out", "PATH.csv"),
    "keygen": ("keygen", "PATH"),
    "plot": ("plot", "recording", "--out", "PATH"),
    "profile": ("profile", "recording", "--out", "PATH"),
    "record": ("record", "PATH", "--connect", "ipc://b"),
    "serve": ("serve", "--camera", "demo:", "--bind", "ipc://b", "--max-seconds", "0.1", "--record", "PATH"),
    "synth": ("synth", "--out", "PATH", "--count", "1"),
    "train": ("train", "--run", "PATH"),
    "bridge": ("bridge", "--to", "nats://localhost", "--journal", "PATH"),
}


@pytest.fixture
def unusable(tmp_path, monkeypatch, recording):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recording").symlink_to(recording)
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "clip.mp4").touch()
    os.symlink("loop", "loop")
    os.symlink("nowhere", "broken")


@pytest.mark.usefixtures("unusable")
@pytest.mark.parametrize("command", READ)
def test_a_path_that_cannot_be_read(user_error, command):
    for path in (TOO_LONG, "loop"):
        assert path in user_error(*(word.replace("PATH", path) for word in READ[command]))


@pytest.mark.usefixtures("unusable")
@pytest.mark.parametrize("command", WRITTEN)
def test_a_path_that_cannot_be_written(user_error, command):
    assert TOO_LONG in user_error(*(word.replace("PATH", TOO_LONG) for word in WRITTEN[command]))


@pytest.mark.usefixtures("unusable")
@pytest.mark.parametrize("path", ["file/below", "broken", "empty"])
def test_a_video_that_cannot_be_read(user_error, path):
    assert user_error("view", "recording", "--media", path, "--no-open").startswith("error: --media: ")
