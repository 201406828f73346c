"""ONNX Runtime on the CPU. Knows nothing of skeletons or labels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edge.errors import MarEdgeError
from edge.model_file import METADATA_KEY

_PROVIDER = "CPUExecutionProvider"


class OnnxRuntime:
    """Runs a model file on ONNX Runtime's CPU provider (see ``edge.runtime.base.Runtime``).

    Args:
        path: the model file.
        threads: threads within one inference; 0 takes every core. They spin while an inference lasts, which makes it
            a tenth faster, and rest between inferences: the pose stage wants the cores then.

    Raises:
        MarEdgeError: the file is missing or is no ONNX model.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        if not path.is_file():
            raise MarEdgeError(f"no model file at {path}; expected an .onnx file written by 'mar-edge export'")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            self._session = ort.InferenceSession(str(path), options, providers=[_PROVIDER])
        except (
            ort.capi.onnxruntime_pybind11_state.Fail,
            ort.capi.onnxruntime_pybind11_state.InvalidArgument,
            ort.capi.onnxruntime_pybind11_state.InvalidGraph,
            ort.capi.onnxruntime_pybind11_state.InvalidProtobuf,
            ort.capi.onnxruntime_pybind11_state.NotImplemented,
        ) as error:
            reason = str(error).splitlines()[0]
            raise MarEdgeError(f"{path} is not a model ONNX Runtime can load: {reason}") from None
        if self._session.get_providers() != [_PROVIDER]:
            raise MarEdgeError(f"ONNX Runtime did not take {_PROVIDER}; it has {ort.get_available_providers()}")
        self.name = f"onnxruntime {ort.__version__} (CPU)"
        self.metadata_json: str | None = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        self.input_shapes: Mapping[str, tuple[int | None, ...]] = {
            tensor.name: tuple(d if isinstance(d, int) else None for d in tensor.shape)
            for tensor in self._session.get_inputs()
        }
        self._halves = {tensor.name for tensor in self._session.get_inputs() if tensor.type == "tensor(float16)"}
        self._outputs = [tensor.name for tensor in self._session.get_outputs()]

    def infer(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """All outputs for ``inputs`` (see the contract)."""
        self._check(inputs)
        fed = {name: array.astype(np.float16) if name in self._halves else array for name, array in inputs.items()}
        outputs = dict(zip(self._outputs, self._session.run(self._outputs, fed), strict=True))
        return {
            name: array.astype(np.float32) if array.dtype == np.float16 else array for name, array in outputs.items()
        }

    def warm_up(self, inputs: Mapping[str, NDArray[np.float32]]) -> None:
        """Run once (see the contract)."""
        self.infer(inputs)

    def _check(self, inputs: Mapping[str, NDArray[np.float32]]) -> None:
        if inputs.keys() != self.input_shapes.keys():
            raise MarEdgeError(f"the model takes the inputs {sorted(self.input_shapes)}, given were {sorted(inputs)}")
        for name, shape in self.input_shapes.items():
            given = inputs[name].shape
            if len(given) != len(shape) or any(s is not None and s != g for s, g in zip(shape, given, strict=True)):
                raise MarEdgeError(f"input '{name}' has the shape {shape} (None is any), given was {given}")

    def __enter__(self) -> OnnxRuntime:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._session
