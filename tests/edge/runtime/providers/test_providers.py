"""Execution providers of ONNX Runtime, without a GPU: what they refuse, and what they ask ONNX Runtime for.

NVIDIA's plugin is the real one. The driver is a stand-in that finds no GPU; nothing here ran on one.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec

import networks
import numpy as np
import onnxruntime as ort
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import default_model_path
from mar_edge.edge.runtime import choice
from mar_edge.edge.runtime.choice import open_runtime
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime, read_shapes
from mar_edge.edge.runtime.providers import tensorrt_rtx as rtx
from mar_edge.edge.runtime.providers.base import CPU_NAME, Provider
from mar_edge.edge.runtime.providers.engines import engine_folder, profile, refuse_tf32

built_for_cpu = pytest.mark.skipif(
    "CUDAExecutionProvider" in ort.get_available_providers(), reason="this ONNX Runtime is built with CUDA"
)
with_plugin = pytest.mark.skipif(find_spec(rtx.PACKAGE) is None, reason="the plugin of TensorRT for RTX is missing")


def inputs(count):
    skeleton, index_t = networks.windows(count, 44)
    return {"skeleton": skeleton, "index_t": index_t}


def processor():
    return tuple(device for device in ort.get_ep_devices() if device.ep_name == CPU_NAME)


@pytest.fixture
def no_tf32(monkeypatch):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")


@built_for_cpu
@pytest.mark.parametrize(
    ("name", "provider"), [("onnxruntime-cuda", "CUDA"), ("onnxruntime-tensorrt", "Tensorrt")], ids=str
)
def test_a_provider_that_is_not_built_in_is_an_error_with_the_remedy(name, provider, no_tf32):
    with pytest.raises(MarEdgeError, match=rf"has no {provider}ExecutionProvider, only .*pip install 'onnxruntime-gpu"):
        open_runtime(default_model_path(), name)


def test_a_missing_plugin_is_an_error_with_the_extra(monkeypatch, no_tf32):
    monkeypatch.setattr(rtx, "find_spec", lambda name: None)
    with pytest.raises(MarEdgeError, match=r"pip install 'mar-edge\[onnxruntime-tensorrt-rtx\]'"):
        open_runtime(default_model_path(), "onnxruntime-tensorrt-rtx")


def test_an_old_onnx_runtime_takes_no_plugin(monkeypatch, no_tf32):
    monkeypatch.setattr(rtx, "find_spec", lambda name: name)
    monkeypatch.setattr(rtx.ort, "SessionOptions", object)
    with pytest.raises(MarEdgeError, match=r"takes no plugins; pip install 'onnxruntime>=1\.24'"):
        rtx.rtx_plugin()


@pytest.mark.parametrize("value", [None, "1"])
def test_tf32_must_be_switched_off(monkeypatch, value):
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    if value is not None:
        monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", value)
    with pytest.raises(MarEdgeError, match="start with NVIDIA_TF32_OVERRIDE=0"):
        refuse_tf32("onnxruntime-tensorrt")


def test_the_tensorrt_that_picks_types_by_itself_takes_only_fp32_files(tmp_path):
    path = tmp_path / "half.onnx"
    path.write_bytes(default_model_path().read_bytes().replace(b'"precision":"fp32"', b'"precision":"fp16"'))
    with pytest.raises(MarEdgeError, match=r"half\.onnx is fp16; .* Give the FP32 file, or --runtime tensorrt"):
        open_runtime(path, "onnxruntime-tensorrt")


def test_engines_are_built_for_a_range_of_batches():
    options, largest = profile(read_shapes(default_model_path()), "trt")
    assert options == {
        f"trt_profile_{which}_shapes": f"skeleton:{batch}x64x44x2,index_t:{batch}x64"
        for which, batch in (("min", 1), ("opt", 4), ("max", 8))
    }
    assert largest == 8
    for shapes in ({"x": (1, 3, 256, 192)}, {"x": (None, 3, None, None)}, {"x": (None, 3), "y": ()}):
        assert profile(shapes, "nv") == ({}, None)


def test_each_model_and_version_has_its_own_folder_of_engines(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("MAR_EDGE_CACHE", str(tmp_path / "cache"))
    caplog.set_level("INFO", logger="mar_edge.providers")
    other = tmp_path / "other.onnx"
    other.write_bytes(default_model_path().read_bytes() + b"\0")
    made = [
        engine_folder(path, "a provider", version)
        for path, version in ((default_model_path(), "1"), (default_model_path(), "2"), (other, "1"))
    ]
    assert len(set(made)) == 3
    assert all(os.path.isdir(folder) for folder in made)
    assert len(caplog.records) == 3  # each builds once
    (tmp_path / made[0] / "an engine").touch()
    assert engine_folder(default_model_path(), "a provider", "1") == made[0]
    assert len(caplog.records) == 3
    monkeypatch.setenv("MAR_EDGE_CACHE", str(other))
    with pytest.raises(MarEdgeError, match=r"engines cannot be kept in .*: Not a directory; set MAR_EDGE_CACHE"):
        engine_folder(other, "a provider")


def test_large_batches_run_in_parts():
    parts = Provider(CPU_NAME, "CPU in parts", devices=processor(), largest_batch=2)
    with OnnxRuntime(default_model_path(), 1) as whole, OnnxRuntime(default_model_path(), 1, parts) as runtime:
        for count in (1, 2, 5):
            expected, got = whole.infer(inputs(count)), runtime.infer(inputs(count))
            assert list(got) == list(expected)
            for name, array in expected.items():
                np.testing.assert_allclose(got[name], array, rtol=0, atol=1e-5)


def test_a_device_runs_the_session():
    """Run a session as a plugin does, on a device that is there: the processor."""
    with OnnxRuntime(default_model_path(), 1, Provider(CPU_NAME, "a device", devices=processor())) as runtime:
        assert re.fullmatch(r"onnxruntime \S+ \(a device; (\d+) of \1 nodes on the CPU\)", runtime.name)
        assert np.isfinite(runtime.infer(inputs(1))["logits"]).all()


def test_a_provider_that_takes_no_node_is_an_error():
    """ONNX Runtime accepts Azure's provider for any model, and then computes everything on the CPU."""
    name = "AzureExecutionProvider"
    if name not in ort.get_available_providers():
        pytest.skip(f"this ONNX Runtime has no {name}")
    with pytest.raises(MarEdgeError, match=r"Azure takes none of the \d+ nodes of this model"):
        OnnxRuntime(default_model_path(), 1, Provider(name, "Azure"))


