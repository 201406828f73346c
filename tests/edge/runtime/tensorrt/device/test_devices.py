"""Both libraries for a GPU, simulated in host memory: their calls, results and failures.

The calls of cuda-bindings are checked against its real signatures and errors. PyCUDA cannot be built without CUDA.
"""

import ctypes
import importlib
import inspect
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.runtime.tensorrt.device.base import DeviceError
from mar_edge.edge.runtime.tensorrt.device.choice import open_device

cudart = pytest.importorskip("cuda.bindings.runtime", reason="cuda-bindings is not installed")
OK = cudart.cudaError_t.cudaSuccess


class HostCuda:
    """Replaces ``cuda.bindings.runtime``: its own constants, and calls that work on host memory."""

    def __init__(self):
        self.calls = []
        self.failing = {}
        self.blocks = {}
        self.capturing = None
        self.graphs = {}

    def __getattr__(self, name):
        real = getattr(cudart, name)
        if not name.startswith("cuda") or inspect.isclass(real) or not callable(real):
            return real
        if name in {"cudaGetErrorName", "cudaGetErrorString"}:
            return real

        def call(*arguments):
            inspect.signature(real).bind(*arguments)
            self.calls.append(name)
            if name in self.failing:
                return (self.failing[name], None)
            given = getattr(self, f"_{name}", lambda *_: None)(*arguments)
            return (OK,) if given is None else (OK, given)

        return call

    def _cudaGetDeviceCount(self):  # noqa: N802 - CUDA's names
        return 1

    def _cudaGetDeviceProperties(self, index):  # noqa: N802
        return SimpleNamespace(name=b"NVIDIA Host\0\0", major=8, minor=7)

    def _cudaStreamCreateWithFlags(self, flags):  # noqa: N802
        assert flags == cudart.cudaStreamNonBlocking
        return 11

    def _cudaMalloc(self, size):  # noqa: N802
        block = ctypes.create_string_buffer(size)
        self.blocks[ctypes.addressof(block)] = block
        return ctypes.addressof(block)

    def _cudaHostAlloc(self, size, flags):  # noqa: N802
        return self._cudaMalloc(size)

    def _cudaFree(self, address):  # noqa: N802
        del self.blocks[address]

    _cudaFreeHost = _cudaFree  # noqa: N815

    def _cudaMemcpyAsync(self, dst, src, count, kind, stream):  # noqa: N802
        assert stream == 11
        inwards = kind == cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        assert (dst if inwards else src) in self.blocks
        if self.capturing is None:
            ctypes.memmove(dst, src, count)
        else:
            self.capturing.append((dst, src, count))

    def _cudaStreamBeginCapture(self, stream, mode):  # noqa: N802
        self.capturing = []

    def _cudaStreamEndCapture(self, stream):  # noqa: N802
        captured, self.capturing = self.capturing, None
        self.graphs["graph"] = captured
        return "graph"

    def _cudaGraphInstantiate(self, graph, flags):  # noqa: N802
        self.graphs["ready"] = self.graphs[graph]
        return "ready"

    def _cudaGraphDestroy(self, graph):  # noqa: N802
        del self.graphs[graph]

    _cudaGraphExecDestroy = _cudaGraphDestroy  # noqa: N815

    def _cudaGraphLaunch(self, graph, stream):  # noqa: N802
        for dst, src, count in self.graphs[graph]:
            ctypes.memmove(dst, src, count)


@pytest.fixture
def host(monkeypatch):
    from mar_edge.edge.runtime.tensorrt.device import cuda

    host = HostCuda()
    monkeypatch.setattr(cuda, "cudart", host)
    return host


class Driver(ModuleType):
    """Replaces ``pycuda.driver``."""

    class Error(Exception):
        pass

    def __init__(self):
        super().__init__("pycuda.driver")
        self.current, self.detached, self.failing = 0, False, None
        self.Context = SimpleNamespace(pop=lambda: self.step(-1))

    def step(self, by):
        self.current += by
        assert self.current >= 0

    def check(self):
        assert self.current, "a call without the context"
        if self.failing:
            raise self.Error(self.failing)

    def init(self):
        if self.failing:
            raise self.Error(self.failing)

    def Device(self, index):  # noqa: N802 - PyCUDA's names
        context = SimpleNamespace(push=lambda: self.step(1), detach=lambda: setattr(self, "detached", True))
        return SimpleNamespace(
            name=lambda: "NVIDIA Host", compute_capability=lambda: (8, 7), retain_primary_context=lambda: context
        )

    def Stream(self):  # noqa: N802
        self.check()
        return SimpleNamespace(handle=11, synchronize=self.check)

    def mem_alloc(self, size):
        self.check()
        return Allocation(size)

    def pagelocked_empty(self, shape, dtype):
        self.check()
        return np.frombuffer(Pinned(int(np.prod(shape)) * dtype.itemsize), dtype).reshape(shape).view(Based)

    def memcpy_htod_async(self, dst, src, stream):
        self.check()
        ctypes.memmove(dst, src.ctypes.data, src.nbytes)

    def memcpy_dtoh_async(self, dst, src, stream):
        self.check()
        ctypes.memmove(dst.ctypes.data, src, dst.nbytes)


class Allocation:
    def __init__(self, size):
        self.block = ctypes.create_string_buffer(size)

    def __int__(self):
        return ctypes.addressof(self.block)

    def free(self):
        self.block = None


class Pinned(bytearray):
    """Page-locked memory."""


class Based(np.ndarray):
    """An array whose base can be freed, as PyCUDA's can."""

    @property
    def base(self):
        return SimpleNamespace(free=lambda: None)


