"""Chooses the runtime of a model file: the named one, or the best that works here, with the reason.

A named runtime that cannot run is an error that says how to fix it. It is never replaced by another.
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
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime, read_metadata, read_shapes
from mar_edge.edge.runtime.providers.base import available_providers
from mar_edge.edge.runtime.providers.cuda import CUDA_NAME, cuda
from mar_edge.edge.runtime.tensorrt.cache import has_engine_of
from mar_edge.edge.runtime.tensorrt.store import SUFFIX

# The package's model is 0.5 MB, the full-size network 5 MB.
_FULL_SIZE_BYTES = 2 << 20


@dataclass(frozen=True)
class Opened:
    """A loaded model, and in a few words why it runs on this runtime."""

    runtime: Runtime
    reason: str


def open_runtime(path: Path, name: RuntimeName = "auto", threads: int = 0, progress: Progress = silent) -> Opened:
    """Load a model file.

    Args:
        path: a model file, or a TensorRT engine that ``mar-edge build`` made of one.
        threads: within one inference on a CPU; 0 uses every core.
        progress: of building an engine, where there is none yet.

    Raises:
        MarEdgeError: there is no such file, it is no model, or the named runtime cannot run it here.
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
    # Building an engine takes minutes, so only an existing one is used.
    if path.is_file() and has_engine_of(path):
        try:
            return _tensorrt(path, None)
        except MarEdgeError as error:
            passed_over = f"; not TensorRT, though an engine is in the cache: {error}"
    where = "on this CPU; this ONNX Runtime has no CUDA"
    if CUDA_NAME in available_providers():
        try:
            return Opened(OnnxRuntime(path, threads, cuda()), f"CUDA is available{passed_over}")
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
    """Return whether it is a recognizer for which OpenVINO is faster on a CPU.

    OpenVINO took 27.3 ms for a window of the full-size network and ONNX Runtime 31.2 ms, each alone in its process on
    two idle threads. For the package's model, a tenth of the size, OpenVINO was slower. Sizes in between were not
    measured.
    """
    if not path.is_file() or path.stat().st_size < _FULL_SIZE_BYTES:
        return False
    document = read_metadata(path)  # a pose network has none, and none was measured
    return document is not None and parse_metadata(document, str(path)).precision == "fp32"


def _tensorrt(path: Path, progress: Progress | None) -> Opened:
    from mar_edge.edge.runtime.tensorrt.opening import open_engine

    runtime, how = open_engine(path, progress)
    return Opened(runtime, how)


def _onnxruntime(path: Path, threads: int) -> Runtime:
    return OnnxRuntime(path, threads)


def _onnxruntime_cuda(path: Path, threads: int) -> Runtime:
    return OnnxRuntime(path, threads, cuda())


def _onnxruntime_tensorrt(path: Path, threads: int) -> Runtime:
    from mar_edge.edge.runtime.providers.tensorrt import tensorrt

    _only_fp32(
        path,
        "ONNX Runtime's TensorRT picks the types of layers by itself, and would not keep to those of the file",
        "--runtime tensorrt",
    )
    return OnnxRuntime(path, threads, tensorrt(path, read_shapes(path)))


def _onnxruntime_tensorrt_rtx(path: Path, threads: int) -> Runtime:
    from mar_edge.edge.runtime.providers.tensorrt_rtx import tensorrt_rtx

    return OnnxRuntime(path, threads, tensorrt_rtx(path, read_shapes(path)))


def _openvino(path: Path, threads: int) -> Runtime:
    from mar_edge.edge.runtime.openvino import OpenVino

    _only_fp32(
        path,
        "OpenVINO runs only FP32 files here, because its bf16 is off by whole logits and its INT8 is slower",
        "--runtime onnxruntime",
    )
    return OpenVino(path, threads)


def _only_fp32(path: Path, why: str, instead: str) -> None:
    document = read_metadata(path)  # a pose network has none
    precision = "fp32" if document is None else parse_metadata(document, str(path)).precision
    if precision != "fp32":
        raise MarEdgeError(f"{path} is {precision}; {why}. Give the FP32 file, or {instead}")


_OPEN = {
    "onnxruntime": _onnxruntime,
    "onnxruntime-cuda": _onnxruntime_cuda,
    "onnxruntime-tensorrt": _onnxruntime_tensorrt,
    "onnxruntime-tensorrt-rtx": _onnxruntime_tensorrt_rtx,
    "openvino": _openvino,
}
