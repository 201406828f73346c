"""The contract of a GPU: memory, streams, graphs. Each library has one file next to this one.

Addresses and streams are plain numbers, as TensorRT takes them. All devices of a process share the GPU's primary
context, so several engines can run side by side. Knows nothing of engines.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError

NO_GPU = "check that 'nvidia-smi' shows the device and that its driver is new enough, or choose another --runtime"


class DeviceError(MarEdgeError):
    """The GPU, its driver or TensorRT is missing, refused a call, or failed."""


class Device(Protocol):
    """The first GPU that the process may use, according to ``CUDA_VISIBLE_DEVICES``.

    Every method raises DeviceError when the GPU fails. Methods are called within ``current()``, from any thread; a
    stream, with the memory copied on it, from one thread at a time.
    """

    name: str
    """The GPU's name."""

    capability: tuple[int, int]
    """Compute capability, as (8, 6)."""

    has_graphs: bool
    """Whether ``capture`` works."""

    def current(self) -> AbstractContextManager[None]:
        """Make the calling thread use this GPU inside the block."""
        ...

    def create_stream(self) -> int:
        """Create a stream other than the default one."""
        ...

    def destroy_stream(self, stream: int) -> None:
        """Release the stream. Like every release it never raises: after a lost GPU there is nothing to fix."""
        ...

    def allocate(self, size: int) -> int:
        """Allocate ``size`` bytes on the GPU, and return their address."""
        ...

    def free(self, address: int) -> None:
        """Release the memory."""
        ...

    def allocate_pinned(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Allocate an array in host memory that the GPU reads and writes. It must not be used after its release."""
        ...

    def free_pinned(self, array: NDArray[Any]) -> None:
        """Release the array's memory."""
        ...

    def copy_in(self, address: int, array: NDArray[Any], stream: int) -> None:
        """Enqueue a copy of a pinned array to the GPU."""
        ...

    def copy_out(self, array: NDArray[Any], address: int, stream: int) -> None:
        """Enqueue a copy from the GPU to a pinned array."""
        ...

    def synchronize(self, stream: int) -> None:
        """Wait for everything that was enqueued."""
        ...

    def capture(self, stream: int, enqueue: Callable[[], None]) -> Any:
        """Return a graph of the work that ``enqueue`` puts on the stream, without running it.

        Errors of ``enqueue`` are raised, and leave the stream as it was.
        """
        ...

    def launch(self, graph: Any, stream: int) -> None:
        """Enqueue a graph."""
        ...

    def destroy_graph(self, graph: Any) -> None:
        """Release the graph."""
        ...

    def close(self) -> None:
        """Release the GPU. Called outside of ``current()``."""
        ...
