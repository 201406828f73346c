"""TensorRT for RTX inside ONNX Runtime: NVIDIA's plugin, a package of its own for the usual ``onnxruntime``.

It keeps to the types in the file, as ``edge/runtime/tensorrt`` does, and compiles in seconds, on the GPU that runs.
"""

from __future__ import annotations

import ctypes
import importlib
import threading
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import onnxruntime as ort

from mar_edge.edge.errors import MarEdgeError, MissingExtra
from mar_edge.edge.runtime.providers.base import Provider
from mar_edge.edge.runtime.providers.engines import Shapes, engine_folder, profile, refuse_tf32

PACKAGE = "onnxruntime_ep_nv_tensorrt_rtx"
_EXTRA = "onnxruntime-tensorrt-rtx"
_registering = threading.Lock()
_registered: list[ModuleType] = []


def tensorrt_rtx(model: Path, shapes: Shapes) -> Provider:
    """Return the provider for a model file. Compiled kernels are kept in the cache.

    Args:
        model: the file.
        shapes: of its inputs.

    Raises:
        MarEdgeError: the plugin is missing or cannot be loaded, it finds no GPU, TF32 is not switched off, or the cache
            cannot be written.
    """
    refuse_tf32(_EXTRA)
    plugin, gpus = rtx_plugin()
    if not gpus:
        raise MarEdgeError(
            "the ONNX Runtime plugin of TensorRT for RTX finds no GPU that it takes: RTX 30 (sm86), RTX 40 (sm89), RTX "
            "50 (sm120) or newer; check that 'nvidia-smi' shows it, with a driver for the plugin's CUDA"
        )
    ranges, largest = profile(shapes, "nv")
    folder = engine_folder(model, plugin.get_ep_name(), plugin.__version__)
    return Provider(
        plugin.get_ep_name(),
        "TensorRT for RTX",
        {"nv_runtime_cache_path": folder} | ranges,
        devices=gpus[:1],
        largest_batch=largest,
        remedy="check that 'nvidia-smi' shows the GPU",
    )


def rtx_plugin() -> tuple[ModuleType, tuple[Any, ...]]:
    """Load the plugin into ONNX Runtime, once per process. Return its package, and the GPUs that it takes.

    Raises:
        MarEdgeError: it is missing, this ONNX Runtime is too old for it, or it cannot be loaded.
    """
    if find_spec(PACKAGE) is None:
        raise MissingExtra(PACKAGE.replace("_", "-"), _EXTRA)
    if not hasattr(ort.SessionOptions, "add_provider_for_devices"):
        raise MarEdgeError(
            f"ONNX Runtime {ort.__version__} takes no plugins; pip install 'onnxruntime>=1.24', on Python 3.11 or newer"
        )
    with _registering:
        if not _registered:
            _registered.append(_register())
    (plugin,) = _registered
    return plugin, tuple(device for device in ort.get_ep_devices() if device.ep_name == plugin.get_ep_name())


def _register() -> ModuleType:
    try:
        plugin = importlib.import_module(PACKAGE)
        library = Path(plugin.get_library_path())
        # On Linux, the package brings the CUDA runtime, but under a name that the loader does not look for.
        for path in library.parent.glob("libcudart.so.*"):
            ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
        ort.register_execution_provider_library(plugin.get_ep_name(), str(library))
    except (ImportError, OSError, ort.capi.onnxruntime_pybind11_state.Fail) as error:
        reason = str(error).partition(" with error: ")[2] or str(error)
        raise MarEdgeError(
            f"the ONNX Runtime plugin of TensorRT for RTX cannot be loaded: {reason.splitlines()[0]}; it needs the "
            "driver of an NVIDIA GPU"
        ) from None
    return plugin
