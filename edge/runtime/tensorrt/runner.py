"""Runs TensorRT engines on an NVIDIA GPU, with CUDA graphs. Knows nothing of skeletons, labels or building engines.

Each batch size that occurs gets one execution context with fixed shapes and addresses. It also gets a CUDA graph of a
whole inference of that size: copies in, kernels, copies out. A context must not change after a graph was captured from
it, so there is one per size. They share the scratch memory, because one runs at a time.
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
from mar_edge.edge.runtime.base import InputArray, check_shapes
from mar_edge.edge.runtime.tensorrt.bindings import Bindings, trt
from mar_edge.edge.runtime.tensorrt.device.base import Device, DeviceError
from mar_edge.edge.runtime.tensorrt.loaded import LoadedEngine, refused

_log = logging.getLogger("mar_edge.tensorrt")


@dataclass(frozen=True)
class _Prepared:
    """Context and graph for inferences of one batch size. graph: None where there are no graphs."""

    context: Any
    graph: Any


class TensorRt:
    """Runs an engine (see ``edge.runtime.base.Runtime``).

    Batches larger than the engine's run in parts; smaller ones are filled up. The first inference of a batch size
    takes as long as several: it warms up and captures that size's graph.

    ``infer`` may be called from any thread; calls wait for each other. Each engine has its own stream, so several
    engines, in the same or other threads, share the GPU.

    Args:
        plan: the engine.
        metadata_json: the document of the model file that it was built from.
        tensorrt: the TensorRT that was chosen.
        device: the GPU. It is closed with the runtime.
        host_code: allow code for the processor inside the engine, as version-compatible engines have it.

    Raises:
        DeviceError: TensorRT or the GPU refuses it.
        MarEdgeError: a dimension other than the batch varies, or a tensor has an unknown type.
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
                self._stream = device.create_stream()
                self._resources.callback(device.destroy_stream, self._stream)
                self._engine = LoadedEngine(plan, tensorrt, device, self._resources, host_code=host_code)
                self._resources.callback(self._prepared.clear)
        except BaseException:  # raised again: the GPU's memory must be released first
            self.__exit__(None, None, None)
            raise
        self.input_shapes: Mapping[str, tuple[int | None, ...]] = self._engine.input_shapes
        self.name = self._describe()
        self.metadata_json = metadata_json

    def infer(self, inputs: Mapping[str, InputArray]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for ``inputs`` (see the contract).

        Raises:
            DeviceError: the GPU failed.
        """
        check_shapes(self.input_shapes, inputs)
        counts = {len(array) for array in inputs.values()}
        if len(counts) > 1 or 0 in counts:
            raise MarEdgeError(
                "inputs must have one number of windows, at least 1; given were "
                f"{[len(array) for array in inputs.values()]}"
            )
        count = counts.pop()
        outputs = {each.name: np.empty((count, *each.rest), _given_as(each.host)) for each in self._engine.outputs}
        with self._turn, self._device.current():
            if self._closed:  # the memory of its pinned arrays is gone
                raise RuntimeError("the engine is closed")
            largest = self._engine.largest
            for start in range(0, count, largest):
                self._run(inputs, outputs, start, min(start + largest, count))
        return outputs

    def warm_up(self, inputs: Mapping[str, InputArray]) -> None:
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
                _log.warning("the GPU could not be released: %s", error)
            self._device.close()

    def _run(
        self,
        inputs: Mapping[str, InputArray],
        outputs: Mapping[str, NDArray[Any]],
        start: int,
        end: int,
    ) -> None:
        count = end - start
        batch = max(count, self._engine.smallest)
        for tensor in self._engine.inputs:
            tensor.host[:count] = inputs[tensor.name][start:end]
            tensor.host[count:batch] = tensor.host[count - 1]
        prepared = self._prepared.get(batch) or self._prepare(batch)
        if prepared.graph is None:
            self._enqueue(prepared.context, batch)
        else:
            self._device.launch(prepared.graph, self._stream)
        self._device.synchronize(self._stream)
        for tensor in self._engine.outputs:
            outputs[tensor.name][start:end] = tensor.host[:count]

    def _enqueue(self, context: trt.IExecutionContext, batch: int) -> None:
        for tensor in self._engine.inputs:
            self._device.copy_in(tensor.address, tensor.host[:batch], self._stream)
        if not context.execute_async_v3(self._stream):
            raise refused(self._tensorrt, "run the engine")
        for tensor in self._engine.outputs:
            self._device.copy_out(tensor.host[:batch], tensor.address, self._stream)

    def _prepare(self, batch: int) -> _Prepared:
        """Make context and graph for a batch size, warmed up on the present inputs."""
        context = self._engine.context(batch)
        # The first run loads kernels and applies the new shapes. A graph must not contain that.
        self._enqueue(context, batch)
        self._device.synchronize(self._stream)
        graph = self._capture(context, batch) if self._graphs else None
        self._prepared[batch] = _Prepared(context, graph)
        return self._prepared[batch]

    def _capture(self, context: trt.IExecutionContext, batch: int) -> Any:
        """Capture the graph. Where TensorRT or the GPU cannot, return None and log it once: inference is slower."""
        try:
            graph = self._device.capture(self._stream, lambda: self._enqueue(context, batch))
        except DeviceError as error:
            _log.warning("no CUDA graph, each kernel is launched by itself: %s", error)
            self._graphs = False
            self.name = self._describe()
            return None
        self._resources.callback(self._device.destroy_graph, graph)
        return graph

    def _describe(self) -> str:
        graphs = "CUDA graphs" if self._graphs else "no CUDA graphs"
        return f"{self._tensorrt.flavor} {self._tensorrt.version} ({self._device.name}, {graphs})"


def _given_as(host: NDArray[Any]) -> Any:
    """Return the type of the array that the caller gets: FP16 outputs are converted to float32."""
    return np.float32 if host.dtype == np.float16 else host.dtype
