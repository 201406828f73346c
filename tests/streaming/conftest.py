from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import zmq
from onnx import TensorProto, helper, numpy_helper

from mar_edge.edge.labels import background_label, ma52_labels
from mar_edge.edge.model_file import METADATA_KEY, ModelMetadata
from mar_edge.edge.recognizer import Recognizer
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

BACKGROUND = 11


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file whose answer depends on every coordinate of every frame, the frames' order and index_t.

    It leans towards label 5 (bowing head), by more or less as the joints move.
    """
    labels = (*ma52_labels()[:BACKGROUND], background_label())
    K = len(labels)
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(64, 44 * 2, K)).astype(np.float32) * 0.4
    weights = (weights - weights.mean(axis=0)).reshape(64 * 44 * 2, K)
    when = rng.normal(size=(64, K)).astype(np.float32) * 0.01
    bias = np.zeros(K, np.float32)
    bias[5] = 2.0
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["skeleton", "shape"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
            helper.make_node("Gemm", ["index_t", "when", "bias"], ["timing"]),
            helper.make_node("Add", ["scores", "timing"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probs"], axis=1),
        ],
        "tiny",
        [
            helper.make_tensor_value_info("skeleton", TensorProto.FLOAT, ["B", 64, 44, 2]),
            helper.make_tensor_value_info("index_t", TensorProto.FLOAT, ["B", 64]),
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", K]),
            helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["B", K]),
        ],
        [
            numpy_helper.from_array(np.array([0, weights.shape[0]], np.int64), "shape"),
            numpy_helper.from_array(when, "when"),
            numpy_helper.from_array(bias, "bias"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    entry = model.metadata_props.add()
    entry.key = METADATA_KEY
    entry.value = ModelMetadata(
        name="tiny", layout="ma52", streams=("joint",), encoding="raw", labels=labels, background=BACKGROUND
    ).to_json()
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    onnx.save(model, str(path))
    return path


@pytest.fixture
def recognizer(tiny_model: Path) -> Iterator[Recognizer]:
    with Recognizer.open(tiny_model, threads=1) as opened:
        yield opened


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system with room for 128 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk takes root; test_a_process_that_may_write_no_more needs none")
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
