"""Agreement of the files in deploy/ with each other. No container is built here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[1] / "deploy"
DOCKERFILES = sorted(DEPLOY.glob("Dockerfile.*"))


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_the_recordings_volume_belongs_to_the_user_that_writes_it(path: Path) -> None:
    (volume,) = re.findall(r"- recordings:(\S+)", (DEPLOY / "compose.yaml").read_text())
    before_user, user, _ = path.read_text().partition("USER 10001")
    assert user
    assert f"install --directory --owner=mar-edge {volume}\n" in before_user
    assert f'record = "{volume}"' in (DEPLOY / "mar-edge.toml").read_text()


def test_metrics_of_the_container_are_at_the_hosts_loopback() -> None:
    compose = (DEPLOY / "compose.yaml").read_text()
    assert 'http = "127.0.0.1:9090"' in (DEPLOY / "mar-edge.toml").read_text()
    assert "network_mode: host" in compose
    assert "ports:" not in compose  # which compose refuses together with it


def test_onnx_runtime_is_pinned_to_the_cuda_of_the_image() -> None:
    text = (DEPLOY / "Dockerfile.cuda").read_text()
    assert set(re.findall(r"FROM nvidia/cuda:(\d+)\.", text)) == {"12"}
    assert "'onnxruntime-gpu>=1.20,<1.27'" in text
