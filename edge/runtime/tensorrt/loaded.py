"""A TensorRT engine on the GPU with the memory that its inferences use. Made once; runs nothing."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.runtime.tensorrt.bindings import Bindings, rtx, trt
from mar_edge.edge.runtime.tensorrt.device.base import Device, DeviceError

_DTYPES = {
    "FLOAT": np.float32,
    "HALF": np.float16,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT32": np.int32,
    "INT64": np.int64,
    "BOOL": np.bool_,
}


@dataclass(frozen=True)
class Tensor:
    """An input or output. host: pinned, (largest batch, *rest). address: of as many bytes on the GPU."""

    name: str
    host: NDArray[Any]
    address: int

    @property
    def rest(self) -> tuple[int, ...]:
        """The shape without the batch."""
        return self.host.shape[1:]


class LoadedEngine:
    """An engine, its inputs and outputs, and the scratch memory that its contexts share.

    ``input_shapes``: None where the batch varies. ``smallest``, ``largest``: windows in one inference.

    Args:
        plan: the engine.
        tensorrt: the TensorRT that was chosen.
        device: the GPU; the caller is within ``current()``.
        resources: gets everything to release. It is closed in the reverse order, contexts before their memory.
        host_code: allow code for the processor inside the engine, as version-compatible engines have it.

    Raises:
        DeviceError: TensorRT or the GPU refuses it.
        MarEdgeError: a dimension other than the batch varies, or a tensor has an unknown type.
    """

    def __init__(
        self, plan: bytes, tensorrt: Bindings, device: Device, resources: ExitStack, *, host_code: bool
    ) -> None:
        self._tensorrt, self._device, self._resources = tensorrt, device, resources
        self._runtime = trt.Runtime(tensorrt.log)  # has to outlive its engines
        self._runtime.engine_host_code_allowed = host_code
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise refused(tensorrt, "load the engine")
        self._engine: trt.ICudaEngine = engine
        resources.callback(self._forget)
        self._scratch_size = engine.device_memory_size_v2
        self._scratch = device.allocate(max(self._scratch_size, 1))
        resources.callback(device.free, self._scratch)
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        self.input_shapes, self.smallest, self.largest = _input_shapes(engine, inputs)
        outputs = self._output_shapes([name for name in names if name not in inputs])
        self.inputs = tuple(self._tensor(name, shape[1:]) for name, shape in self.input_shapes.items())
        self.outputs = tuple(self._tensor(name, shape[1:]) for name, shape in outputs.items())

    def context(self, batch: int) -> trt.IExecutionContext:
        """Return a new execution context of that batch size, with the addresses of all inputs and outputs.

        Raises:
            DeviceError: TensorRT refuses it.
        """
        context = self._context(batch)
        for tensor in (*self.inputs, *self.outputs):
            if not context.set_tensor_address(tensor.name, tensor.address):
                raise refused(self._tensorrt, f"use the memory of '{tensor.name}'")
        return context

    def _context(self, batch: int) -> trt.IExecutionContext:
        if self._tensorrt.flavor == "tensorrt_rtx":
            context = self._engine.create_execution_context(_rtx_config(self._engine))
        else:
            context = self._engine.create_execution_context(trt.ExecutionContextAllocationStrategy.USER_MANAGED)
        if context is None:
            raise refused(self._tensorrt, "make an execution context")
        context.set_device_memory(self._scratch, self._scratch_size)
        for name, (_, *rest) in self.input_shapes.items():
            if not context.set_input_shape(name, (batch, *rest)):
                raise refused(self._tensorrt, f"take a batch of {batch}")
        return context

    def _output_shapes(self, names: list[str]) -> dict[str, tuple[int, ...]]:
        """Return the outputs' shapes for the largest batch.

        Raises:
            MarEdgeError: one depends on more than the batch.
        """
        context = self._context(self.largest)
        shapes = {name: tuple(context.get_tensor_shape(name)) for name in names}
        for name, (first, *rest) in shapes.items():
            if first != self.largest or min(rest, default=0) < 0:
                raise MarEdgeError(
                    f"the engine's output '{name}' has the shape {shapes[name]} for a batch of {self.largest}. Only "
                    "outputs of one row per window run here; for others choose --runtime onnxruntime-cuda"
                )
        return shapes

    def _tensor(self, name: str, rest: tuple[Any, ...]) -> Tensor:
        """Allocate pinned and GPU memory for the largest batch."""
        kind = self._engine.get_tensor_dtype(name).name
        if kind not in _DTYPES:
            raise MarEdgeError(f"the engine's '{name}' is {kind}; the known types are {', '.join(_DTYPES)}")
        host = self._device.allocate_pinned((self.largest, *rest), np.dtype(_DTYPES[kind]))
        self._resources.callback(self._device.free_pinned, host)
        address = self._device.allocate(max(host.nbytes, 1))
        self._resources.callback(self._device.free, address)
        return Tensor(name, host, address)

    def _forget(self) -> None:
        del self._engine, self._runtime


def refused(tensorrt: Bindings, what: str) -> DeviceError:
    """Return an error with TensorRT's last message."""
    return DeviceError(f"{tensorrt.title} could not {what}: {tensorrt.last_error()}")


def _input_shapes(engine: trt.ICudaEngine, inputs: list[str]) -> tuple[dict[str, tuple[int | None, ...]], int, int]:
    """Return the inputs' shapes, None where the batch varies, and the smallest and largest batch.

    Raises:
        MarEdgeError: another dimension varies.
    """
    shapes: dict[str, tuple[int | None, ...]] = {}
    ranges = set()
    for name in inputs:
        first, *rest = tuple(engine.get_tensor_shape(name))
        smallest, _, largest = engine.get_tensor_profile_shape(name, 0)
        if min(rest, default=0) < 0:
            raise MarEdgeError(f"the engine's input '{name}' has the shape {(first, *rest)}; only the batch may vary")
        ranges.add((first, first) if first >= 0 else (smallest[0], largest[0]))
        shapes[name] = (first if first >= 0 else None, *rest)
    if len(ranges) != 1:
        raise MarEdgeError(f"the engine's inputs have different batches: {sorted(ranges)}")
    ((smallest_batch, largest_batch),) = ranges
    return shapes, smallest_batch, largest_batch


def _rtx_config(engine: Any) -> Any:
    """Return a configuration with our own memory, and kernels that are compiled at the first run of a shape.

    A CUDA graph then holds these kernels.
    """
    config = engine.create_runtime_config()
    config.set_execution_context_allocation_strategy(rtx.ExecutionContextAllocationStrategy.USER_MANAGED)
    config.dynamic_shapes_kernel_specialization_strategy = rtx.DynamicShapesKernelSpecializationStrategy.EAGER
    return config
