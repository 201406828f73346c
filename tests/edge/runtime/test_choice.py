"""Which runtime is chosen, and the error where a named one cannot run."""

import subprocess
import sys

import networks
import numpy as np
import onnx
import pose_networks
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import METADATA_KEY, default_model_path
from mar_edge.edge.runtime import choice
from mar_edge.edge.runtime.choice import open_runtime
from mar_edge.edge.runtime.providers import base as providers
from mar_edge.edge.runtime.providers.cuda import CUDA_NAME
from mar_edge.export.half import to_half


def inputs(count=3):
    skeleton, index_t = networks.windows(count, 44)
    return {"skeleton": skeleton, "index_t": index_t}


def test_auto_states_its_choice_and_the_reason(ma52_model):
    opened = open_runtime(ma52_model.path, threads=1)
    with opened.runtime as runtime:
        assert runtime.name.startswith("onnxruntime ")
        assert runtime.name.endswith("(CPU)")
    assert "has no CUDA" in opened.reason


def test_on_a_cpu_auto_takes_the_fastest_for_the_size_of_the_model(monkeypatch):
    small = open_runtime(default_model_path(), threads=1)
    monkeypatch.setattr(choice, "_FULL_SIZE_BYTES", 1)
    large = open_runtime(default_model_path(), threads=1)
    monkeypatch.setattr(choice, "find_spec", lambda name: None)
    without = open_runtime(default_model_path(), threads=1)
    for opened, name, reason in (
        (small, "onnxruntime ", "the fastest for a small network on this CPU"),
        (large, "openvino ", "the fastest for a network of this size on this CPU"),
        (without, "onnxruntime ", "OpenVINO, faster for a network of this size, is not installed"),
    ):
        with opened.runtime as runtime:
            assert runtime.name.startswith(name)
        assert reason in opened.reason


def test_a_pose_network_of_any_size_runs_on_onnx_runtime(tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "_FULL_SIZE_BYTES", 1)
    proto = onnx.load(default_model_path())
    del proto.metadata_props[:]
    onnx.save(proto, str(tmp_path / "pose.onnx"))
    with open_runtime(tmp_path / "pose.onnx", threads=1).runtime as runtime:
        assert runtime.name.startswith("onnxruntime ")


def test_openvino_gives_the_same_as_onnx_runtime(ma52_model):
    with (
        open_runtime(ma52_model.path, "onnxruntime", 1).runtime as one,
        open_runtime(ma52_model.path, "openvino", 1).runtime as other,
    ):
        assert other.name.startswith("openvino ")
        assert other.name.endswith("(CPU, f32)")
        assert (other.input_shapes, other.metadata_json) == (one.input_shapes, one.metadata_json)
        other.warm_up(inputs(1))
        for count in (1, 3):
            expected, got = one.infer(inputs(count)), other.infer(inputs(count))
            assert expected.keys() == got.keys()
            np.testing.assert_allclose(got["logits"], expected["logits"], rtol=0, atol=1e-5)
        kept = got["logits"].copy()
        other.infer({name: array[::-1].copy() for name, array in inputs(3).items()})
        np.testing.assert_array_equal(got["logits"], kept)
        with pytest.raises(MarEdgeError, match="input 'skeleton' has the shape"):
            other.infer(inputs() | {"skeleton": np.zeros((1, 64, 22, 2), np.float32)})


SIGNAL_AFTER_CLOSING = """
import os, signal, sys

from pathlib import Path
from mar_edge.edge.runtime.openvino import OpenVino
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
first, second = (OpenVino(Path(sys.argv[1]), 1) for _ in range(2))
del first
del second
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_signal_after_openvino_models_are_closed_does_not_kill_the_process(ma52_model):
    """Run in another process: with AMX, releasing two OpenVINO cores leaves an unmapped signal stack."""
    run = subprocess.run(
        [sys.executable, "-c", SIGNAL_AFTER_CLOSING, str(ma52_model.path)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (0, "handled\n"), run.stderr


def test_openvino_takes_only_fp32_files(ma52_model, tmp_path):
    half = to_half(onnx.load(ma52_model.path))
    for entry in half.metadata_props:
        if entry.key == METADATA_KEY:
            entry.value = entry.value.replace('"precision":"fp32"', '"precision":"fp16"')
    path = tmp_path / "half.onnx"
    onnx.save(half, str(path))
    with pytest.raises(MarEdgeError, match=r"half\.onnx is fp16; OpenVINO runs only FP32 files"):
        open_runtime(path, "openvino")
    with open_runtime(path, "onnxruntime", 1).runtime as runtime:
        assert np.isfinite(runtime.infer(inputs())["logits"]).all()


def test_onnx_runtimes_own_fallback_is_an_error(ma52_model, monkeypatch):
    """ONNX Runtime replaces a provider that is missing or cannot start by the CPU, with only a warning."""
    monkeypatch.setattr(providers, "available_providers", lambda: (CUDA_NAME, "CPUExecutionProvider"))
    with (
        pytest.warns(UserWarning, match="CUDAExecutionProvider"),
        pytest.raises(MarEdgeError, match="could not start CUDAExecutionProvider and would use CPU"),
    ):
        open_runtime(ma52_model.path, "onnxruntime-cuda", 1)


@pytest.mark.parametrize("name", ["auto", "onnxruntime", "openvino"])
def test_a_file_that_is_no_model_is_refused(tmp_path, name):
    with pytest.raises(MarEdgeError, match="no model file at"):
        open_runtime(tmp_path / "nowhere.onnx", name)
    path = tmp_path / "text.onnx"
    path.write_text("hello")
    with pytest.raises(MarEdgeError, match="is not a model that ONNX Runtime can load"):
        open_runtime(path, name)


def test_an_fp16_pose_network_takes_and_gives_float32_on_both(tmp_path):
    path = pose_networks.random_simcc(tmp_path / "half.onnx", 26, (96, 128), half=True)
    crops = {"input": np.random.default_rng(0).normal(size=(2, 3, 128, 96)).astype(np.float32)}
    answers = []
    for name in ("onnxruntime", "openvino"):
        with open_runtime(path, name, 1).runtime as runtime:
            answers.append(runtime.infer(crops))
    for one, other in zip(*(answer.values() for answer in answers), strict=True):
        assert one.dtype == other.dtype == np.float32
        np.testing.assert_allclose(one, other, atol=0.1)