def test_a_provider_does_not_hide_a_wrong_file(tmp_path):
    path = tmp_path / "text.onnx"
    path.write_text("hello")
    with pytest.raises(MarEdgeError, match="is not a model that ONNX Runtime can load"):
        OnnxRuntime(path, 1, Provider("AzureExecutionProvider", "Azure"))


def test_every_name_opens_something():
    named = set(choice.RuntimeName.__args__) - {"auto", "tensorrt"}
    assert named == set(choice._OPEN)


REGISTER = """
from pathlib import Path
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.runtime.providers.tensorrt_rtx import rtx_plugin, tensorrt_rtx

def attempt(load):
    try:
        plugin, gpus = load()
        print(f"{plugin.get_ep_name()} {plugin.__version__}, GPUs: {len(gpus)}")
    except MarEdgeError as error:
        print(f"error: {error}")


attempt(rtx_plugin)
attempt(rtx_plugin)

attempt(lambda: tensorrt_rtx(Path("model.onnx"), {}))
"""


def register(libraries):
    """Load the plugin in a process of its own, with libraries in front of the system's."""
    environment = os.environ | {"LD_LIBRARY_PATH": str(libraries), "NVIDIA_TF32_OVERRIDE": "0"}
    run = subprocess.run(
        [sys.executable, "-c", REGISTER], capture_output=True, text=True, check=False, env=environment, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


@with_plugin
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of libraries on Linux")
def test_without_a_driver_the_plugin_is_one_line(tmp_path):
    if find_library("libcuda.so.1"):
        pytest.skip("this machine has NVIDIA's driver")
    lines = register(tmp_path)
    reason = "libcuda.so.1: cannot open shared object file: No such file or directory; it needs the driver of an NVIDIA"
    assert len(lines) == 3
    assert all(
        line.startswith(f"error: the ONNX Runtime plugin of TensorRT for RTX cannot be loaded: {reason}")
        for line in lines
    )


@with_plugin
@pytest.mark.skipif(not (shutil.which("cc") and shutil.which("nm")), reason="no compiler for a stand-in of the driver")
def test_without_a_gpu_the_plugin_loads_and_says_so(tmp_path):
    """Load the real plugin with a stand-in of the driver, whose functions all answer that there is no device."""
    make_driver(tmp_path)
    first, second, third = register(tmp_path)
    assert re.fullmatch(r"NvTensorRTRTXExecutionProvider \S+, GPUs: 0", first)
    assert second == first  # registered once
    assert third.startswith(
        "error: the ONNX Runtime plugin of TensorRT for RTX finds no GPU that it takes: RTX 30 (sm86)"
    )


def find_library(name):
    return name in subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout


def make_driver(folder):
    """Compile ``libcuda`` and NVML with every function that the plugin's folder calls. None of them does anything."""
    package = os.path.dirname(find_spec(rtx.PACKAGE).origin)
    libraries = [os.path.join(package, name) for name in sorted(os.listdir(package)) if ".so" in name]
    listed = subprocess.run(
        ["nm", "--dynamic", "--undefined-only", *libraries], capture_output=True, text=True, check=True
    ).stdout
    for name, pattern, no_device in (("libcuda.so.1", r"cu[A-Z]\w*", 100), ("libnvidia-ml.so.1", r"nvml\w+", 9)):
        functions = sorted(set(re.findall(rf"\bU ({pattern})$", listed, re.MULTILINE)))
        source = folder / f"{name}.c"
        source.write_text("".join(f"int {function}(void) {{ return {no_device}; }}\n" for function in functions))
        command = ["cc", "-shared", "-fPIC", "-w", f"-Wl,-soname,{name}", "-o", folder / name, source]
        subprocess.run(command, check=True)
