"""Agreement of the files in deploy/ with each other and with the command line. No container is built here."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
    (cache,) = re.findall(r"- cache:(\S+)", (DEPLOY / "compose.cuda.yaml").read_text())
    before_user, user, _ = path.read_text().partition("USER 10001")
    assert user
    assert f"install --directory --owner=mar-edge {recordings} {journal} {cache}\n" in before_user
    assert f'record = "{recordings}"' in (DEPLOY / "mar-edge.toml").read_text()


@by_dockerfile
def test_images_have_extras_that_exist_and_what_the_bridge_needs(path: Path) -> None:
    extras = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (listed,) = re.findall(r"'\.\[([\w,-]+)\]'", path.read_text())
    assert {"nats", "mqtt"} <= set(listed.split(",")) <= set(extras)


@by_dockerfile
@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (None, False)])
def test_health_checks_ask_the_box_and_no_proxy(path: Path, status: int | None, healthy: bool) -> None:
    (listed,) = re.findall(r"^  CMD (\[.*\])$", path.read_text(), re.MULTILINE)
    program, *arguments = json.loads(listed)
    assert program == "python"

    class Box(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if status and self.path == "/live" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Box) as server:
        if status is not None:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        else:
            server.server_close()
        words = [word.replace("9090", str(server.server_port)) for word in arguments]
        proxy = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy"), "http://127.0.0.1:9")
        done = subprocess.run([sys.executable, *words], capture_output=True, check=False, env=os.environ | proxy)
        if status is not None:
            server.shutdown()
    assert (done.returncode == 0) == healthy


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")
@pytest.mark.parametrize("more", [(), ("compose.fleet.yaml",), ("compose.cuda.yaml",)], ids=str)
def test_compose_takes_the_files(more: tuple[str, ...]) -> None:
    files = [word for name in ("compose.yaml", *more) for word in ("--file", DEPLOY / name)]
    done = subprocess.run(
        ["docker-compose", *files, "config", "--quiet"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_metrics_of_the_container_are_at_the_hosts_loopback() -> None:
    compose = (DEPLOY / "compose.yaml").read_text()
    assert 'http = "127.0.0.1:9090"' in (DEPLOY / "mar-edge.toml").read_text()
    assert "network_mode: host" in compose
    assert "ports:" not in compose  # which compose refuses together with it


def test_onnx_runtime_is_pinned_to_the_cuda_of_the_image() -> None:
    text = (DEPLOY / "Dockerfile.cuda").read_text()
    assert set(re.findall(r"FROM nvidia/cuda:(\d+)\.", text)) == {"12"}
    assert "'onnxruntime-gpu>=1.20,<1.27'" in text
