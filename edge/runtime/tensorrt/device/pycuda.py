"""A GPU through PyCUDA (a ``Device``). PyCUDA has no CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError, MissingExtra
from mar_edge.edge.runtime.tensorrt.device.base import NO_GPU, DeviceError

try:
    from pycuda import driver
except ModuleNotFoundError:
    raise MissingExtra("pycuda", "tensorrt") from None
except ImportError as error:  # it is linked with the driver's library
    raise MarEdgeError(f"PyCUDA cannot be loaded: {error}; {NO_GPU}") from None


class PyCudaDevice:
    """The first GPU, through CUDA's driver interface.

    Raises:
        DeviceError: there is none that can be used.
    """

    has_graphs = False

    def __init__(self) -> None:
        with _converted("use a GPU", NO_GPU):
            driver.init()
            device = driver.Device(0)
            self.name: str = device.name()
            self.capability: tuple[int, int] = device.compute_capability()
            # The context of TensorRT, and of everything else that uses CUDA's runtime interface.
            self._context = device.retain_primary_context()
        self._streams: dict[int, Any] = {}
        self._memory: dict[int, Any] = {}

    @contextmanager
    def current(self) -> Iterator[None]:
        """See the contract."""
        with _converted("use the GPU"):
            self._context.push()
        try:
            yield
        finally:
            driver.Context.pop()

    def create_stream(self) -> int:
        """See the contract."""
        with _converted("make a stream"):
            stream = driver.Stream()
        self._streams[stream.handle] = stream
        return int(stream.handle)

    def destroy_stream(self, stream: int) -> None:
        """See the contract."""
        self._streams.pop(stream, None)  # released with its last reference

    def allocate(self, size: int) -> int:
        """See the contract."""
        with _converted(f"allocate {size / 1e6:.1f} MB of the GPU's memory"):
            memory = driver.mem_alloc(size)
        self._memory[int(memory)] = memory
        return int(memory)

    def free(self, address: int) -> None:
        """See the contract."""
        with suppress(driver.Error):
            self._memory.pop(address).free()

    def allocate_pinned(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """See the contract."""
        with _converted("allocate pinned memory"):
            array: NDArray[Any] = driver.pagelocked_empty(shape, dtype)
        return array

    def free_pinned(self, array: NDArray[Any]) -> None:
        """See the contract."""
        with suppress(driver.Error):
            array.base.free()  # type: ignore[union-attr]  # PyCUDA's own, of the array that it made

    def copy_in(self, address: int, array: NDArray[Any], stream: int) -> None:
        """See the contract."""
        with _converted("copy to the GPU"):
            driver.memcpy_htod_async(address, array, self._streams[stream])

    def copy_out(self, array: NDArray[Any], address: int, stream: int) -> None:
        """See the contract."""
        with _converted("copy from the GPU"):
            driver.memcpy_dtoh_async(array, address, self._streams[stream])

    def synchronize(self, stream: int) -> None:
        """See the contract."""
        with _converted("finish on the GPU"):
            self._streams[stream].synchronize()

    def capture(self, stream: int, enqueue: Callable[[], None]) -> Any:
        """Raise DeviceError: PyCUDA has no graphs."""
        raise DeviceError("PyCUDA has no CUDA graphs; pip install cuda-bindings")

    def launch(self, graph: Any, stream: int) -> None:
        """Raise DeviceError: PyCUDA has no graphs."""
        raise DeviceError("PyCUDA has no CUDA graphs; pip install cuda-bindings")

    def destroy_graph(self, graph: Any) -> None:
        """Do nothing: there are no graphs."""

    def close(self) -> None:
        """See the contract."""
        with suppress(driver.Error):
            self._context.detach()


@contextmanager
def _converted(what: str, hint: str = "") -> Iterator[None]:
    """Raise PyCUDA's errors as DeviceError."""
    try:
        yield
    except driver.Error as error:
        raise DeviceError(f"could not {what}: {error}{'; ' * bool(hint)}{hint}") from None
