"""Agreement of the files in deploy/ with each other and with the command line. No container is built here."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DEPLOY = Path(__file__).parents[1] / "deploy"
DOCKERFILES = sorted(DEPLOY.glob("Dockerfile.*"))
UNITS = sorted(DEPLOY.glob("*.service"))
by_dockerfile = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
by_unit = pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)


def variables(path: Path) -> dict[str, str]:
    return dict(word.split("=", 1) for word in shlex.split(path.read_text(), comments=True))


def compose_commands(name: str) -> dict[str, list[str]]:
    """Return the commands of a compose file's services."""
    text = (DEPLOY / name).read_text()
    services = re.findall(r"^  ([\w-]+):\n((?:    .*\n)+)", text, re.MULTILINE)
    return {
        service: json.loads(found[1])
        for service, body in services
        if (found := re.search(r"^    command: (\[.*\])$", body, re.MULTILINE))
    }


@by_unit
def test_units_give_options_that_exist(
    path: Path, command_line: Callable[[list[str]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = path.read_text()
    (program, *arguments) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)[0].split()
    assert program == "/opt/mar-edge/bin/mar-edge"
    for name in re.findall(r"^EnvironmentFile=/etc/mar-edge/(\S+)$", text, re.MULTILINE):
        for variable, value in variables(DEPLOY / name).items():
            monkeypatch.setenv(variable, value)
            if f"${variable}" in arguments:
                at = arguments.index(f"${variable}")
                arguments[at : at + 1] = shlex.split(value)
    assert not [word for word in arguments if word.startswith("$")]
    assert not command_line([word.replace("/etc/mar-edge/mar-edge.toml", "mar-edge.toml") for word in arguments])


@by_unit
def test_units_are_hardened_alike(path: Path) -> None:
    hardening = (DEPLOY / "mar-edge.service").read_text().partition("NoNewPrivileges")[2].partition("# Cameras")[0]
    assert hardening
    assert hardening in path.read_text()


@by_unit
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(path: Path, tmp_path: Path) -> None:
    unit = tmp_path / path.name
    unit.write_text(path.read_text().replace("=/opt/mar-edge/bin/mar-edge ", f"={sys.executable} "))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_journal_of_the_bridge_is_in_its_state_directory() -> None:
    text = (DEPLOY / "mar-edge-bridge.service").read_text()
    (state,) = re.findall(r"^StateDirectory=(\S+)$", text, re.MULTILINE)
    assert f" --journal /var/lib/{state}/" in text


def test_the_bridge_of_the_compose_file_has_options_that_exist(
    command_line: Callable[[list[str]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DEPLOY / "compose.fleet.yaml").read_text()
    (receiver,) = re.findall(r"MAR_EDGE_BRIDGE_TO: \$\{MAR_EDGE_BRIDGE_TO:-(\S+)\}", text)
    monkeypatch.setenv("MAR_EDGE_BRIDGE_TO", receiver)
    arguments = compose_commands("compose.fleet.yaml")["bridge"]
    assert not command_line(arguments)
    (volume,) = re.findall(r"- journal:(\S+)", text)
    assert Path(arguments[arguments.index("--journal") + 1]).parent == Path(volume)
    sender = arguments[arguments.index("--connect") + 1]
    assert sender in tomllib.loads((DEPLOY / "mar-edge.toml").read_text())["bind"]


@pytest.mark.skipif(shutil.which("nats-server") is None, reason="nats-server is not installed")
def test_the_broker_of_the_compose_file_has_options_that_exist(tmp_path: Path) -> None:
    arguments = compose_commands("compose.fleet.yaml")["broker"]
    arguments[arguments.index("--store_dir") + 1] = str(tmp_path)
    done = subprocess.run(["nats-server", *arguments, "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("nats-server: v")


@by_dockerfile
def test_volumes_belong_to_the_user_that_writes_them(path: Path) -> None:
    (recordings,) = re.findall(r"- recordings:(\S+)", (DEPLOY / "compose.yaml").read_text())
    (journal,) = re.findall(r"- journal:(\S+)", (DEPLOY / "compose.fleet.yaml").read_text())
    before_user, user, _ = path.read_text().partition("USER 10001")
    assert user
    assert f"install --directory --owner=mar-edge {recordings} {journal}\n" in before_user
    assert f'record = "{recordings}"' in (DEPLOY / "mar-edge.toml").read_text()


@by_dockerfile
def test_images_have_extras_that_exist_and_what_the_bridge_needs(path: Path) -> None:
    extras = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (listed,) = re.findall(r"'\.\[([\w,-]+)\]'", path.read_text())
    assert {"nats", "mqtt"} <= set(listed.split(",")) <= set(extras)


def test_metrics_of_the_container_are_at_the_hosts_loopback() -> None:
    compose = (DEPLOY / "compose.yaml").read_text()
    assert 'http = "127.0.0.1:9090"' in (DEPLOY / "mar-edge.toml").read_text()
    assert "network_mode: host" in compose
    assert "ports:" not in compose  # which compose refuses together with it


def test_onnx_runtime_is_pinned_to_the_cuda_of_the_image() -> None:
    text = (DEPLOY / "Dockerfile.cuda").read_text()
    assert set(re.findall(r"FROM nvidia/cuda:(\d+)\.", text)) == {"12"}
    assert "'onnxruntime-gpu>=1.20,<1.27'" in text
