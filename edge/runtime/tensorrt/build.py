"""Compiles a model file for an NVIDIA GPU with the TensorRT that was chosen. Runs nothing and keeps nothing.

Networks are strongly typed: the file states the type in which each layer computes. TensorRT's own report of layers says
what the engine uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsInt

from mar_edge.edge.choices import Hardware
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.progress import Progress, silent
from mar_edge.edge.runtime.tensorrt.bindings import Bindings, rtx, trt
from mar_edge.edge.runtime.tensorrt.layers import (
    LOG_BEGINS,
    Fallback,
    Kernel,
    fallbacks,
    kernels_of_inspector,
    kernels_of_log,
)
from mar_edge.edge.runtime.tensorrt.targets import Place

_MEMORY = re.compile(r"Total (Weights|Activation) Memory: (\d+) bytes")
_PRODUCTS = ("CONVOLUTION", "DECONVOLUTION", "MATRIX_MULTIPLY")
_LEVELS: dict[Hardware, str] = {"same-capability": "SAME_COMPUTE_CAPABILITY", "ampere-plus": "AMPERE_PLUS"}
_TYPE_NAMES = {"FLOAT": "Float", "HALF": "Half", "BF16": "BFloat16", "INT8": "Int8"}


@dataclass(frozen=True)
class Batches:
    """Windows in one inference: from ``smallest`` to ``largest``, fastest at ``usual``."""

    smallest: int
    usual: int
    largest: int

    @classmethod
    def of(cls, sizes: Sequence[int]) -> Batches:
        """Take the first, the second and the last of ascending sizes."""
        return cls(sizes[0], sizes[min(1, len(sizes) - 1)], sizes[-1])


DEFAULT_BATCHES = Batches(1, 4, 8)


@dataclass(frozen=True)
class BuildOptions:
    """Options of an engine.

    workspace_mb: memory that a kernel may use in addition to its tensors, at most.
    version_compatible: later versions of TensorRT with the same first number run it too.
    hardware: GPUs that run it: the same model only, those of the same compute capability, or all from Ampere on.
    """

    batches: Batches = DEFAULT_BATCHES
    workspace_mb: int = 1024
    version_compatible: bool = False
    hardware: Hardware = "same"


@dataclass(frozen=True)
class Engine:
    """A compiled model.

    weights_bytes, activation_bytes: as TensorRT states them, 0 where it does not. timing: the builder's measurements,
    for the next build.
    """

    plan: bytes
    place: Place
    kernels: tuple[Kernel, ...]
    fallbacks: tuple[Fallback, ...]
    weights_bytes: int
    activation_bytes: int
    timing: bytes = b""


def compile_engine(
    path: Path,
    tensorrt: Bindings,
    place: Place,
    options: BuildOptions = BuildOptions(),
    progress: Progress = silent,
    *,
    timing: bytes = b"",
) -> Engine:
    """Compile a model file with the TensorRT that was chosen.

    Args:
        place: the GPU, from ``targets``.
        timing: measurements of an earlier build on this GPU; TensorRT ignores those that do not fit.

    Raises:
        MarEdgeError: TensorRT lacks a mode, or cannot take the file; then the message names the ONNX node.
    """
    log = tensorrt.log
    log.errors.clear()
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse_from_file(str(path)):
        raise MarEdgeError(f"{tensorrt.title} cannot take {path}: {_parse_error(parser)}")
    if not network.num_outputs:  # other files may parse as an empty model
        raise MarEdgeError(f"{tensorrt.title} cannot take {path}: it contains no network")
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mb << 20)
    # TF32 is on by default; FP32 would be less precise than the file says.
    config.clear_flag(trt.BuilderFlag.TF32)
    monitor = _monitor(progress)
    config.progress_monitor = monitor
    config.add_optimization_profile(_profile(builder, network, options.batches, path))
    _set_modes(config, tensorrt, options, place)
    # TensorRT for RTX has no use for it.
    timed = tensorrt.flavor == "tensorrt" and config.set_timing_cache(config.create_timing_cache(timing), False)
    with _listening(log) as messages:
        memory = builder.build_serialized_network(network, config)
    if memory is None:
        raise MarEdgeError(f"{tensorrt.title} cannot compile {path} for {place.capability}: {tensorrt.last_error()}")
    plan = bytes(memory)
    text = next((message for message in messages if message.startswith(LOG_BEGINS)), "")
    sizes = {name: int(size) for message in messages for name, size in _MEMORY.findall(message)}
    kernels = kernels_of_log(text)
    if not kernels and place.gpu is not None:
        kernels = kernels_of_inspector(_inspect(plan, tensorrt, options))
    return Engine(
        plan,
        place,
        kernels,
        fallbacks(kernels, _intended(network)),
        sizes.get("Weights", 0),
        sizes.get("Activation", 0),
        bytes(config.get_timing_cache().serialize()) if timed else b"",
    )


def _set_modes(config: Any, tensorrt: Bindings, options: BuildOptions, place: Place) -> None:
    """Set target and compatibility on a ``trt.IBuilderConfig``, whose members differ between versions."""
    if tensorrt.flavor == "tensorrt_rtx":
        if options.version_compatible or options.hardware != "same":
            raise MarEdgeError(
                f"{tensorrt.title} has no --version-compatible and no --hardware, because its engines run on every GPU "
                "of their compute capability; full TensorRT has both"
            )
        config.num_compute_capabilities = 1
        config.set_compute_capability(rtx.ComputeCapability.__members__[place.capability.upper()], 0)
        if hasattr(rtx.BuilderFlag, "REQUIRE_USER_ALLOCATION"):  # without it no CUDA graph can be captured
            config.set_flag(rtx.BuilderFlag.REQUIRE_USER_ALLOCATION)
        return
    if options.version_compatible:
        config.set_flag(trt.BuilderFlag.VERSION_COMPATIBLE)
    if options.hardware != "same":
        level = trt.HardwareCompatibilityLevel.__members__.get(_LEVELS[options.hardware])
        if level is None:
            there = [name for name, its in _LEVELS.items() if its in trt.HardwareCompatibilityLevel.__members__]
            raise MarEdgeError(
                f"{tensorrt.title} has no --hardware {options.hardware}; it has {', '.join(['same', *there])}"
            )
        config.hardware_compatibility_level = level


def _profile(
    builder: trt.Builder, network: trt.INetworkDefinition, batches: Batches, path: Path
) -> trt.IOptimizationProfile:
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        first, *rest = tuple(tensor.shape)
        if -1 in rest:
            raise MarEdgeError(
                f"{path}: input '{tensor.name}' has the shape {(first, *rest)}; only the batch may be dynamic (-1). "
                "ONNX Runtime runs such a file"
            )
        sizes = (batches.smallest, batches.usual, batches.largest) if first == -1 else (first, first, first)
        smallest, usual, largest = (trt.Dims([size, *rest]) for size in sizes)
        profile.set_shape(tensor.name, smallest, usual, largest)
    return profile


def _parse_error(parser: trt.OnnxParser) -> str:
    errors = [parser.get_error(index) for index in range(parser.num_errors)]
    if not errors:
        return "it gives no reason"
    error = errors[0]
    reason: str = error.desc()
    if not error.node_name() and not error.node_operator():
        return reason
    # A node may have no name. For an operator that it refuses, the parser gives only the failed check: "false".
    named = f"node '{error.node_name()}'" if error.node_name() else f"node number {error.node()}, which has no name"
    why = "it cannot compile this operator" if reason in {"", "false"} else reason
    return f"{named} ({error.node_operator()}): {why}"


def _intended(network: trt.INetworkDefinition) -> dict[str, str]:
    """Return for each product node the type in which it should compute: INT8 where its input is quantized."""
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    decoded = {
        layer.get_output(index).name
        for layer in layers
        if layer.type == trt.LayerType.DEQUANTIZE
        for index in range(layer.num_outputs)
    }
    found = {}
    for layer in layers:
        if layer.type.name not in _PRODUCTS:
            continue
        read = layer.get_input(0)
        kind = "Int8" if read.name in decoded else _TYPE_NAMES.get(read.dtype.name, read.dtype.name)
        node = re.search(r"\[ONNX Layer: ([^\]]+)\]", layer.metadata)
        found[node[1] if node else layer.name] = kind
    return found


def _inspect(plan: bytes, tensorrt: Bindings, options: BuildOptions) -> str:
    """Return TensorRT's JSON description of an engine. Needs the engine's GPU."""
    runtime = trt.Runtime(tensorrt.log)
    runtime.engine_host_code_allowed = options.version_compatible
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise MarEdgeError(f"{tensorrt.title} cannot load the engine it built: {tensorrt.last_error()}")
    document: str = engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON)
    return document


@contextmanager
def _listening(log: Any) -> Iterator[list[str]]:
    """Yield a list that gets every message."""
    messages: list[str] = []
    log.messages = messages
    try:
        yield messages
    finally:
        log.messages = None


def _monitor(progress: Progress) -> trt.IProgressMonitor:
    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]  # the bindings ship no types
        """Reports the progress of the builder's outermost phases, without the phases inside them."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: SupportsInt) -> None:
            """Note a phase (TensorRT calls this)."""
            if not parent_phase:
                self.steps[phase_name] = int(num_steps)

        def step_complete(self, phase_name: str, step: SupportsInt) -> bool:
            """Report a step, and continue (TensorRT calls this)."""
            if phase_name in self.steps:
                progress(phase_name, int(step) + 1, self.steps[phase_name])
            return True

        def phase_finish(self, phase_name: str) -> None:
            """Report a phase as complete, even if it skipped steps (TensorRT calls this)."""
            if phase_name in self.steps:
                progress(phase_name, self.steps[phase_name], self.steps[phase_name])

    return Monitor()
