"""``serve --pose`` with model files, and ``models`` by name."""

import os
import socket
import subprocess
import sys
import threading
import zipfile

import cv2
import numpy as np
import pose_networks as networks
import pytest

from mar_edge import LabelSubscriber
from mar_edge.cli.model_download import fetch_shown
from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.choice import PoseConfig, pose_stage
from mar_edge.edge.zoo import catalog
from mar_edge.streaming.wire.messages import HelloMessage, LabelMessage, SkeletonMessage


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return networks.seeing_files(tmp_path_factory.mktemp("pose"))


def swaying(frame, x, phase):
    rows = np.stack(np.meshgrid(np.arange(4), np.arange(7)), axis=-1).reshape(-1, 2)[:26] * (40, 60) + (x, 80)
    sway = 12 * np.sin(frame / 4 + phase) * (rows[:, 1] < 300)
    return (rows + np.column_stack([sway, np.zeros(26)])).astype(np.float32)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Return a video of two people who sway, for 1.5 s; lossless, since colors tell who is who."""
    path = tmp_path_factory.mktemp("video") / "two.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 20.0, (640, 560))
    for frame in range(30):
        image = np.full((560, 640, 3), networks.BACKGROUND, np.uint8)
        networks.draw(image, swaying(frame, 80, 0.0), networks.CLOTHES[0])
        networks.draw(image, swaying(frame, 400, 2.0), networks.CLOTHES[1])
        writer.write(image)
    writer.release()
    return path


def test_serve_follows_two_people_with_model_files(files, video):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    pose, detector = files
    command = [sys.executable, "-m", "mar_edge", "serve", "--camera", str(video)]
    command += ["--pose", str(pose), "--detector", f"rtmdet:{detector}", "--people", "2", "--no-motion-gate"]
    command += ["--as-fast-as-possible", "--skeletons", "--wait-subscribers", "1", "--bind", address]
    heard = []

    def listen():
        with LabelSubscriber(address, timeout_s=100, until_end=True) as messages:
            heard.extend(messages)

    listener = threading.Thread(target=listen)
    listener.start()
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    listener.join(timeout=30)
    assert done.returncode == 0, done.stderr
    pose_name = next(m for m in heard if isinstance(m, HelloMessage)).pose
    assert pose_name.startswith("pose.onnx after detector.onnx on onnxruntime ")
    skeletons = [m for m in heard if isinstance(m, SkeletonMessage) and m.person >= 0]
    middles = {person: [] for person in (0, 1)}
    for message in skeletons:
        middles[message.person].append(np.mean([joint[0] for joint in message.joints if joint]))
    assert {round(np.mean(xs) / 320) for xs in middles.values()} == {0, 1}
    assert all(np.ptp(xs) < 40 for xs in middles.values())
    assert {m.person for m in heard if isinstance(m, LabelMessage)} == {0, 1}


def test_demo_takes_pose_models(here, files):
    done = here("demo", "--pose", files[0], "--detector", "nowhere.onnx")
    assert (done.returncode, done.stderr) == (
        1,
        "error: no detector model at nowhere.onnx; a known one by name: 'mar-edge models --list'\n",
    )


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MAR_EDGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MAR_EDGE_MIRROR", raising=False)
    return tmp_path


@pytest.fixture
def mirror(home, files):
    """Return a folder with the archives of a pose model and its detector. Their hashes are not published."""
    folder = home / "mirror"
    folder.mkdir()
    for name, path in (("rtmpose-s-halpe26", files[0]), ("rtmdet-nano", files[1])):
        archive = folder / os.path.basename(catalog.known_model(name).url)
        with zipfile.ZipFile(archive, "w") as opened:
            opened.write(path, "20230831/end2end.onnx")
    return folder


def test_known_models_are_downloaded_from_a_mirror(here, mirror):
    listed = here("models", "--list")
    assert (listed.returncode, listed.stderr) == (0, "")
    for name, model in catalog.known_models().items():
        assert name in listed.stdout
        assert model.licence in listed.stdout
    done = here("models", "rtmpose-s-halpe26", "--download", "--mirror", mirror)
    assert done.returncode == 0, done.stderr
    assert "rtmpose-s-halpe26 (Apache-2.0) from file://" in done.stderr
    assert done.stdout.count(".onnx") == 2  # and its detector
    again = here("models", "rtmpose-s-halpe26", "--download")
    assert (again.returncode, again.stderr, again.stdout) == (0, "", done.stdout)
    told = here("models", "rtmpose-s-halpe26").stdout
    for part in ("26 keypoints", "192x256 px", "rtmdet-nano", "Apache-2.0", "https://", "yes, since"):
        assert part in told


def test_a_known_pose_stage_is_downloaded_and_opened(mirror, monkeypatch, capsys):
    monkeypatch.setenv("MAR_EDGE_MIRROR", str(mirror))
    with pose_stage(PoseConfig("rtmpose-s-halpe26"), fetch_shown)(load_layout("ma52")) as opened:
        assert opened.name.startswith("rtmpose-s-halpe26 after rtmdet-nano on ")
    assert "from file://" in capsys.readouterr().err


def test_unknown_models_are_refused(user_error, home):
    assert "by name there are: rtmw-m" in user_error("models", "rtmw-xxl")
    assert "no model file at x.onnx" in user_error("models", "x.onnx")
    assert "has no rtmw-dw-l-m_simcc" in user_error("models", "rtmw-m", "--download", "--mirror", home)
