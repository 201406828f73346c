"""ONNX Runtime, on the CPU or on CUDA. Knows nothing of skeletons or labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from mar_edge.edge.choices import Device
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import METADATA_KEY
from mar_edge.edge.runtime.base import InputArray, check_shapes
from mar_edge.edge.runtime.cores import usable_cores

_CPU_PROVIDER = "CPUExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"


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


def available_providers() -> tuple[str, ...]:
    """Return the providers that this ONNX Runtime was built with. Their devices may be missing."""
    return tuple(ort.get_available_providers())


def read_metadata(path: Path) -> str | None:
    """Return the JSON document in a model file; None where it has none.

    Raises:
        MarEdgeError: the file is missing or is no ONNX model.
    """
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = _session(path, options, [_CPU_PROVIDER])
    return _document(session, path)


class OnnxRuntime:
    """Runs a model file on one of ONNX Runtime's providers (see ``edge.runtime.base.Runtime``).

    Args:
        path: the model file.
        threads: threads within one inference; 0 uses every core. They sleep while they wait for each other, because
            pose and recognizer share the cores (docs/pose.md).
        device: where it runs. On ``cuda``, FP32 is FP32, not TF32.

    Raises:
        MarEdgeError: the file is missing or is no ONNX model, or the device cannot be used.
    """

    def __init__(self, path: Path, threads: int = 0, device: Device = "cpu") -> None:
        provider = _CPU_PROVIDER if device == "cpu" else CUDA_PROVIDER
        if provider not in available_providers():
            raise MarEdgeError(
                f"this ONNX Runtime has no {provider}, only {', '.join(available_providers())}; "
                "pip install onnxruntime-gpu in place of onnxruntime"
            )
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or usable_cores()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers: list[str | tuple[str, dict[str, str]]] = [_CPU_PROVIDER]
        if device == "cuda":
            # Nodes without a CUDA kernel may run on the CPU. If CUDA runs none, that is an error below.
            providers.insert(0, (CUDA_PROVIDER, {"use_tf32": "0"}))
        self._path = path
        self._session = _session(path, options, providers)
        # Where CUDA cannot start or fails later, ONNX Runtime would fall back to the CPU with a line in its log.
        self._session.disable_fallback()
        if self._session.get_providers()[0] != provider:
            raise MarEdgeError(
                f"ONNX Runtime could not start {provider} and would use {self._session.get_providers()[0]}. "
                "Check that 'nvidia-smi' shows the device and that CUDA and cuDNN have the versions it needs"
            )
        self.name = f"onnxruntime {ort.__version__} ({device.upper()})"
        self.metadata_json: str | None = _document(self._session, path)
        self.input_shapes: Mapping[str, tuple[int | None, ...]] = {
            tensor.name: tuple(d if isinstance(d, int) else None for d in tensor.shape)
            for tensor in self._session.get_inputs()
        }
        self._halves = {tensor.name for tensor in self._session.get_inputs() if tensor.type == "tensor(float16)"}
        self._outputs = [tensor.name for tensor in self._session.get_outputs()]

    def infer(self, inputs: Mapping[str, InputArray]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for ``inputs`` (see the contract)."""
        check_shapes(self.input_shapes, inputs)
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


def _session(
    path: Path, options: ort.SessionOptions, providers: Sequence[str | tuple[str, dict[str, str]]]
) -> ort.InferenceSession:
    if not path.is_file():
        raise MarEdgeError(f"no model file at {path}; expected an .onnx file written by 'mar-edge export'")
    try:
        # On the CPU, a second try would only print.
        fallback = int(len(providers) > 1)
        return ort.InferenceSession(str(path), options, providers=list(providers), enable_fallback=fallback)
    except _REFUSED as error:
        raise MarEdgeError(f"{path} is not a model that ONNX Runtime can load: {_first_line(error)}") from None


def _document(session: ort.InferenceSession, path: Path) -> str | None:
    try:
        document: str | None = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    except UnicodeDecodeError:
        raise MarEdgeError(f"{path}: its metadata is not readable; it is damaged") from None
    return document


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
