"""A simulated GPU and TensorRT runtime: memory of the host, engines that ONNX Runtime computes.

They check for errors that a real GPU does not tolerate:

- Use outside of ``current()``.
- Copies beyond a buffer or to one that was released.
- Reading a result without waiting for it.
- A context that changes after its graph was captured.
"""

from __future__ import annotations

import ctypes
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from mar_edge.edge.model_file import METADATA_KEY
from mar_edge.edge.runtime.tensorrt.bindings import Bindings
from mar_edge.edge.runtime.tensorrt.device.base import DeviceError

SCRATCH = 4096
PLAN = b"an engine"
INPUTS = {"skeleton": (4, 3, 2), "index_t": (4,)}
_TYPES = {"tensor(float)": "FLOAT", "tensor(float16)": "HALF", "tensor(int64)": "INT64"}


def windows(count, seed=0):
    """Return inputs of ``small_model``."""
    rng = np.random.default_rng([seed, count])
    return {name: rng.random((count, *shape), np.float32) for name, shape in INPUTS.items()}


def small_model(path, metadata=None):
    """Write an ONNX file with a model file's names: logits (B, 4), sums over joints plus the time, and probs."""
    given = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["B", *s]) for n, s in INPUTS.items()]
    said = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["B", 4]) for n in ("logits", "probs")]
    nodes = [
        helper.make_node("Constant", [], ["axes"], value_ints=[2, 3]),
        helper.make_node("ReduceSum", ["skeleton", "axes"], ["sums"], keepdims=0),
        helper.make_node("Add", ["sums", "index_t"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probs"], axis=1),
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "small", given, said), opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    )
    if metadata is not None:
        helper.set_model_props(model, {METADATA_KEY: metadata})
    onnx.save(model, str(path))
    return path


class FakeDevice:
    """A ``Device``. events: the calls, in order. failing: call -> the exception it raises."""

    name = "NVIDIA Fake"
    capability = (8, 6)

    def __init__(self, has_graphs=True):
        self.has_graphs = has_graphs
        self.events: list[str] = []
        self.failing: dict[str, Exception] = {}
        self.blocks: dict[int, object] = {}
        self.pinned: dict[int, np.ndarray] = {}
        self.streams: dict[int, list] = {}
        self.graphs: list[list] = []
        self.capturing: list | None = None
        self.closed = False
        self._current = threading.local()

    @contextmanager
    def current(self):
        self._current.depth = getattr(self._current, "depth", 0) + 1
        try:
            yield
        finally:
            self._current.depth -= 1

    def note(self, event):
        assert getattr(self._current, "depth", 0), f"{event} outside of current()"
        assert not self.closed, f"{event} after close()"
        self.events.append(event)
        if event in self.failing:
            raise self.failing[event]

    def create_stream(self):
        self.note("create_stream")
        self.streams[7 + len(self.streams)] = []
        return max(self.streams)

    def destroy_stream(self, stream):
        self.note("destroy_stream")
        del self.streams[stream]

    def allocate(self, size):
        self.note("allocate")
        block = ctypes.create_string_buffer(b"\xff" * size, size)  # NaN until written
        self.blocks[ctypes.addressof(block)] = block
        return ctypes.addressof(block)

    def free(self, address):
        self.note("free")
        del self.blocks[address]

    def allocate_pinned(self, shape, dtype):
        self.note("allocate_pinned")
        array = np.full(shape, -1, dtype)
        self.pinned[array.ctypes.data] = array
        return array

    def free_pinned(self, array):
        self.note("free_pinned")
        del self.pinned[array.ctypes.data]

    def copy_in(self, address, array, stream):
        self.note("copy_in")
        self._check_pinned(array)
        self.enqueue(stream, lambda: self.write(address, array))

    def copy_out(self, array, address, stream):
        self.note("copy_out")
        self._check_pinned(array)
        self.enqueue(stream, lambda: array.__setitem__(..., self.read(address, array.shape, array.dtype)))

    def synchronize(self, stream):
        self.note("synchronize")
        assert self.capturing is None, "synchronize breaks a capture"
        pending, self.streams[stream] = self.streams[stream], []
        for work in pending:
            work()

    def capture(self, stream, enqueue):
        self.note("capture")
        assert not self.streams[stream], "a graph of what was not waited for"
        self.capturing = []
        try:
            enqueue()
            self.graphs.append(self.capturing)
            return self.graphs[-1]
        finally:
            self.capturing = None

    def launch(self, graph, stream):
        self.note("launch")
        assert any(graph is one for one in self.graphs)
        self.streams[stream] += graph

    def destroy_graph(self, graph):
        self.note("destroy_graph")
        self.graphs = [one for one in self.graphs if one is not graph]

    def close(self):
        assert not getattr(self._current, "depth", 0), "close() within current()"
        self.closed = True

    @property
    def leaks(self):
        return [*self.blocks, *self.pinned, *self.streams, *self.graphs]

    def enqueue(self, stream, work):
        (self.streams[stream] if self.capturing is None else self.capturing).append(work)

    def write(self, address, array):
        data = np.ascontiguousarray(array).tobytes()
        assert len(data) <= ctypes.sizeof(self.blocks[address])
        ctypes.memmove(address, data, len(data))

    def read(self, address, shape, dtype):
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        assert size <= ctypes.sizeof(self.blocks[address])
        return np.frombuffer(ctypes.string_at(address, size), dtype).reshape(shape)

    def _check_pinned(self, array):
        assert array.flags.c_contiguous
        assert any(
            start <= array.ctypes.data and array.ctypes.data + array.nbytes <= start + whole.nbytes
            for start, whole in self.pinned.items()
        ), "a copy of memory that is not pinned"


@dataclass
class FakeEngine:
    """A TensorRT engine of an ONNX file and a range of batches."""

    fake: FakeTensorRt
    session: ort.InferenceSession
    device_memory_size_v2: int = SCRATCH

    @property
    def tensors(self):
        return {tensor.name: tensor for tensor in (*self.session.get_inputs(), *self.session.get_outputs())}

    @property
    def num_io_tensors(self):
        return len(self.tensors)

    def get_tensor_name(self, index):
        return list(self.tensors)[index]

    def get_tensor_mode(self, name):
        modes = self.fake.module.TensorIOMode
        return modes.INPUT if name in {tensor.name for tensor in self.session.get_inputs()} else modes.OUTPUT

    def get_tensor_dtype(self, name):
        return getattr(self.fake.module.DataType, _TYPES[self.tensors[name].type])

    def get_tensor_shape(self, name):
        return tuple(size if isinstance(size, int) else -1 for size in self.tensors[name].shape)

    def get_tensor_profile_shape(self, name, profile_index):
        assert profile_index == 0
        first, *rest = self.get_tensor_shape(name)
        return [(size if first == -1 else first, *rest) for size in self.fake.batches]

    def create_runtime_config(self):
        assert self.fake.flavor == "tensorrt_rtx"
        config = SimpleNamespace(dynamic_shapes_kernel_specialization_strategy=None, strategy=None)
        config.set_execution_context_allocation_strategy = lambda strategy: setattr(config, "strategy", strategy)
        return config

    def create_execution_context(self, argument):
        strategy = argument.strategy if self.fake.flavor == "tensorrt_rtx" else argument
        assert strategy == self.fake.module.ExecutionContextAllocationStrategy.USER_MANAGED
        self.fake.contexts += 1
        return FakeContext(self)


@dataclass
class FakeContext:
    """A context whose kernels take the shapes and addresses at enqueueing, like real ones."""

    engine: FakeEngine
    shapes: dict = field(default_factory=dict)
    addresses: dict = field(default_factory=dict)
    scratch: tuple[int, int] | None = None
    frozen: bool = False

    def set_device_memory(self, memory, size):
        assert size >= self.engine.device_memory_size_v2
        assert ctypes.sizeof(self.engine.fake.device.blocks[memory]) >= size
        self.scratch = (memory, size)

    def set_input_shape(self, name, shape):
        assert not self.frozen, "a context changed after its graph was captured"
        smallest, _, largest = self.engine.get_tensor_profile_shape(name, 0)
        self.shapes[name] = tuple(shape)
        return all(low <= size <= high for low, size, high in zip(smallest, shape, largest, strict=True))

    def set_tensor_address(self, name, memory):
        assert not self.frozen
        self.addresses[name] = memory
        return True

    def get_tensor_shape(self, name):
        (batch, *_), *_ = self.shapes.values()
        first, *rest = self.engine.get_tensor_shape(name)
        return (batch if first == -1 else first, *rest)

    def execute_async_v3(self, stream_handle):
        fake = self.engine.fake
        fake.device.note("execute")
        if fake.refusing:
            fake.bindings.log.errors.append(fake.refusing)
            return False
        self.frozen = self.frozen or fake.device.capturing is not None
        shapes, addresses, scratch = dict(self.shapes), dict(self.addresses), self.scratch
        fake.device.enqueue(stream_handle, lambda: self._compute(shapes, addresses, scratch))
        return True

    def _compute(self, shapes, addresses, scratch):
        fake, session = self.engine.fake, self.engine.session
        fake.device.write(scratch[0], np.zeros(scratch[1], np.uint8))
        fed = {}
        for tensor in session.get_inputs():
            dtype = np.float16 if "16" in tensor.type else np.float32
            fed[tensor.name] = fake.device.read(addresses[tensor.name], shapes[tensor.name], dtype)
        for tensor, value in zip(session.get_outputs(), session.run(None, fed), strict=True):
            fake.device.write(addresses[tensor.name], value)


class FakeTensorRt:
    """``bindings`` and ``module`` to replace a TensorRT's; its only engine is that of ``model``."""

    def __init__(self, real, model, *, batches=(1, 4, 8), device=None, flavor="tensorrt_rtx", version="1.7.1"):
        self.device = device or FakeDevice()
        self.flavor, self.batches, self.contexts, self.refusing = flavor, batches, 0, ""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        log = SimpleNamespace(errors=[], messages=None) if flavor == "tensorrt" else real.log
        self.bindings = Bindings(flavor, version, log)
        self.module = SimpleNamespace(**vars(real.module) | {"Runtime": self.runtime})

    def runtime(self, log):
        assert log is self.bindings.log
        self.loaded_by = SimpleNamespace(deserialize_cuda_engine=self.deserialize)
        return self.loaded_by

    def deserialize(self, plan):
        if plan == b"":
            self.bindings.log.errors.append("Serialization assertion failed")
            return None
        return FakeEngine(self, self.session)


def fail(what="an illegal memory access was encountered (cudaErrorIllegalAddress)"):
    return DeviceError(f"could not finish on the GPU: {what}")
