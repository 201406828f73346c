"""TensorRT engines on an NVIDIA GPU, with CUDA graphs. Knows nothing of skeletons or labels, nor how engines are built.

All that an inference touches is made once: a stream, pinned arrays, memory on the GPU. For each batch size that occurs
there is one execution context, its shapes and addresses fixed, and a CUDA graph of all that an inference of that size
is: copies in, kernels, copies out. A context from which a graph was captured must not change any more, which is why
there is one for each; they share the memory that kernels need, since one runs at a time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.runtime.base import check_shapes
from mar_edge.edge.runtime.tensorrt.bindings import Bindings, rtx, trt
from mar_edge.edge.runtime.tensorrt.device.base import Device, DeviceError

_log = logging.getLogger("mar_edge.tensorrt")

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
class _Tensor:
    """An input or output. host: pinned, (largest batch, *rest); address: of as many bytes on the GPU."""

    name: str
    host: NDArray[Any]
    address: int

    @property
    def rest(self) -> tuple[int, ...]:
        return self.host.shape[1:]


@dataclass(frozen=True)
class _Prepared:
    """All for inferences of one batch size. graph: None where there are none."""

    context: Any
    graph: Any


class TensorRt:
    """Runs an engine (see ``edge.runtime.base.Runtime``).

    Batches of more windows than the engine takes are run one after another, smaller ones filled up. The first
    inference of a batch size costs several: it warms up and captures that size's graph. ``infer`` may be called from
    any thread; calls wait for each other. Each engine has its own stream, so several, in threads of their own or not,
    share the GPU.

    Args:
        plan: the engine.
        metadata_json: the document of the model file that it was built from.
        tensorrt: the TensorRT that was chosen.
        device: the GPU. It is closed with the runtime.
        host_code: whether code for the processor within the engine may run, as version-compatible engines have it.

    Raises:
        DeviceError: TensorRT or the GPU refuses it.
        MarEdgeError: more than the batch varies, or a tensor has a type that is not known here.
    """

    def __init__(
        self,
        plan: bytes,
        metadata_json: str | None,
        tensorrt: Bindings,
        device: Device,
        *,
        host_code: bool = False,
    ) -> None:
        self._tensorrt = tensorrt
        self._device = device
        self._turn = threading.Lock()
        self._prepared: dict[int, _Prepared] = {}
        self._resources = ExitStack()
        self._graphs = device.has_graphs
        self._closed = False
        try:
            with device.current():
                self._load(plan, host_code)
        except BaseException:  # swallows nothing: whatever stops it, what is on the GPU must not outlive the failure
            self.__exit__(None, None, None)
            raise
        self.name = self._describe()
        self.metadata_json = metadata_json

    def infer(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """All outputs for ``inputs`` (see the contract).

        Raises:
            DeviceError: the GPU failed.
        """
        check_shapes(self.input_shapes, inputs)
        counts = {len(array) for array in inputs.values()}
        if len(counts) > 1 or 0 in counts:
            raise MarEdgeError(
                f"inputs are of one number of windows, at least 1; given were {[len(a) for a in inputs.values()]}"
            )
        count = counts.pop()
        outputs = {tensor.name: np.empty((count, *tensor.rest), _given_as(tensor.host)) for tensor in self._outputs}
        with self._turn, self._device.current():
            if self._closed:  # its pinned arrays are no memory any more
                raise RuntimeError("the engine is closed")
            for start in range(0, count, self._largest):
                self._run(inputs, outputs, start, min(start + self._largest, count))
        return outputs

    def warm_up(self, inputs: Mapping[str, NDArray[np.float32]]) -> None:
        """Run once (see the contract)."""
        self.infer(inputs)

    def __enter__(self) -> TensorRt:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._turn:
            if self._closed:
                return
            self._closed = True
            try:
                with self._device.current():
                    self._resources.close()
            except DeviceError as error:
                _log.warning("letting go of the GPU: %s", error)
            self._device.close()

    def _run(
        self,
        inputs: Mapping[str, NDArray[np.float32]],
        outputs: Mapping[str, NDArray[Any]],
        start: int,
        end: int,
    ) -> None:
        count = end - start
        batch = max(count, self._smallest)
        for tensor in self._inputs:
            tensor.host[:count] = inputs[tensor.name][start:end]
            tensor.host[count:batch] = tensor.host[count - 1]
        prepared = self._prepared.get(batch) or self._prepare(batch)
        if prepared.graph is None:
            self._enqueue(prepared.context, batch)
        else:
            self._device.launch(prepared.graph, self._stream)
        self._device.synchronize(self._stream)
        for tensor in self._outputs:
            outputs[tensor.name][start:end] = tensor.host[:count]

    def _enqueue(self, context: trt.IExecutionContext, batch: int) -> None:
        for tensor in self._inputs:
            self._device.copy_in(tensor.address, tensor.host[:batch], self._stream)
        if not context.execute_async_v3(self._stream):
            raise self._refused("run the engine")
        for tensor in self._outputs:
            self._device.copy_out(tensor.host[:batch], tensor.address, self._stream)

    def _prepare(self, batch: int) -> _Prepared:
        """Context and graph for a batch size, warmed up on what lies in the inputs."""
        context = self._context(batch)
        for tensor in (*self._inputs, *self._outputs):
            if not context.set_tensor_address(tensor.name, tensor.address):
                raise self._refused(f"take '{tensor.name}' where it lies")
        # What changed with the shapes is done with the first run, which a graph must not hold; kernels are loaded.
        self._enqueue(context, batch)
        self._device.synchronize(self._stream)
        graph = self._capture(context, batch) if self._graphs else None
        self._prepared[batch] = _Prepared(context, graph)
        return self._prepared[batch]

    def _capture(self, context: trt.IExecutionContext, batch: int) -> Any:
        """The graph; None where TensorRT or the GPU cannot, which is said once, and slower."""
        try:
            graph = self._device.capture(self._stream, lambda: self._enqueue(context, batch))
        except DeviceError as error:
            _log.warning("no CUDA graph, each kernel is launched by itself: %s", error)
            self._graphs = False
            self.name = self._describe()
            return None
        self._resources.callback(self._device.destroy_graph, graph)
        return graph

    def _load(self, plan: bytes, host_code: bool) -> None:
        """Stream, engine and tensors. Let go of in the reverse order, contexts before what they lie on."""
        device, keep = self._device, self._resources
        self._stream = device.create_stream()
        keep.callback(device.destroy_stream, self._stream)
        self._runtime = trt.Runtime(self._tensorrt.log)  # has to outlive its engines
        self._runtime.engine_host_code_allowed = host_code
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise self._refused("load the engine")
        self._engine: trt.ICudaEngine = engine
        keep.callback(self._forget_engine)
        self._scratch_size = engine.device_memory_size_v2
        self._scratch = device.allocate(max(self._scratch_size, 1))
        keep.callback(device.free, self._scratch)
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        shapes, self._smallest, self._largest = _input_shapes(engine, inputs)
        self.input_shapes: Mapping[str, tuple[int | None, ...]] = shapes
        outputs = self._output_shapes([name for name in names if name not in inputs])
        self._inputs = tuple(self._tensor(name, shape[1:]) for name, shape in shapes.items())
        self._outputs = tuple(self._tensor(name, shape[1:]) for name, shape in outputs.items())
        keep.callback(self._prepared.clear)

    def _output_shapes(self, names: list[str]) -> dict[str, tuple[int, ...]]:
        """For the largest batch.

        Raises:
            MarEdgeError: one depends on more than the batch.
        """
        context = self._context(self._largest)
        shapes = {name: tuple(context.get_tensor_shape(name)) for name in names}
        for name, (first, *rest) in shapes.items():
            if first != self._largest or min(rest, default=0) < 0:
                raise MarEdgeError(
                    f"the engine's output '{name}' has the shape {shapes[name]} for a batch of {self._largest}; only "
                    "outputs of one row a window run here, for others choose --runtime onnxruntime-cuda"
                )
        return shapes

    def _forget_engine(self) -> None:
        del self._engine, self._runtime

    def _tensor(self, name: str, rest: tuple[Any, ...]) -> _Tensor:
        """Its two places, for the largest batch."""
        kind = self._engine.get_tensor_dtype(name).name
        if kind not in _DTYPES:
            raise MarEdgeError(f"the engine's '{name}' is {kind}; known here are {', '.join(_DTYPES)}")
        host = self._device.allocate_pinned((self._largest, *rest), np.dtype(_DTYPES[kind]))
        self._resources.callback(self._device.free_pinned, host)
        address = self._device.allocate(max(host.nbytes, 1))
        self._resources.callback(self._device.free, address)
        return _Tensor(name, host, address)

    def _context(self, batch: int) -> trt.IExecutionContext:
        """An execution context of that batch size, on the memory that all share."""
        if self._tensorrt.flavour == "tensorrt_rtx":
            context = self._engine.create_execution_context(_rtx_config(self._engine))
        else:
            context = self._engine.create_execution_context(trt.ExecutionContextAllocationStrategy.USER_MANAGED)
        if context is None:
            raise self._refused("make an execution context")
        context.set_device_memory(self._scratch, self._scratch_size)
        for name, (_, *rest) in self.input_shapes.items():
            if not context.set_input_shape(name, (batch, *rest)):
                raise self._refused(f"take a batch of {batch}")
        return context

    def _describe(self) -> str:
        graphs = "CUDA graphs" if self._graphs else "no CUDA graphs"
        return f"{self._tensorrt.flavour} {self._tensorrt.version} ({self._device.name}, {graphs})"

    def _refused(self, what: str) -> DeviceError:
        return DeviceError(f"{self._tensorrt.title} could not {what}: {self._tensorrt.said()}")


def _input_shapes(engine: trt.ICudaEngine, inputs: list[str]) -> tuple[dict[str, tuple[int | None, ...]], int, int]:
    """Shapes of inputs, None where the batch varies, and the smallest and largest batch.

    Raises:
        MarEdgeError: something else varies.
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
        raise MarEdgeError(f"the engine's inputs are of different batches: {sorted(ranges)}")
    ((smallest_batch, largest_batch),) = ranges
    return shapes, smallest_batch, largest_batch


def _rtx_config(engine: Any) -> Any:
    """On memory of ours; kernels for a shape are there with its first run, so that a graph holds those."""
    config = engine.create_runtime_config()
    config.set_execution_context_allocation_strategy(rtx.ExecutionContextAllocationStrategy.USER_MANAGED)
    config.dynamic_shapes_kernel_specialization_strategy = rtx.DynamicShapesKernelSpecializationStrategy.EAGER
    return config


def _given_as(host: NDArray[Any]) -> Any:
    """Halves are given as floats."""
    return np.float32 if host.dtype == np.float16 else host.dtype
