from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tiny_model as tiny_model_file
import zmq

from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small model file (``tiny_model.write``)."""
    return tiny_model_file.write(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture
def recognizer(tiny_model: Path) -> Iterator[WindowRecognizer]:
    with WindowRecognizer.open(tiny_model, threads=1) as opened:
        yield opened


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a real file system with room for 128 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk takes root; test_a_file_size_limit_is_reported_like_a_full_disk needs none")
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let root mount a tmpfs, as in a container")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def address(free_port: int) -> str:
    return f"tcp://127.0.0.1:{free_port}"


@pytest.fixture
def publish_socket() -> Iterator[PublishSocket]:
    with PublishSocket(("tcp://127.0.0.1:*",)) as opened:
        yield opened


@pytest.fixture
def publisher(publish_socket: PublishSocket) -> Publisher:
    return Publisher("cam", publish_socket)


Connect = Callable[..., "zmq.Socket[bytes]"]


@pytest.fixture
def connect() -> Iterator[Connect]:
    with zmq.Context() as context:
        kept = []  # a socket that nobody holds is closed

        def make(publish_socket: PublishSocket, *prefixes: bytes) -> zmq.Socket[bytes]:
            sub = context.socket(zmq.SUB)
            sub.setsockopt(zmq.LINGER, 0)
            for prefix in prefixes or (b"mar/",):
                sub.subscribe(prefix)
            sub.connect(publish_socket.endpoints[0])
            kept.append(sub)
            return sub

        yield make
        context.destroy(linger=0)
