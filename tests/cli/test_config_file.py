"""``serve --config``: options from a file, the command line over it. Mistakes: ``test_serve_options.py``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import msgspec

from mar_edge import LabelSubscriber
from mar_edge.streaming.wire.messages import HelloMessage

GOOD = """
camera = "demo:"
stride-s = 0.4
max_seconds = 1.0
labels = "head,-nodding"
[thresholds]
head = 0.9
"tilting head" = 0.25
"""


def test_options_come_from_the_file_and_the_command_line_wins(cli, ma52_model, tmp_path):
    path = tmp_path / "mar-edge.toml"
    path.write_text(GOOD)
    address = f"ipc://{tmp_path}/bus"
    subscriber = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mar_edge",
            "subscribe",
            "--connect",
            address,
            "--json",
            "--until-end",
            "--kind",
            "hello",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        done = cli(
            *("serve", "--config", path, "--stride-s", 0.3, "--model", ma52_model.path),
            *("--bind", address, "--wait-subscribers", 1),
        )
        assert done.returncode == 0, done.stderr
        printed, _ = subscriber.communicate(timeout=60)
    finally:
        subscriber.kill()
    (line, *_) = (line for line in printed.splitlines() if json.loads(line)["kind"] == "hello")
    hello = msgspec.json.decode(line, type=HelloMessage)
    assert hello.stride_s == 0.3
    on = {label.name: value for label, value in zip(hello.labels, hello.on_thresholds, strict=True)}
    heads = {label.name for label in hello.labels if label.body == "head"}
    assert {name for name, value in on.items() if value is not None} == heads - {"nodding"}
    assert on["tilting head"] == 0.25
    assert on["shaking head"] == 0.9


def test_a_hangup_reads_the_file_again_and_a_mistake_in_it_changes_nothing(tmp_path):
    path = tmp_path / "mar-edge.toml"
    path.write_text("stride-s = 0.2\nlabels = 'head'\n")
    address = f"ipc://{tmp_path}/bus"
    command = [sys.executable, "-m", "mar_edge", "serve", "--camera", "demo:", "--quiet", "--top-k", "3"]
    command += ["--config", str(path), "--bind", address]
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as serving,
        LabelSubscriber(address, kinds=("hello", "label"), timeout_s=60) as subscriber,
    ):
        try:
            while next(subscriber).kind != "label":
                pass
            path.write_text("stride-s = 'often'\n")
            serving.send_signal(signal.SIGHUP)
            log = json.loads(serving.stderr.readline())
            assert (log["level"], "stride-s is a number" in log["message"]) == ("error", True)
            path.write_text("stride-s = 0.5\ntop-k = 5\n")
            serving.send_signal(signal.SIGHUP)
            while (message := next(subscriber)).kind != "hello" or message.stride_s != 0.5:
                pass
            assert sum(value is not None for value in message.on_thresholds) == len(message.labels) == 52
            while (message := next(subscriber)).kind != "label":
                pass
            assert len(message.top) == 3  # the command line still wins
        finally:
            serving.terminate()
    assert serving.returncode == 0
