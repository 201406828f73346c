"""The contract of a GPU: memory, one stream at a time, graphs. One file per library stands beside this one.

Addresses and streams are plain numbers, as TensorRT takes them. All of a process's devices share the GPU's primary
context, so any number of engines run beside each other. Knows nothing of engines.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError

NO_GPU = "see that 'nvidia-smi' shows the device and that its driver is new enough, or choose another --runtime"


class DeviceError(MarEdgeError):
    """The GPU, its driver or TensorRT refused, failed or is not there."""


class Device(Protocol):
    """The first GPU that the process may use. ``CUDA_VISIBLE_DEVICES`` says which that is.

    Everything but the attributes raises DeviceError where the GPU does. To be used from any thread within
    ``current()``; one stream, and what is copied on it, by one thread at a time.
    """

    name: str
    """Of the GPU."""

    capability: tuple[int, int]
    """Compute capability, as (8, 6)."""

    has_graphs: bool
    """Whether ``capture`` is to be had."""

    def current(self) -> AbstractContextManager[None]:
        """While it lasts the calling thread uses this GPU."""
        ...

    def create_stream(self) -> int:
        """A stream that is not the default one."""
        ...

    def destroy_stream(self, stream: int) -> None:
        """Let it go. Like all that lets go it never raises: with a lost GPU there is nothing left to mend."""
        ...

    def allocate(self, size: int) -> int:
        """The address of so many bytes on the GPU."""
        ...

    def free(self, address: int) -> None:
        """Let it go."""
        ...

    def allocate_pinned(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """An array in the host's memory that the GPU reads and writes itself. Not to be touched once let go."""
        ...

    def free_pinned(self, array: NDArray[Any]) -> None:
        """Let it go."""
        ...

    def copy_in(self, address: int, array: NDArray[Any], stream: int) -> None:
        """Enqueue a copy of a pinned array to the GPU."""
        ...

    def copy_out(self, array: NDArray[Any], address: int, stream: int) -> None:
        """Enqueue a copy from the GPU to a pinned array."""
        ...

    def synchronize(self, stream: int) -> None:
        """Wait for all that was enqueued."""
        ...

    def capture(self, stream: int, enqueue: Callable[[], None]) -> Any:
        """A graph of what ``enqueue`` puts on the stream; nothing of it runs.

        What ``enqueue`` raises is raised, and the stream is as it was.
        """
        ...

    def launch(self, graph: Any, stream: int) -> None:
        """Enqueue a graph."""
        ...

    def destroy_graph(self, graph: Any) -> None:
        """Let it go."""
        ...

    def close(self) -> None:
        """Let the GPU go, not within ``current()``."""
        ...
