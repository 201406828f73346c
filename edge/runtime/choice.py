"""Which runtime runs a model file: the one that was named, or the best that works here, and why.

A named one that cannot run is an error that says how to mend it. What is chosen is never exchanged for another behind
one's back.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import parse_metadata
from mar_edge.edge.progress import Progress, silent
from mar_edge.edge.runtime.base import Runtime
from mar_edge.edge.runtime.onnxruntime import CUDA_PROVIDER, OnnxRuntime, available_providers, read_metadata
from mar_edge.edge.runtime.tensorrt.cache import has_engine_of
from mar_edge.edge.runtime.tensorrt.store import SUFFIX

# The package's model has 0.5 MB, the full-size network 5.
_FULL_SIZE_BYTES = 2 << 20


@dataclass(frozen=True)
class Opened:
    """A loaded model, and in a few words why it runs on what it runs on."""

    runtime: Runtime
    reason: str


def open_runtime(path: Path, name: RuntimeName = "auto", threads: int = 0, progress: Progress = silent) -> Opened:
    """Load a model file.

    Args:
        path: a model file, or a TensorRT engine that ``mar-edge build`` made of one.
        threads: within one inference on a CPU; 0 takes every core.
        progress: of building an engine, where there is none yet.

    Raises:
        MarEdgeError: there is no such file, it is no model, or the runtime that was named cannot run it here.
    """
    is_engine = path.suffix == SUFFIX
    if is_engine and name not in {"auto", "tensorrt"}:
        raise MarEdgeError(f"{path} is a TensorRT engine; --runtime tensorrt runs it, {name} takes the .onnx file")
    if name == "tensorrt" or is_engine:
        return _tensorrt(path, progress)
    if name == "auto":
        return _best(path, threads)
    return Opened(_OPEN[name](path, threads), "asked for")


def _best(path: Path, threads: int) -> Opened:
    passed_over = ""
    # Building an engine takes minutes and is not done unasked; one that is there was built to be used.
    if path.is_file() and has_engine_of(path):
        try:
            return _tensorrt(path, None)
        except MarEdgeError as error:
            passed_over = f"; not TensorRT, though an engine is in the cache: {error}"
    where = "on this CPU; this ONNX Runtime knows no CUDA"
    if CUDA_PROVIDER in available_providers():
        try:
            return Opened(OnnxRuntime(path, threads, "cuda"), f"CUDA is there{passed_over}")
        except MarEdgeError as error:
            where = f"on this CPU; {error}"
    if not _is_full_size(path):
        return Opened(OnnxRuntime(path, threads), f"the fastest for a small network {where}{passed_over}")
    if find_spec("openvino") is None:
        where += "; OpenVINO, faster for a network of this size, is not installed"
        return Opened(OnnxRuntime(path, threads), f"{where}{passed_over}")
    try:
        return Opened(_openvino(path, threads), f"the fastest for a network of this size {where}{passed_over}")
    except MarEdgeError as error:
        return Opened(OnnxRuntime(path, threads), f"{where}; not OpenVINO: {error}{passed_over}")


def _is_full_size(path: Path) -> bool:
    """Whether it is a recogniser for which OpenVINO is the faster one on a CPU.

    A window of the full-size network took it 0.87 of ONNX Runtime's time (27.3 and 31.2 ms, each alone in its process,
    two idle threads); the package's model, a tenth of the size, took it longer. What lies between was not measured.
    """
    if not path.is_file() or path.stat().st_size < _FULL_SIZE_BYTES:
        return False
    document = read_metadata(path)  # a pose network has none, and was not measured
    return document is not None and parse_metadata(document, str(path)).precision == "fp32"


def _tensorrt(path: Path, progress: Progress | None) -> Opened:
    from mar_edge.edge.runtime.tensorrt.opening import open_engine

    runtime, how = open_engine(path, progress)
    return Opened(runtime, how)


def _onnxruntime(path: Path, threads: int) -> Runtime:
    return OnnxRuntime(path, threads)


def _onnxruntime_cuda(path: Path, threads: int) -> Runtime:
    return OnnxRuntime(path, threads, "cuda")


def _openvino(path: Path, threads: int) -> Runtime:
    from mar_edge.edge.runtime.openvino import OpenVino

    document = read_metadata(path)  # a pose network has none
    precision = "fp32" if document is None else parse_metadata(document, str(path)).precision
    if precision != "fp32":
        raise MarEdgeError(
            f"{path} is {precision}; OpenVINO runs FP32 files only: here it computes in f32 whatever the "
            "file says (its bf16 is off by whole logits, its int8 slower); give the FP32 file, or --runtime onnxruntime"
        )
    return OpenVino(path, threads)


_OPEN = {"onnxruntime": _onnxruntime, "onnxruntime-cuda": _onnxruntime_cuda, "openvino": _openvino}
