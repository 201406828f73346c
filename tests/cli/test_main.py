"""``mar-edge`` itself: its help, what help costs, its completion, and how it reports mistakes."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest
from import_times import imported

import mar_edge
from mar_edge.cli.main import COMMANDS, command_line

HEAVY = {"torch", "cv2", "numpy", "onnxruntime", "onnx", "zmq", "msgspec"}
TASKS = ("Run", "Receive", "Review", "Train and deploy", "Inspect")
HELP_OF_ALL = """
import sys
from mar_edge.cli.main import COMMANDS, main
for command in COMMANDS:
    sys.argv = ["mar-edge", command, "--help"]
    try:
        main()
    except SystemExit as exit:
        assert exit.code == 0, command
"""


def test_help_is_cheap_and_names_every_command_under_its_task(cli):
    done = cli("--help", python=("-X", "importtime"))
    assert done.returncode == 0
    assert "typer" in imported(done.stderr)
    assert not HEAVY & imported(done.stderr)
    places = [done.stdout.index(f"─ {task} ─") for task in TASKS]
    assert places == sorted(places)
    for command in COMMANDS:
        assert re.search(rf"^│ {command} +\S", done.stdout, re.MULTILINE)


def test_help_of_every_command_imports_no_heavy_package():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", HELP_OF_ALL], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("Usage: mar-edge ") == len(COMMANDS)
    assert not HEAVY & imported(done.stderr)


@pytest.fixture
def help_at(here, monkeypatch):
    """Return the help of a command on a terminal of that width, as lines without padding."""

    def show(width, *arguments):
        monkeypatch.setenv("COLUMNS", str(width))
        done = here(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return [line.rstrip() for line in done.stdout.splitlines()]

    return show


def test_each_summary_has_one_line_at_80_columns(help_at):
    lines = help_at(80, "--help")
    first = next(number for number, line in enumerate(lines) if line.startswith(f"╭─ {TASKS[0]} ─"))
    rows = [line for line in lines[first:] if line.startswith("│")]
    assert [row.split()[1] for row in rows] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_panels_and_examples_and_uses_the_width(help_at, command):
    for width in (80, 120):
        lines = help_at(width, command, "--help")
        assert lines == help_at(width, command, "-h")
        assert max(map(len, lines)) == width
        assert any(line.startswith("╭─ General ─") for line in lines)
        assert " Examples" in lines
        assert any(line.startswith(f" mar-edge {command}") for line in lines[lines.index(" Examples") :])
        assert not any("\x1b" in line for line in lines)


def test_serve_has_a_panel_for_each_group_of_options(help_at):
    titles = [match[1] for line in help_at(100, "serve", "--help") if (match := re.match(r"╭─ (.+?) ─", line))]
    assert titles == [
        *(
            "Input",
            "Model",
            "Pose",
            "Events",
            "Performance",
            "Output",
            "View",
            "Recording",
            "Lab Streaming Layer",
            "Profile",
            "Security",
            "General",
        ),
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_of_help_are_command_lines_that_are_accepted(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mar-edge.toml").touch()
    group = command_line()
    examples = group.commands[command].epilog.splitlines()[1:]
    assert examples
    for example in examples:
        program, name, *arguments = shlex.split(example.partition(" > ")[0])
        assert (program, name) == ("mar-edge", command)
        with group.make_context("mar-edge", [name, *arguments]) as parent:
            group.commands[name].make_context(name, arguments, parent=parent)


def test_the_shell_completes_commands_and_options(cli):
    assert "_MAR_EDGE_COMPLETE" in cli("--show-completion", "bash").stdout
    for words, place, expected in (("mar-edge ser", 1, "serve"), ("mar-edge serve --strid", 2, "--stride-s")):
        environment = os.environ | {
            "_MAR_EDGE_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(place),
        }
        done = subprocess.run(
            [sys.executable, "-m", "mar_edge"], env=environment, capture_output=True, text=True, check=False
        )
        assert done.stdout.split() == [expected], done.stderr


def test_without_a_command_help_is_shown(here):
    assert here().stdout == here("--help").stdout


def test_version(cli):
    done = cli("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"mar-edge {mar_edge.__version__}\n", "")


def test_a_wrong_option_ends_a_process_with_one_line(cli):
    done = cli("serve", "--speed", "3")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("error: No such option")
    assert "'mar-edge serve --help' shows the options" in done.stderr


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
        (["subscribe", "--kind", "evnt"], "'evnt' is not one of 'hello', 'label', 'event'"),
        (["subscribe", "--kind", "evnt"], "did you mean 'event'?"),
        (["bench", "--runtime", "openvno"], "did you mean 'openvino'?"),
        (["train", "--run", "x", "--recipe", "papr"], "did you mean 'paper'?"),
    ],
)
def test_a_wrong_option_is_one_line(user_error, arguments, expected):
    assert expected in user_error(*arguments)
