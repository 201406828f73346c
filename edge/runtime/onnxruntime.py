"""ONNX Runtime, on one of its execution providers (``edge.runtime.providers``). Knows no skeletons and no labels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import METADATA_KEY
from mar_edge.edge.runtime.base import InputArray, check_shapes
from mar_edge.edge.runtime.cores import usable_cores
from mar_edge.edge.runtime.providers.base import CPU, CPU_NAME, Provider

# Errors of ONNX Runtime on a file that is no model, or a damaged one.
_REFUSED = (
    ort.capi.onnxruntime_pybind11_state.Fail,
    ort.capi.onnxruntime_pybind11_state.InvalidArgument,
    ort.capi.onnxruntime_pybind11_state.InvalidGraph,
    ort.capi.onnxruntime_pybind11_state.InvalidProtobuf,
    ort.capi.onnxruntime_pybind11_state.NotImplemented,
    ort.capi.onnxruntime_pybind11_state.RuntimeException,
    UnicodeDecodeError,
)


_PLACE = re.compile(r"^/\S+\.cc:\d+ .*\) (?=[A-Z])")
"""Where an error was raised, in ONNX Runtime's sources, at the start of some of its messages."""


def read_metadata(path: Path) -> str | None:
    """Return the JSON document in a model file; None where it has none.

    Raises:
        MarEdgeError: the file is missing or is no ONNX model.
    """
    return _document(_unoptimized(path), path)


def read_shapes(path: Path) -> dict[str, tuple[int | None, ...]]:
    """Return the shape of each input of a model file; None where it is dynamic.

    Raises:
        MarEdgeError: the file is missing or is no ONNX model.
    """
    return _shapes(_unoptimized(path))


class OnnxRuntime:
    """Runs a model file on one of ONNX Runtime's providers (see ``edge.runtime.base.Runtime``).

    Args:
        path: the model file.
        threads: threads within one inference; 0 uses every core. They sleep while they wait for each other, because
            pose and recognizer share the cores (docs/pose.md).
        provider: what runs it. Nodes that it does not take run on the CPU; ``name`` then says how many.

    Raises:
        MarEdgeError: the file is missing or is no ONNX model, or the provider does not start or takes no node.
    """

    def __init__(self, path: Path, threads: int = 0, provider: Provider = CPU) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or usable_cores()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._path = path
        self._largest = provider.largest_batch
        self._session = _session(path, options) if provider is CPU else _started(path, options, provider)
        on = "" if provider is CPU else _beside(self._session, provider)
        self.name = f"onnxruntime {ort.__version__} ({provider.title}{on})"
        self.metadata_json: str | None = _document(self._session, path)
        self.input_shapes: Mapping[str, tuple[int | None, ...]] = _shapes(self._session)
        self._halves = {tensor.name for tensor in self._session.get_inputs() if tensor.type == "tensor(float16)"}
        self._outputs = [tensor.name for tensor in self._session.get_outputs()]

    def infer(self, inputs: Mapping[str, InputArray]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for ``inputs`` (see the contract)."""
        check_shapes(self.input_shapes, inputs)
        count, largest = len(next(iter(inputs.values()))), self._largest
        if largest is None or count <= largest:
            return self._run(inputs)
        parts = [
            self._run({name: array[start : start + largest] for name, array in inputs.items()})
            for start in range(0, count, largest)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def _run(self, inputs: Mapping[str, InputArray]) -> dict[str, NDArray[np.float32]]:
        fed = {name: array.astype(np.float16) if name in self._halves else array for name, array in inputs.items()}
        outputs = dict(zip(self._outputs, self._session.run(self._outputs, fed), strict=True))
        return {
            name: array.astype(np.float32) if array.dtype == np.float16 else array for name, array in outputs.items()
        }

    def warm_up(self, inputs: Mapping[str, InputArray]) -> None:
        """Run once (see the contract).

        Raises:
            MarEdgeError: the file is damaged: it loads but does not run.
        """
        try:
            self.infer(inputs)
        except _REFUSED as error:
            raise MarEdgeError(f"{self._path} does not run: {_first_line(error)}") from None

    def __enter__(self) -> OnnxRuntime:
        return self

    def __exit__(self, *exc_info: object) -> None:
        del self._session


def _session(path: Path, options: ort.SessionOptions) -> ort.InferenceSession:
    """Open a file on the CPU."""
    if not path.is_file():
        raise MarEdgeError(f"no model file at {path}; expected an .onnx file written by 'mar-edge export'")
    try:
        # A second try would only print.
        return ort.InferenceSession(str(path), options, providers=[CPU_NAME], enable_fallback=0)
    except _REFUSED as error:
        raise MarEdgeError(f"{path} is not a model that ONNX Runtime can load: {_first_line(error)}") from None


def _unoptimized(path: Path) -> ort.InferenceSession:
    """Open a file to read its description."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return _session(path, options)


def _started(path: Path, options: ort.SessionOptions, provider: Provider) -> ort.InferenceSession:
    """Open a file on a provider that may not start."""
    _unoptimized(path)  # what is wrong with the file is not the provider's fault
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    chain: list[str | tuple[str, dict[str, str]]] | None = None
    if provider.devices:
        options.add_provider_for_devices(list(provider.devices), dict(provider.options))
    else:
        chain = [(each.name, dict(each.options)) for each in (provider, provider.behind) if each is not None]
        chain.append(CPU_NAME)
    try:
        with _quiet():
            session = ort.InferenceSession(str(path), options, providers=chain, enable_fallback=0)
    except (*_REFUSED, ort.capi.onnxruntime_pybind11_state.EPFail, RuntimeError) as error:
        raise MarEdgeError(
            f"ONNX Runtime cannot run {path} on {provider.title}: {_PLACE.sub('', _first_line(error))}; "
            f"{provider.remedy}"
        ) from None
    # Where the provider cannot start or fails later, ONNX Runtime would fall back to the CPU with a line in its log.
    session.disable_fallback()
    if session.get_providers()[0] != provider.name:
        raise MarEdgeError(
            f"ONNX Runtime could not start {provider.name} and would use {session.get_providers()[0]}: "
            f"{provider.remedy}"
        )
    return session


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep ONNX Runtime from printing why a provider does not start; the error has it."""
    ort.set_default_logger_severity(4)
    try:
        yield
    finally:
        ort.set_default_logger_severity(2)  # its default; it has no function to ask for it


def _beside(session: ort.InferenceSession, provider: Provider) -> str:
    """Return how many nodes run on the CPU in spite of the provider, for the runtime's name; empty if none do.

    Raises:
        MarEdgeError: the provider took no node.
    """
    if not hasattr(session, "get_provider_graph_assignment_info"):  # before 1.24
        return ""
    nodes: Counter[str] = Counter()
    for part in session.get_provider_graph_assignment_info():
        nodes[part.ep_name] += len(part.get_nodes())
    if not nodes[provider.name]:
        raise MarEdgeError(f"{provider.title} takes none of the {sum(nodes.values())} nodes of this model")
    return f"; {nodes[CPU_NAME]} of {sum(nodes.values())} nodes on the CPU" if nodes[CPU_NAME] else ""


def _shapes(session: ort.InferenceSession) -> dict[str, tuple[int | None, ...]]:
    return {
        tensor.name: tuple(size if isinstance(size, int) else None for size in tensor.shape)
        for tensor in session.get_inputs()
    }


def _document(session: ort.InferenceSession, path: Path) -> str | None:
    try:
        document: str | None = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    except UnicodeDecodeError:
        raise MarEdgeError(f"{path}: its metadata is not readable; it is damaged") from None
    return document


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