@pytest.fixture
def driver(monkeypatch):
    package, driver = ModuleType("pycuda"), Driver()
    package.driver = driver
    monkeypatch.setitem(sys.modules, "pycuda", package)
    monkeypatch.setitem(sys.modules, "pycuda.driver", driver)
    monkeypatch.delitem(sys.modules, "mar_edge.edge.runtime.tensorrt.device.pycuda", raising=False)
    yield driver
    sys.modules.pop("mar_edge.edge.runtime.tensorrt.device.pycuda", None)


def round_trip(device):
    """Copy four numbers to the GPU and back, and release everything."""
    assert (device.name, device.capability) == ("NVIDIA Host", (8, 7))
    with device.current():
        stream = device.create_stream()
        assert stream == 11
        address = device.allocate(16)
        there, back = (device.allocate_pinned((2, 2), np.dtype(np.float32)) for _ in range(2))
        assert (there.shape, there.dtype) == ((2, 2), np.float32)
        there[:] = [[1, 2], [3, 4]]
        back[:] = 0
        device.copy_in(address, there[:1], stream)
        device.copy_out(back[:1], address, stream)
        device.synchronize(stream)
        assert back.tolist() == [[1, 2], [0, 0]]
        yield stream, address, there, back
        device.free_pinned(there)
        device.free_pinned(back)
        device.free(address)
        device.destroy_stream(stream)
    device.close()
    yield None


def test_cuda_bindings(host):
    device = open_device()
    trip = round_trip(device)
    stream, address, there, back = next(trip)

    def enqueue():
        device.copy_in(address, there, stream)
        device.copy_out(back, address, stream)

    there[:] = 7
    graph = device.capture(stream, enqueue)
    assert list(host.graphs) == ["ready"]
    assert back.tolist() == [[1, 2], [0, 0]]  # nothing of it ran
    there[:] = 5
    device.launch(graph, stream)
    device.synchronize(stream)
    assert back.tolist() == [[5, 5]] * 2
    device.destroy_graph(graph)
    next(trip)
    assert not host.blocks
    assert not host.graphs


def test_a_failed_capture_ends_without_a_pending_error(host):
    device = open_device()

    def enqueue():
        raise DeviceError("TensorRT could not run the engine")

    with pytest.raises(DeviceError, match="TensorRT could not run"):
        device.capture(11, enqueue)
    assert host.capturing is None
    assert not host.graphs
    assert host.calls[-3:] == ["cudaStreamEndCapture", "cudaGraphDestroy", "cudaGetLastError"]
    host.failing["cudaGraphInstantiate"] = cudart.cudaError_t.cudaErrorMemoryAllocation
    with pytest.raises(DeviceError, match=r"could not make a CUDA graph ready: out of memory"):
        device.capture(11, lambda: None)
    assert not host.graphs


def test_errors_of_cuda(host):
    device = open_device()
    host.failing["cudaMalloc"] = cudart.cudaError_t.cudaErrorMemoryAllocation
    with pytest.raises(DeviceError, match=r"could not allocate 3\.0 MB of the GPU's memory: out of memory"):
        device.allocate(3_000_000)
    assert host.calls[-1] == "cudaGetLastError"
    host.failing["cudaStreamSynchronize"] = cudart.cudaError_t.cudaErrorIllegalAddress
    with pytest.raises(DeviceError, match="could not finish on the GPU: an illegal memory access"):
        device.synchronize(11)
    device.free(device.allocate_pinned((1,), np.dtype(np.float32)).ctypes.data)
    for code in ("cudaErrorNoDevice", "cudaErrorInsufficientDriver"):
        host.failing["cudaGetDeviceCount"] = getattr(cudart.cudaError_t, code)
        with pytest.raises(DeviceError, match=rf"no GPU that CUDA can use: .* \({code}\); check that 'nvidia-smi'"):
            open_device()
    host.failing.clear()
    host._cudaGetDeviceCount = lambda: 0
    with pytest.raises(DeviceError, match="no GPU that CUDA can use; check"):
        open_device()


def no_cuda_bindings(monkeypatch):
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    monkeypatch.delitem(sys.modules, "mar_edge.edge.runtime.tensorrt.device.cuda", raising=False)


def test_pycuda_where_only_that_is_installed(driver, monkeypatch):
    no_cuda_bindings(monkeypatch)
    monkeypatch.setattr("mar_edge.edge.runtime.tensorrt.device.choice.find_spec", lambda name: name)
    device = open_device()
    assert type(device).__name__ == "PyCudaDevice"
    assert not device.has_graphs
    trip = round_trip(device)
    next(trip)
    for call in (lambda: device.capture(11, lambda: None), lambda: device.launch(None, 11)):
        with pytest.raises(DeviceError, match="PyCUDA has no CUDA graphs; pip install cuda-bindings"):
            call()
    next(trip)
    assert driver.current == 0
    assert driver.detached


def test_errors_of_pycuda(driver):
    pycuda = importlib.import_module("mar_edge.edge.runtime.tensorrt.device.pycuda")
    device = pycuda.PyCudaDevice()
    driver.failing = "cuMemAlloc failed: out of memory"
    with (
        device.current(),
        pytest.raises(DeviceError, match=r"could not allocate 1\.0 MB of the GPU's memory: cuMem"),
    ):
        device.allocate(1_000_000)
    driver.failing = "cuInit failed: no CUDA-capable device is detected"
    with pytest.raises(DeviceError, match=r"could not use a GPU: cuInit failed: .*; check that 'nvidia-smi'"):
        pycuda.PyCudaDevice()


def test_no_library_is_an_error_with_the_command(monkeypatch):
    no_cuda_bindings(monkeypatch)
    monkeypatch.setattr("mar_edge.edge.runtime.tensorrt.device.choice.find_spec", lambda name: None)
    with pytest.raises(MarEdgeError, match="no library for the GPU is installed: pip install cuda-bindings"):
        open_device()
