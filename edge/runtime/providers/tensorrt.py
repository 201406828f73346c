"""TensorRT inside ONNX Runtime: built into ``onnxruntime-gpu``, which needs the libraries of TensorRT 10.

It picks the type of each layer by itself, so it takes FP32 files only. ``edge/runtime/tensorrt`` keeps to the file's.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
from contextlib import suppress
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.runtime.providers.base import Provider, require_built_in
from mar_edge.edge.runtime.providers.cuda import cuda
from mar_edge.edge.runtime.providers.engines import Shapes, engine_folder, profile, refuse_tf32

NAME = "TensorrtExecutionProvider"
_LIBRARY = "nvinfer_10.dll" if sys.platform == "win32" else "libnvinfer.so.10"


def tensorrt(model: Path, shapes: Shapes) -> Provider:
    """Return the provider for a model file. Engines and measurements of the builder are kept in the cache.

    Args:
        model: the file.
        shapes: of its inputs.

    Raises:
        MarEdgeError: this ONNX Runtime lacks the provider, TensorRT 10 is missing, TF32 is not switched off, or the
            cache cannot be written.
    """
    require_built_in(NAME)
    refuse_tf32("onnxruntime-tensorrt")
    behind = cuda()
    folder = engine_folder(model, NAME, str(_version()))
    ranges, largest = profile(shapes, "trt")
    options = {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": folder,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": folder,
    }
    return Provider(
        NAME,
        "TensorRT",
        options | ranges,
        behind=behind,
        largest_batch=largest,
        remedy=behind.remedy,
    )


def _version() -> int:
    """Load TensorRT and return its version, as 101600."""
    with suppress(ImportError, OSError):  # the wheel loads its libraries; else they are the system's
        importlib.import_module("tensorrt")
    try:
        return int(ctypes.CDLL(_LIBRARY).getInferLibVersion())
    except OSError as error:
        raise MarEdgeError(
            f"ONNX Runtime's TensorRT provider needs TensorRT 10, not 11: {error}; pip install 'tensorrt-cu13<11' "
            "for CUDA 13, 'tensorrt-cu12<11' for CUDA 12, or NVIDIA's packages for this system"
        ) from None
