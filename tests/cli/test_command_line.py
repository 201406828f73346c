"""``mar-edge`` itself: what it costs to ask for help, and how it says that something is wrong."""

import pytest
from import_times import imported

import mar_edge

HEAVY = {"torch", "cv2", "numpy", "onnxruntime", "onnx", "zmq", "msgspec"}
COMMANDS = [
    "serve",
    "subscribe",
    "demo",
    "export",
    "synth",
    "train",
    "evaluate",
    "models",
    "doctor",
    "annotations",
    "plot",
    "view",
]


def test_help_is_cheap_and_names_every_command(cli):
    done = cli("--help", python=("-X", "importtime"))
    assert done.returncode == 0
    assert "typer" in imported(done.stderr)
    assert not HEAVY & imported(done.stderr)
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_is_cheap(cli, command):
    done = cli(command, "--help", python=("-X", "importtime"))
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ")
    assert f" {command} [OPTIONS]" in done.stdout
    assert not HEAVY & imported(done.stderr)


def test_version(cli):
    done = cli("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"mar-edge {mar_edge.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--speed"], "--speed"),
        (["dance"], "dance"),
        (["serve", "--speed", "3"], "--speed"),
        (["serve", "--top-k", "many"], "--top-k"),
        (["export"], "checkpoint"),
        (["export", "x.pt", "--layout", "coco"], "coco"),
        (["synth", "--out", "x.npz", "--count", "0"], "--count"),
        (["train", "--run", "x", "--depths", "1,2"], "--depths takes four numbers"),
    ],
)
def test_a_wrong_option_is_one_line(user_error, arguments, expected):
    assert expected in user_error(*arguments)
