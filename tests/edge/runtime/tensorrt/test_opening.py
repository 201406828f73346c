"""From files to runtimes: TensorRT's real builder with a simulated GPU (``gpu_fakes``), and without one."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
from gpu_fakes import FakeDevice, FakeTensorRt, small_model, windows

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.cache import cache_folder
from mar_edge.edge.progress import silent
from mar_edge.edge.runtime.choice import open_runtime
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime
from mar_edge.edge.runtime.tensorrt import bindings, opening, targets
from mar_edge.edge.runtime.tensorrt.bindings import use_tensorrt
from mar_edge.edge.runtime.tensorrt.build import Batches, BuildOptions, compile_engine
from mar_edge.edge.runtime.tensorrt.cache import build_into_cache, model_hash
from mar_edge.edge.runtime.tensorrt.device.base import DeviceError
from mar_edge.edge.runtime.tensorrt.store import describe, read_engine, sidecar, write_engine
from mar_edge.edge.runtime.tensorrt.targets import Gpu, Place

rtx = pytest.importorskip("tensorrt_rtx", reason="TensorRT for RTX has no wheel for this machine")
GPU = Gpu("NVIDIA Fake", (8, 6))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MAR_EDGE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def model(tmp_path):
    return small_model(tmp_path / "small.onnx", '{"name": "small"}')


@pytest.fixture
def gpu(model, monkeypatch):
    """Return a machine with a GPU; ``opened`` has every device that was opened."""
    real = SimpleNamespace(module=rtx, log=use_tensorrt("tensorrt_rtx").log)
    fake = FakeTensorRt(real, model, version=rtx.__version__)
    fake.opened = []

    def open_device():
        fake.device = FakeDevice()
        fake.device.name, fake.device.capability = fake.gpu.name, fake.gpu.capability
        fake.opened.append(fake.device)
        return fake.device

    fake.gpu = GPU
    monkeypatch.setattr(bindings._chosen, "module", fake.module)
    monkeypatch.setattr(opening, "use_tensorrt", lambda flavor=None: fake.bindings)
    monkeypatch.setattr(opening, "open_device", open_device)
    monkeypatch.setattr(targets, "open_device", open_device)
    yield fake
    assert all(device.closed and not device.leaks for device in fake.opened)


def engines():
    return sorted(cache_folder("engines").glob("*.engine"))


def test_a_model_file_is_built_once_and_runs_as_on_onnx_runtime(gpu, model):
    told = []
    opened = open_runtime(model, "tensorrt", progress=lambda what, done, total: told.append(what))
    assert opened.reason == "an engine built just now (there is none yet)"
    assert told
    with opened.runtime as runtime, OnnxRuntime(model, threads=1) as reference:
        assert runtime.metadata_json == '{"name": "small"}'
        for count in (3, 11):
            for name, expected in reference.infer(windows(count)).items():
                np.testing.assert_allclose(runtime.infer(windows(count))[name], expected, atol=1e-5)
    (kept,) = engines()
    told.clear()
    opened = open_runtime(model, "tensorrt", progress=lambda what, done, total: told.append(what))
    assert opened.reason == f"the cached {kept.name}"
    assert not told
    opened.runtime.__exit__(None, None, None)


def test_an_engine_that_does_not_fit_is_built_again_with_the_reason(gpu, model):
    def reason():
        opened = open_runtime(model, "tensorrt")
        opened.runtime.__exit__(None, None, None)
        return opened.reason

    reason()
    (kept,) = engines()
    kept.write_bytes(kept.read_bytes()[:-1])
    assert reason().startswith(f"an engine built just now (the engine {kept} is damaged")
    assert reason() == f"the cached {kept.name}"
    sidecar(kept).unlink()
    assert "are not known" in reason()
    # An engine of another GPU or another version stays, next to the new one.
    gpu.gpu = Gpu("NVIDIA Other", (8, 9))
    assert f"the cached {kept.name} does not fit: it is for sm86, this GPU is sm89" in reason()
    assert len(engines()) == 2
    gpu.gpu = GPU
    gpu.bindings = bindings.Bindings("tensorrt_rtx", "9.9", gpu.bindings.log)
    assert f"it was built by version {rtx.__version__}, here is TensorRT for RTX 9.9" in reason()
    assert len(engines()) == 3
    # Another model of the same name.
    small_model(model, '{"name": "another"}')
    assert reason() == "an engine built just now (there is none yet)"


def test_an_engine_in_the_cache_under_another_models_name_is_not_loaded(gpu, model):
    path, _ = build_into_cache(model, gpu.bindings, GPU, BuildOptions(), silent)
    other = small_model(model, '{"name": "another"}')
    for file in (path, sidecar(path)):
        file.rename(file.with_name(model_hash(other)[:16] + file.name[16:]))
    opened = open_runtime(other, "tensorrt")
    opened.runtime.__exit__(None, None, None)
    assert "it was built from another model" in opened.reason


def test_the_newest_engine_is_taken_whatever_its_batches(gpu, model):
    for sizes in ((1, 1, 2), (1, 2, 3)):
        path, _ = build_into_cache(model, gpu.bindings, GPU, BuildOptions(Batches(*sizes)), silent)
        os.utime(path, (sizes[2], sizes[2]))
    opened = open_runtime(model, "tensorrt")
    opened.runtime.__exit__(None, None, None)
    assert opened.reason == f"the cached {path.name}"
    assert read_engine(path).info.batches == (1, 2, 3)


def test_auto_takes_an_existing_engine_and_builds_none(gpu, model):
    def auto():
        opened = open_runtime(model, threads=1)
        opened.runtime.__exit__(None, None, None)
        return opened.runtime.name, opened.reason

    name, reason = auto()
    assert name.startswith("onnxruntime")
    assert "TensorRT" not in reason
    path, _ = build_into_cache(model, gpu.bindings, GPU, BuildOptions(), silent)
    assert auto() == (f"tensorrt_rtx {rtx.__version__} (NVIDIA Fake, CUDA graphs)", f"the cached {path.name}")
    gpu.gpu = Gpu("NVIDIA Other", (8, 9))
    name, reason = auto()
    assert name.startswith("onnxruntime")
    assert "not TensorRT, though an engine is in the cache: no engine of" in reason
    assert "it is for sm86, this GPU is sm89" in reason


def test_an_engine_file_runs_and_one_for_another_gpu_is_refused(gpu, model, tmp_path):
    path = tmp_path / "given.engine"
    engine = compile_engine(model, gpu.bindings, Place("sm86", None))
    write_engine(path, engine.plan, describe(engine, model_hash(model), "{}", gpu.bindings, BuildOptions()))
    for name in ("auto", "tensorrt"):
        opened = open_runtime(path, name)
        assert gpu.loaded_by.engine_host_code_allowed is False
        with opened.runtime as runtime:
            assert runtime.infer(windows(1))["probs"].shape == (1, 4)
            assert runtime.metadata_json == "{}"
        assert opened.reason == "the engine given.engine"
    with pytest.raises(MarEdgeError, match=r"is a TensorRT engine; --runtime tensorrt runs it, openvino takes"):
        open_runtime(path, "openvino")
    gpu.gpu = Gpu("NVIDIA Other", (8, 9))
    with pytest.raises(MarEdgeError, match=r"cannot run here: it is for sm86, this GPU is sm89; give the model file"):
        open_runtime(path, "tensorrt")
    assert not engines()


def test_a_version_compatible_engine_may_run_its_own_code(gpu, model, tmp_path):
    path = tmp_path / "given.engine"
    engine = compile_engine(model, gpu.bindings, Place("sm86", None))
    options = BuildOptions(version_compatible=True)
    write_engine(path, engine.plan, describe(engine, model_hash(model), "{}", gpu.bindings, options))
    open_runtime(path).runtime.__exit__(None, None, None)
    assert gpu.loaded_by.engine_host_code_allowed is True


def test_a_gpu_that_tensorrt_for_rtx_does_not_support(gpu, model):
    gpu.gpu = Gpu("NVIDIA H100", (9, 0))
    with pytest.raises(MarEdgeError, match=r"this GPU \(NVIDIA H100\) is sm90; full TensorRT builds for it"):
        open_runtime(model, "tensorrt")


def has_no_gpu():
    try:
        return targets.this_gpu() is None
    except DeviceError:
        return True


without_a_gpu = pytest.mark.skipif(not has_no_gpu(), reason="there is a GPU here")


@without_a_gpu
def test_without_a_gpu_the_real_libraries_give_an_error_of_one_line(model):
    with pytest.raises(DeviceError, match=r"no GPU that CUDA can use: .*cudaError.*; check that 'nvidia-smi'") as error:
        open_runtime(model, "tensorrt")
    assert "\n" not in str(error.value)
    assert not engines()
    use_tensorrt("tensorrt_rtx")
    opened = open_runtime(model, threads=1)  # auto, with nothing in the cache
    opened.runtime.__exit__(None, None, None)
    assert "TensorRT" not in opened.reason


@without_a_gpu
def test_targets_from_a_machine_without_a_gpu():
    tensorrt = use_tensorrt("tensorrt_rtx")
    assert targets.resolve("sm89", tensorrt) == Place("sm89", None)
    full = bindings.Bindings("tensorrt", "11.4.0", None)
    for target, tried, expected in (
        ("native", tensorrt, "--target native is this machine's GPU: no GPU that CUDA can use"),
        (
            "orin",
            tensorrt,
            r"builds for sm80, .*, not for orin: full TensorRT builds engines for",
        ),
        ("sm90", tensorrt, "not for sm90"),
        ("sm75", tensorrt, "not for sm75"),  # it is known to TensorRT for RTX, which builds no model for it
        ("orrin", tensorrt, r"no target 'orrin'; .*; did you mean 'orin'\?"),
        ("sm86", full, r"TensorRT 11\.4\.0 builds for the GPU that it runs on, there is no GPU here, not for sm86"),
        ("jetson", tensorrt, "no target 'jetson'; they are native, orin, thor, or a GPU as sm86"),
    ):
        with pytest.raises(MarEdgeError, match=expected):
            targets.resolve(target, tried)


def test_targets_on_a_machine_with_one(gpu):
    full = bindings.Bindings("tensorrt", "10.3.0", None)
    gpu.gpu = Gpu("Orin", (8, 7))
    for target in ("native", "orin", "sm87"):
        assert targets.resolve(target, full) == Place("sm87", gpu.gpu)
    with pytest.raises(MarEdgeError, match="builds for the GPU that it runs on, here sm87, not for thor"):
        targets.resolve("thor", full)
    gpu.gpu = Gpu("Thor", (11, 0))
    assert targets.resolve("thor", full).capability == "sm110"
    gpu.gpu = GPU
    assert targets.resolve("sm86", gpu.bindings) == Place("sm86", GPU)
    assert targets.resolve("sm120", gpu.bindings) == Place("sm120", None)
