"""The runner of TensorRT engines with a simulated GPU and engine (``gpu_fakes``): logic, not speed."""

import logging
import threading
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from gpu_fakes import PLAN, FakeDevice, FakeTensorRt, fail, small_model, windows
from onnx import TensorProto, helper

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime
from mar_edge.edge.runtime.tensorrt import bindings
from mar_edge.edge.runtime.tensorrt.device.base import DeviceError
from mar_edge.edge.runtime.tensorrt.runner import TensorRt

rtx = pytest.importorskip("tensorrt_rtx", reason="TensorRT for RTX has no wheel for this machine")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_model(tmp_path_factory.mktemp("small") / "small.onnx")


@pytest.fixture
def make(model, monkeypatch):
    real = SimpleNamespace(module=rtx, log=bindings.use_tensorrt("tensorrt_rtx").log)

    def make(path=model, **options):
        fake = FakeTensorRt(real, path, **options)
        monkeypatch.setattr(bindings._chosen, "module", fake.module)
        return fake

    return make


def opened(fake, plan=PLAN):
    return TensorRt(plan, '{"name": "x"}', fake.bindings, fake.device)


def network(path, shape=("B", 3), kind=TensorProto.FLOAT, operator="Add", output=None):
    """Write a network of y = x + x, or of another operator."""
    x = helper.make_tensor_value_info("x", kind, shape)
    y = helper.make_tensor_value_info("y", TensorProto.INT64 if operator == "NonZero" else kind, output or shape)
    node = helper.make_node(operator, ["x", "x"] if operator == "Add" else ["x"], ["y"])
    graph = helper.make_graph([node], "double", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    return path


@pytest.mark.parametrize("flavor", ["tensorrt_rtx", "tensorrt"])
@pytest.mark.parametrize("has_graphs", [True, False])
def test_it_computes_the_same_as_onnx_runtime_in_batches_of_any_size(make, model, flavor, has_graphs):
    fake = make(device=FakeDevice(has_graphs), flavor=flavor, batches=(2, 3, 4))
    with OnnxRuntime(model, threads=1) as reference, opened(fake) as runtime:
        assert runtime.input_shapes == reference.input_shapes
        graphs = "CUDA graphs" if has_graphs else "no CUDA graphs"
        assert runtime.name == f"{flavor} 1.7.1 (NVIDIA Fake, {graphs})"
        runtime.warm_up(windows(1))
        # Filled up, exact, split, split with a remainder that is filled up, and again in another order.
        for seed, count in enumerate((1, 4, 8, 9, 3, 1, 5)):
            given = windows(count, seed)
            got, expected = runtime.infer(given), reference.infer(given)
            assert got.keys() == expected.keys()
            for name, array in expected.items():
                assert got[name].dtype == np.float32
                np.testing.assert_allclose(got[name], array, rtol=0, atol=1e-5)
    assert not fake.device.leaks
    assert fake.device.closed


def test_returned_arrays_are_not_reused(make):
    with opened(make()) as runtime:
        first = runtime.infer(windows(2))["probs"]
        kept = first.copy()
        runtime.infer({name: array[::-1].copy() for name, array in windows(2).items()})
        np.testing.assert_array_equal(first, kept)


def test_after_the_first_of_a_batch_size_an_inference_is_one_launch(make):
    fake = make()
    with opened(fake) as runtime:
        runtime.infer(windows(3))
        prepared = fake.contexts
        fake.device.events.clear()
        for _ in range(3):
            runtime.infer(windows(3))
        assert fake.device.events == ["launch", "synchronize"] * 3
        fake.device.events.clear()
        runtime.infer(windows(1))
        # Warmed up before it is captured, and captured before it is launched; nothing is allocated.
        kernels = ["copy_in", "copy_in", "execute", "copy_out", "copy_out"]
        assert fake.device.events == [*kernels, "synchronize", "capture", *kernels, "launch", "synchronize"]
        assert fake.contexts == prepared + 1  # a context for each graph
        fake.device.events.clear()
        runtime.infer(windows(3))
        runtime.infer(windows(1))
        assert fake.device.events == ["launch", "synchronize"] * 2


def test_an_inference_without_graphs_allocates_nothing(make):
    fake = make(device=FakeDevice(has_graphs=False))
    with opened(fake) as runtime:
        runtime.infer(windows(2))
        fake.device.events.clear()
        runtime.infer(windows(2))
    assert fake.device.events[:6] == ["copy_in", "copy_in", "execute", "copy_out", "copy_out", "synchronize"]


def test_resources_are_released_in_reverse_order(make):
    fake = make()
    runtime = opened(fake)
    runtime.infer(windows(1))
    runtime.infer(windows(2))
    fake.device.events.clear()
    runtime.__exit__(None, None, None)
    events = fake.device.events
    assert events[:2] == ["destroy_graph"] * 2
    assert events[-2:] == ["free", "destroy_stream"]  # the memory of contexts, after them
    assert not fake.device.leaks
    runtime.__exit__(None, None, None)
    with pytest.raises(RuntimeError, match="closed"):
        runtime.infer(windows(1))


def test_where_a_graph_cannot_be_captured_it_runs_without_and_warns(make, caplog):
    fake = make()
    fake.device.failing["capture"] = DeviceError("could not end a CUDA graph: operation not permitted")
    # The application's own logger is between ours and caplog's.
    logging.getLogger("mar_edge").addHandler(caplog.handler)
    try:
        with opened(fake) as runtime:
            got = [runtime.infer(windows(2))["probs"] for _ in range(2)]
            runtime.infer(windows(1))
            assert runtime.name.endswith("(NVIDIA Fake, no CUDA graphs)")
    finally:
        logging.getLogger("mar_edge").removeHandler(caplog.handler)
    assert caplog.text.count("no CUDA graph") >= 1
    assert fake.device.events.count("capture") == 1  # it is tried only once
    np.testing.assert_array_equal(*got)
    assert not fake.device.leaks


def test_errors_of_the_gpu_and_of_tensorrt_become_device_errors(make):
    fake = make()
    with opened(fake) as runtime:
        runtime.infer(windows(1))
        fake.device.failing["synchronize"] = fail()
        with pytest.raises(DeviceError, match="cudaErrorIllegalAddress"):
            runtime.infer(windows(1))
        fake.device.failing.clear()
        fake.refusing = "IExecutionContext::enqueueV3: Error Code 1: Cuda Runtime"
        with pytest.raises(DeviceError, match=r"TensorRT for RTX 1\.7\.1 could not run the engine: IExecutionContext"):
            runtime.infer(windows(2))
    with pytest.raises(DeviceError, match="could not load the engine: Serialization assertion failed"):
        opened(make(), plan=b"")


@pytest.mark.parametrize("call", ["create_stream", "allocate", "allocate_pinned"])
def test_a_failure_while_loading_releases_everything(make, call):
    fake = make()
    fake.device.failing[call] = DeviceError("could not allocate 3.1 MB of the GPU's memory: out of memory")
    with pytest.raises(DeviceError, match="out of memory"):
        opened(fake)
    assert not fake.device.leaks
    assert fake.device.closed


def test_an_fp16_engine_takes_and_gives_float32(make, tmp_path):
    with opened(make(network(tmp_path / "half.onnx", kind=TensorProto.FLOAT16))) as runtime:
        got = runtime.infer({"x": np.full((2, 3), 1.5, np.float32)})["y"]
    assert got.dtype == np.float32
    assert got.tolist() == [[3, 3, 3]] * 2


def test_a_model_of_a_fixed_batch_size(make, tmp_path):
    with opened(make(network(tmp_path / "one.onnx", shape=(2, 3)))) as runtime:
        assert runtime.input_shapes == {"x": (2, 3)}
        assert runtime.infer({"x": np.ones((2, 3), np.float32)})["y"].tolist() == [[2, 2, 2]] * 2
        with pytest.raises(MarEdgeError, match="input 'x' has the shape"):
            runtime.infer({"x": np.ones((1, 3), np.float32)})


def test_a_dynamic_dimension_other_than_the_batch_is_refused(make, tmp_path):
    fake = make(network(tmp_path / "free.onnx", shape=("B", "T"), output=("B", "T")))
    with pytest.raises(MarEdgeError, match=r"input 'x' has the shape \(-1, -1\); only the batch may vary"):
        opened(fake)
    assert not fake.device.leaks
    fake = make(network(tmp_path / "found.onnx", operator="NonZero", output=(2, "found")))
    with pytest.raises(MarEdgeError, match=r"output 'y' has the shape .* Only outputs of one row per window"):
        opened(fake)
    assert not fake.device.leaks


def test_wrong_inputs_are_refused(make):
    with opened(make()) as runtime:
        for given in ({}, windows(1) | {"more": np.zeros(1, np.float32)}):
            with pytest.raises(MarEdgeError, match="takes the inputs"):
                runtime.infer(given)
        with pytest.raises(MarEdgeError, match="input 'skeleton' has the shape"):
            runtime.infer(windows(1) | {"skeleton": np.zeros((1, 64, 44, 2), np.float32)})
        for given in (windows(2) | {"index_t": windows(1)["index_t"]}, {n: a[:0] for n, a in windows(1).items()}):
            with pytest.raises(MarEdgeError, match="inputs must have one number of windows, at least 1"):
                runtime.infer(given)


def test_two_engines_share_the_gpu_and_threads_wait_for_each_other(make, model, tmp_path):
    device = FakeDevice()
    with (
        OnnxRuntime(model, threads=1) as reference,
        opened(make(device=device)) as runtime,
        opened(make(network(tmp_path / "pose.onnx"), device=device)) as pose,
    ):
        assert len(device.streams) == 2
        got = {}

        def ask(count):
            got[count] = [runtime.infer(windows(count))["probs"] for _ in range(5)]

        threads = [threading.Thread(target=ask, args=(count,)) for count in (1, 2, 3)]
        for thread in threads:
            thread.start()
        assert pose.infer({"x": np.ones((9, 3), np.float32)})["y"].tolist() == [[2, 2, 2]] * 9
        for thread in threads:
            thread.join()
        for count in (1, 2, 3):
            expected = reference.infer(windows(count))["probs"]
            for answer in got[count]:
                np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-5)
        device.close = lambda: None  # both runtimes close the same device here
    assert not device.leaks
