"""Which runtime runs a model file: the one that was named, or the best that works here, and why.

A named one that cannot run is an error that says how to mend it. What is chosen is never exchanged for another behind
one's back.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.errors import MarEdgeError
from edge.model_file import parse_metadata
from edge.runtime.base import Runtime
from edge.runtime.onnxruntime import CUDA_PROVIDER, OnnxRuntime, available_providers, read_metadata

RuntimeName = Literal["auto", "onnxruntime", "onnxruntime-cuda", "openvino"]


@dataclass(frozen=True)
class Opened:
    """A loaded model, and in a few words why it runs on what it runs on."""

    runtime: Runtime
    reason: str


def open_runtime(path: Path, name: RuntimeName = "auto", threads: int = 0) -> Opened:
    """Load a model file.

    Args:
        path: a model file.
        threads: within one inference on a CPU; 0 takes every core.

    Raises:
        MarEdgeError: there is no such file, it is no model, or the runtime that was named cannot run it here.
    """
    if name == "auto":
        return _best(path, threads)
    return Opened(_OPEN[name](path, threads), "asked for")


def _best(path: Path, threads: int) -> Opened:
    where = "on this CPU; this ONNX Runtime knows no CUDA"
    if CUDA_PROVIDER in available_providers():
        try:
            return Opened(OnnxRuntime(path, threads, "cuda"), "CUDA is there")
        except MarEdgeError as error:
            where = f"on this CPU; {error}"
    # On the CPU it was ahead of OpenVINO for the package's model and level with it for the full-size network.
    return Opened(OnnxRuntime(path, threads), f"the fastest {where}")


def _onnxruntime(path: Path, threads: int) -> Runtime:
    return OnnxRuntime(path, threads)


def _onnxruntime_cuda(path: Path, threads: int) -> Runtime:
    return OnnxRuntime(path, threads, "cuda")


def _openvino(path: Path, threads: int) -> Runtime:
    from edge.runtime.openvino import OpenVino

    document = read_metadata(path)  # a pose network has none
    precision = "fp32" if document is None else parse_metadata(document, str(path)).precision
    if precision != "fp32":
        raise MarEdgeError(
            f"{path} is {precision}; OpenVINO runs FP32 files only: here it computes in f32 whatever the "
            "file says (its bf16 is off by whole logits, its int8 slower); give the FP32 file, or --runtime onnxruntime"
        )
    return OpenVino(path, threads)


_OPEN = {"onnxruntime": _onnxruntime, "onnxruntime-cuda": _onnxruntime_cuda, "openvino": _openvino}
