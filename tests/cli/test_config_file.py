"""``--config``: options and event rules from a file; the command line wins. Mistakes: ``test_serve_options.py``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace

import msgspec
import pytest

from mar_edge import LabelSubscriber
from mar_edge.streaming.recognition.event_rules import EventRules
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


def test_sighup_rereads_the_file_and_a_mistake_in_it_changes_nothing(tmp_path):
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


@pytest.fixture
def asked(here, monkeypatch):
    """Run a command that serves; return the configuration that it would serve with."""
    given = []

    def run(command, *arguments):
        monkeypatch.setattr(f"mar_edge.cli.{command}.run_service", lambda config, *_, **__: given.append(config))
        done = here(command, *arguments)
        assert done.returncode == 0, done.stderr
        return given.pop()

    return run


RULES = """
camera = "demo:"
stride_s = 0.4
[thresholds]
nodding = 0.7
[event_rules]
smoothing_s = 0
min-duration-s = 0.25
"""


def test_the_table_of_fusion_sets_how_pictures_work_with_skeletons(asked, tmp_path):
    path = tmp_path / "mar-edge.toml"
    path.write_text("[fusion]\nweight = 0.8\nevery-s = 2\n")
    fusion = asked("serve", "--config", path).pipeline.fusion
    assert (fusion.weight, fusion.every_s, fusion.holds_s) == (0.8, 2, 1.0)


def test_the_table_of_event_rules_sets_them_by_name(asked, tmp_path):
    path = tmp_path / "mar-edge.toml"
    path.write_text(RULES)
    rules = asked("serve", "--config", path).pipeline
    assert rules.events == replace(EventRules(), smoothing_s=0, min_duration_s=0.25)
    assert rules.labels.on == {"nodding": 0.7}
    assert asked("serve", "--camera", "demo:").pipeline.events == EventRules()


def test_replay_takes_a_config_file_of_serve(asked, user_error, tmp_path):
    path = tmp_path / "mar-edge.toml"
    path.write_text(RULES)
    config = asked("replay", tmp_path, "--config", path)
    assert config.pipeline == asked("serve", "--config", path).pipeline
    assert config.camera == ""
    assert asked("replay", tmp_path, "--config", path, "--stride-s", 0.3).pipeline.stride_s == 0.3
    path.write_text("camera = 1.5\n")
    assert "camera is text, or a list of it, not 1.5" in user_error("replay", tmp_path, "--config", path)


def test_every_option_reaches_the_configuration(asked, tmp_path):
    config = asked(
        "serve",
        *("--camera", "hall=demo:", "--camera", "door=demo:", "--on", 0.6, "--off", 0.2, "--labels", "head,-nodding"),
        *("--prior", "uniform", "--no-motion-gate", "--top-k", 3, "--encoding", "msgpack", "--skeletons"),
        *("--size", "640x480", "--fps", 25, "--pixel-format", "MJPG", "--rtsp-transport", "udp", "--stall-s", 7),
        *("--wait-camera", "--realtime", "--wait-subscribers", 2, "--max-seconds", 9, "--http", "127.0.0.1:0"),
        *("--bind", "ipc:///tmp/a", "--bind", "ipc:///tmp/b", "--record", tmp_path, "--record-mb", 1),
        *("--record-hours", 2, "--record-keep", 3, "--insecure", "--stride-s", 0.3),
    )
    rules, mode, record = config.pipeline, config.mode, config.record
    assert config.streams == (("hall", "demo:"), ("door", "demo:"))
    assert (config.address, config.more_addresses) == ("ipc:///tmp/a", ("ipc:///tmp/b",))
    assert (rules.on, rules.off, rules.stride_s, rules.motion_gate) == (0.6, 0.2, 0.3, None)
    assert rules.prior.name == "uniform"
    assert (rules.labels.only, rules.labels.never) == (("head",), ("nodding",))
    assert (config.top_k, config.encoding, config.publish_skeletons) == (3, "msgpack", True)
    assert (mode.size, mode.fps, mode.pixel_format, mode.rtsp_transport) == ((640, 480), 25, "MJPG", "udp")
    assert (config.stall_s, config.wait_camera, config.realtime, config.insecure) == (7, True, True, True)
    assert (config.wait_subscribers, config.max_seconds, config.http) == (2, 9, "127.0.0.1:0")
    assert (record.folder, record.most_mb, record.most_hours, record.keep) == (tmp_path, 1, 2, 3)


def test_evaluate_takes_the_event_rules_of_a_config_file_of_serve(here, user_error, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr("mar_edge.training.evaluation.command.evaluate", lambda config, progress: asked.append(config))
    path = tmp_path / "mar-edge.toml"
    path.write_text(RULES)
    for arguments in (("--event-rules", path), ()):
        assert here("evaluate", "model.onnx", *arguments).returncode == 0
    changed, usual = (config.rules.events for config in asked)
    assert (changed, usual) == (replace(EventRules(), smoothing_s=0, min_duration_s=0.25), EventRules())
    path.write_text("[event_rules]\nrest_s = 61\n")
    assert "[event_rules]: rest_s is 0 to 60, not 61" in user_error("evaluate", "model.onnx", "--event-rules", path)
