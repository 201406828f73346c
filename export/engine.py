"""Compiles a model file for NVIDIA GPUs with TensorRT for RTX, whose parser and builder need no GPU. Runs nothing.

Strongly typed: what each layer computes in is what the file says. What came of it is read from the builder's own
report of layers, which it writes to its log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorrt_rtx as trt

from edge.errors import MarEdgeError
from edge.progress import Progress

_LAYERS = "Layers:"
_MEMORY = re.compile(r"Total (Weights|Activation) Memory: (\d+) bytes")
_WORKSPACE_BYTES = 1 << 30
# A product computes in the first of these that it reads: int8 beside half is a weight stored so and decoded, float
# beside either is the residual, added behind the product.
_TYPES = ("Half", "BFloat16", "Int8", "Float")
# Kinds of kernels that hold matrix products and convolutions; the rest is pointwise, reduction and bookkeeping.
_PRODUCTS = ("gemm", "correlation", "runtime_fusion")


@dataclass(frozen=True)
class Kernel:
    """One kernel of an engine: its kind, the types of what it reads and writes, and the ONNX nodes it computes."""

    kind: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    nodes: tuple[str, ...]

    @property
    def is_product(self) -> bool:
        """It multiplies matrices or convolves."""
        return self.kind in _PRODUCTS

    @property
    def computes_in(self) -> str:
        """The type of its arithmetic."""
        known = [kind for kind in _TYPES if kind in self.reads]
        return known[0] if known else ", ".join(self.reads)


@dataclass(frozen=True)
class Engine:
    """A compiled model. Bytes of memory as the builder states them."""

    plan: bytes
    kernels: tuple[Kernel, ...]
    weights_bytes: int
    activation_bytes: int

    def product_types(self, node: str) -> set[str]:
        """What an ONNX product node computes in: the type of each kernel of products with that node in it.

        Empty where the builder made one of a few channels part of a pointwise kernel.
        """
        return {kernel.computes_in for kernel in self.kernels if kernel.is_product and node in kernel.nodes}


def targets() -> tuple[str, ...]:
    """The GPUs that this TensorRT compiles for: sm80, sm86, ..."""
    names = trt.ComputeCapability.__members__
    return tuple(sorted((name.lower() for name in names if name.startswith("SM")), key=lambda name: int(name[2:])))


def compile_engine(
    path: Path, target: str, batches: Sequence[int], progress: Progress = lambda what, done, total: None
) -> Engine:
    """Compile a model file.

    Args:
        target: one of ``targets``.
        batches: numbers of windows that one inference may take: from the smallest to the largest, fastest at the
            second.

    Raises:
        MarEdgeError: no such target, or TensorRT cannot take the file; the message names the ONNX node.
    """
    if target not in targets():
        raise MarEdgeError(f"no target '{target}'; this TensorRT compiles for {', '.join(targets())}")
    log = _log()
    log.messages.clear()
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse_from_file(str(path)):
        raise MarEdgeError(f"TensorRT cannot take {path}: {_parse_error(parser)}")
    if not network.num_outputs:  # what is no model at all may be read as an empty one
        raise MarEdgeError(f"TensorRT cannot take {path}: it holds no network")
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
    # On by default, and FP32 would not be FP32.
    config.clear_flag(trt.BuilderFlag.TF32)
    config.num_compute_capabilities = 1
    config.set_compute_capability(trt.ComputeCapability.__members__[target.upper()], 0)
    config.progress_monitor = _Monitor(progress)
    config.add_optimization_profile(_profile(builder, network, sorted(set(batches))))
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise MarEdgeError(f"TensorRT cannot compile {path} for {target}: {log.last_error()}")
    text = next((message for message in log.messages if message.startswith(_LAYERS)), "")
    memory = {name: int(size) for message in log.messages for name, size in _MEMORY.findall(message)}
    return Engine(bytes(plan), _kernels(text), memory.get("Weights", 0), memory.get("Activation", 0))


def _profile(builder: Any, network: Any, batches: Sequence[int]) -> Any:
    smallest, likely, largest = batches[0], batches[min(1, len(batches) - 1)], batches[-1]
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        rest = tuple(tensor.shape)[1:]
        profile.set_shape(tensor.name, (smallest, *rest), (likely, *rest), (largest, *rest))
    return profile


def _parse_error(parser: Any) -> str:
    errors = [parser.get_error(index) for index in range(parser.num_errors)]
    if not errors:
        return "it does not say why"
    error = errors[0]
    where = f"node '{error.node_name()}' ({error.node_operator()}): " if error.node_name() else ""
    return f"{where}{error.desc()}"


def _kernels(text: str) -> tuple[Kernel, ...]:
    """The lines of the builder's report. Kernels without nodes of ours (waits, shapes) are left out."""
    kernels = []
    for line in text.splitlines():
        kind = re.search(r"LayerType: ([^,]+),", line)
        nodes = tuple(re.findall(r"\[ONNX Layer: ([^\]]+)\]", line))
        if kind is None or not nodes:
            continue
        reads, _, rest = line.partition("Outputs: [")
        writes = rest.partition("TacticName:")[0]
        reads = reads.partition("Constants: [")[0]
        kernels.append(Kernel(kind[1], _types(reads), _types(writes), nodes))
    return tuple(kernels)


def _types(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"Datatype: (\w+)", text))


class _Log(trt.ILogger):  # type: ignore[misc]  # the bindings ship no types
    """Keeps what the builder says."""

    def __init__(self) -> None:
        trt.ILogger.__init__(self)
        self.messages: list[str] = []
        self._errors: list[str] = []

    def log(self, severity: Any, message: str) -> None:
        """Called by TensorRT."""
        self.messages.append(message)
        if severity in {trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR}:
            self._errors.append(message)

    def last_error(self) -> str:
        """What went wrong last."""
        return self._errors[-1] if self._errors else "it does not say why"


class _Monitor(trt.IProgressMonitor):  # type: ignore[misc]  # likewise
    """Passes the builder's own progress on."""

    def __init__(self, progress: Progress) -> None:
        trt.IProgressMonitor.__init__(self)
        self._progress = progress
        self._steps: dict[str, int] = {}

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        """Called by TensorRT."""
        self._steps[phase_name] = num_steps

    def step_complete(self, phase_name: str, step: int) -> bool:
        """Called by TensorRT; goes on."""
        self._progress(phase_name, step + 1, self._steps[phase_name])
        return True

    def phase_finish(self, phase_name: str) -> None:
        """Called by TensorRT."""
        self._progress(phase_name, self._steps[phase_name], self._steps[phase_name])


_LOGS: list[_Log] = []


def _log() -> _Log:
    """TensorRT keeps the first logger of a process, so there is one."""
    if not _LOGS:
        _LOGS.append(_Log())
    return _LOGS[0]
