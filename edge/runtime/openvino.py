"""OpenVINO on the CPU, in f32. Knows nothing of skeletons or labels.

Only f32, on every processor. By default OpenVINO uses bf16 where the hardware has it. This network takes differences of
neighboring frames, so its logits are then off by whole units. INT8 was slower than f32.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError, MissingExtra
from mar_edge.edge.runtime.base import InputArray, check_shapes
from mar_edge.edge.runtime.cores import usable_cores
from mar_edge.edge.runtime.onnxruntime import read_metadata

try:
    import openvino
except ImportError:
    raise MissingExtra("openvino", "openvino") from None


@cache
def _core() -> openvino.Core:
    """Return the one core of this process, which is never released.

    On a processor with AMX, its CPU device gives the thread that first compiles a model an alternate signal stack. It
    unmaps that stack when the core is released. After a second core, or from another thread, the unmapped stack stays
    set. The next signal that Python handles, such as SIGTERM, then kills the process.
    """
    return openvino.Core()


class OpenVino:
    """Runs a model file on OpenVINO's CPU device (see ``edge.runtime.base.Runtime``).

    Args:
        path: the model file.
        threads: threads within one inference; 0 uses every core.

    Raises:
        MarEdgeError: the file is missing or is no ONNX model.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        # Reading it with ONNX Runtime first gives the metadata, and one error message for a broken file.
        self.metadata_json: str | None = read_metadata(path)
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(threads or usable_cores()),
            # The pose stage uses the same cores, so the system schedules the threads and OpenVINO does not pin them.
            "ENABLE_CPU_PINNING": "NO",
        }
        core = _core()
        try:
            model = core.read_model(str(path))
            compiled = core.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise MarEdgeError(f"{path} is not a model that OpenVINO can load: {reason}") from None
        self._request = compiled.create_infer_request()
        # Named as in the file: where a division by 1 is left out, a compiled output has its name as well.
        names = [port.get_any_name() for port in model.outputs]
        self._outputs = dict(zip(names, compiled.outputs, strict=True))
        self.name = f"openvino {openvino.__version__.split('-')[0]} (CPU, f32)"
        self.input_shapes: Mapping[str, tuple[int | None, ...]] = {
            port.get_any_name(): tuple(d.get_length() if d.is_static else None for d in port.get_partial_shape())
            for port in compiled.inputs
        }

    def infer(self, inputs: Mapping[str, InputArray]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for ``inputs`` (see the contract)."""
        check_shapes(self.input_shapes, inputs)
        results = self._request.infer(dict(inputs), share_inputs=True, share_outputs=False)
        outputs = {name: results[port] for name, port in self._outputs.items()}
        return {
            name: array.astype(np.float32) if array.dtype == np.float16 else array for name, array in outputs.items()
        }

    def warm_up(self, inputs: Mapping[str, InputArray]) -> None:
        """Run once (see the contract)."""
        self.infer(inputs)

    def __enter__(self) -> OpenVino:
        return self

    def __exit__(self, *exc_info: object) -> None:
        del self._request
