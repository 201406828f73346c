"""``serve`` as a user runs it: what it refuses, how it stops, and that it needs no torch."""

import re
import signal
import socket
import subprocess
import sys

import pytest
import tiny_manet
import tiny_model
from import_times import imported


@pytest.fixture
def address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


def test_serving_needs_no_torch(cli, ma52_model, address):
    done = cli(
        *("serve", "--camera", "demo:", "--model", ma52_model.path, "--bind", address, "--max-seconds", 1.5),
        python=("-X", "importtime"),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "tiny joint" in done.stdout
    assert {"zmq", "onnxruntime", "cv2"} <= imported(done.stderr)
    assert not {"torch", "onnx", "onnxscript", "training", "export"} & imported(done.stderr)


def test_wrong_cameras_are_refused(user_error, tmp_path, address):
    text, empty = tmp_path / "text.mp4", tmp_path / "empty.mp4"
    text.write_text("hello, I am no video\n" * 50)
    empty.touch()
    for camera, expected in {
        "99": "no camera with index 99",
        tmp_path: "is a directory",
        text: "not a video that FFmpeg can read",
        empty: "is empty (0 bytes)",
        tmp_path / "nowhere.mp4": "no such video file",
        "gopher://x": "unknown kind of URL",
    }.items():
        assert expected in user_error("serve", "--camera", camera, "--bind", address)


def test_a_port_in_use_is_refused(user_error):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        assert "in use" in user_error("serve", "--camera", "demo:", "--bind", address)


def test_a_model_of_another_layout_is_served(cli, imigue_model, address):
    done = cli("serve", "--camera", "demo:", "--model", imigue_model.path, "--bind", address, "--max-seconds", 0.5)
    assert done.returncode == 0, done.stderr
    assert "imigue" in done.stdout


def test_skeletons_and_pictures_together_and_what_pictures_cost(cli, tmp_path, address):
    models = tiny_manet.write(tmp_path / "pictures.onnx"), tiny_model.write(tmp_path / "skeletons.onnx")
    named = [text for model in models for text in ("--model", model)]  # in any order
    done = cli(
        "serve", "--camera", "demo:", *named, "--bind", address, "--max-seconds", 1.5, "--record", tmp_path / "rec"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "camera: tiny, 12 labels" in done.stdout
    assert re.search(r"pictures: an inference takes \S+ s on \S+ .*, \d+ times one from skeletons; ", done.stderr)
    (recording,) = (tmp_path / "rec").iterdir()
    assert b'"kind":"answer"' in recording.read_bytes()
    again = cli("replay", recording, *named, "--bind", address)
    assert again.returncode == 0, again.stderr[-2000:]
    assert "an inference takes" not in again.stderr


def test_two_models_that_look_at_the_same_are_refused(user_error, tmp_path, address):
    model = tiny_model.write(tmp_path / "skeletons.onnx")
    message = user_error("serve", "--camera", "demo:", "--model", model, "--model", model, "--bind", address)
    assert "given were 2 of skeletons and 0 of pictures" in message


def test_a_file_that_is_not_a_model_is_refused(user_error, tmp_path, address):
    (tmp_path / "m.onnx").write_text("hello\n")
    assert "is not a model" in user_error(
        "serve", "--camera", "demo:", "--model", tmp_path / "m.onnx", "--bind", address
    )


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_signals_end_serving_in_order(ma52_model, address, sent, code):
    command = [sys.executable, "-u", "-m", "mar_edge", "serve", "--camera", "demo:"]
    command += ["--model", str(ma52_model.path), "--bind", address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        try:
            first = serving.stdout.readline()
            assert first, serving.stderr.read()
            serving.send_signal(sent)
            out, err = serving.communicate(timeout=60)
        finally:
            serving.kill()
    assert serving.returncode == code, err
    assert "Traceback" not in out + err
    assert "end" in out.splitlines()[-1]
