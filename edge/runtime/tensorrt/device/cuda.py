"""A GPU through cuda-bindings, NVIDIA's own (a ``Device``). Has wheels for every platform, and CUDA graphs."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MissingExtra
from mar_edge.edge.runtime.tensorrt.device.base import NO_GPU, DeviceError

try:
    from cuda.bindings import runtime as cudart
except ImportError:
    raise MissingExtra("cuda-bindings", "tensorrt") from None

_INDEX = 0
_ABSENT = ("cudaErrorNoDevice", "cudaErrorInsufficientDriver", "cudaErrorInitializationError")


class CudaDevice:
    """The first GPU, through CUDA's runtime interface.

    Raises:
        DeviceError: there is none that can be used.
    """

    has_graphs = True

    def __init__(self) -> None:
        if _checked(cudart.cudaGetDeviceCount(), "look for a GPU") == 0:
            raise DeviceError(f"no GPU that CUDA can use; {NO_GPU}")
        properties = _checked(cudart.cudaGetDeviceProperties(_INDEX), "query the GPU")
        self.name: str = properties.name.rstrip(b"\0").decode()
        self.capability: tuple[int, int] = (properties.major, properties.minor)

    @contextmanager
    def current(self) -> Iterator[None]:
        """See the contract."""
        _checked(cudart.cudaSetDevice(_INDEX), "use the GPU")
        yield

    def create_stream(self) -> int:
        """See the contract."""
        return int(_checked(cudart.cudaStreamCreateWithFlags(cudart.cudaStreamNonBlocking), "make a stream"))

    def destroy_stream(self, stream: int) -> None:
        """See the contract."""
        cudart.cudaStreamDestroy(stream)

    def allocate(self, size: int) -> int:
        """See the contract."""
        return int(_checked(cudart.cudaMalloc(size), f"allocate {size / 1e6:.1f} MB of the GPU's memory"))

    def free(self, address: int) -> None:
        """See the contract."""
        cudart.cudaFree(address)

    def allocate_pinned(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """See the contract."""
        size = int(np.prod(shape)) * dtype.itemsize
        address = _checked(
            cudart.cudaHostAlloc(size, cudart.cudaHostAllocDefault), f"allocate {size / 1e6:.1f} MB of pinned memory"
        )
        memory = memoryview((ctypes.c_byte * size).from_address(int(address)))
        array: NDArray[Any] = np.frombuffer(memory, dtype).reshape(shape)
        return array

    def free_pinned(self, array: NDArray[Any]) -> None:
        """See the contract."""
        cudart.cudaFreeHost(array.ctypes.data)

    def copy_in(self, address: int, array: NDArray[Any], stream: int) -> None:
        """See the contract."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        _checked(cudart.cudaMemcpyAsync(address, array.ctypes.data, array.nbytes, kind, stream), "copy to the GPU")

    def copy_out(self, array: NDArray[Any], address: int, stream: int) -> None:
        """See the contract."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        _checked(cudart.cudaMemcpyAsync(array.ctypes.data, address, array.nbytes, kind, stream), "copy from the GPU")

    def synchronize(self, stream: int) -> None:
        """See the contract."""
        _checked(cudart.cudaStreamSynchronize(stream), "finish on the GPU")

    def capture(self, stream: int, enqueue: Callable[[], None]) -> Any:
        """See the contract."""
        # Thread-local: another thread may load its own engine meanwhile.
        mode = cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        _checked(cudart.cudaStreamBeginCapture(stream, mode), "begin a CUDA graph")
        try:
            enqueue()
        except BaseException:  # raised again below: the stream must not stay in capture
            error, graph = cudart.cudaStreamEndCapture(stream)
            if error == cudart.cudaError_t.cudaSuccess:
                cudart.cudaGraphDestroy(graph)
            cudart.cudaGetLastError()  # a failed capture leaves an error, which the next call would report
            raise
        graph = _checked(cudart.cudaStreamEndCapture(stream), "end a CUDA graph")
        try:
            return _checked(cudart.cudaGraphInstantiate(graph, 0), "make a CUDA graph ready")
        finally:
            cudart.cudaGraphDestroy(graph)

    def launch(self, graph: Any, stream: int) -> None:
        """See the contract."""
        _checked(cudart.cudaGraphLaunch(graph, stream), "launch a CUDA graph")

    def destroy_graph(self, graph: Any) -> None:
        """See the contract."""
        cudart.cudaGraphExecDestroy(graph)

    def close(self) -> None:
        """Do nothing: the primary context belongs to the process."""


def _checked(result: tuple[Any, ...], what: str) -> Any:
    """Return a call's values without its error code, which comes first.

    Raises:
        DeviceError: the call failed.
    """
    error, *values = result
    if error != cudart.cudaError_t.cudaSuccess:
        cudart.cudaGetLastError()
        name = cudart.cudaGetErrorName(error)[1].decode()
        reason = cudart.cudaGetErrorString(error)[1].decode()
        if name in _ABSENT:
            raise DeviceError(f"no GPU that CUDA can use: {reason} ({name}); {NO_GPU}")
        raise DeviceError(f"could not {what}: {reason} ({name})")
    return values[0] if values else None
