"""From a file to a runtime: an engine, or a model file whose engine is cached or is built first."""

from __future__ import annotations

from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.progress import Progress
from mar_edge.edge.runtime.tensorrt.bindings import Bindings, use_tensorrt
from mar_edge.edge.runtime.tensorrt.build import BuildOptions
from mar_edge.edge.runtime.tensorrt.cache import build_into_cache, find_engine
from mar_edge.edge.runtime.tensorrt.device.choice import open_device
from mar_edge.edge.runtime.tensorrt.runner import TensorRt
from mar_edge.edge.runtime.tensorrt.store import SUFFIX, StoredEngine, read_engine, why_not
from mar_edge.edge.runtime.tensorrt.targets import Gpu

_BUILD = "build it with 'mar-edge build MODEL'"


def open_engine(path: Path, progress: Progress | None) -> tuple[TensorRt, str]:
    """Open an engine file or a model file. Return the runtime, and in a few words the origin of the engine.

    Args:
        progress: of building an engine where there is none; None forbids building.

    Raises:
        MarEdgeError: TensorRT or the GPU is missing, the engine is damaged or does not fit, or there is none and it
            cannot be built.
    """
    given = read_engine(path) if path.suffix == SUFFIX else None
    tensorrt = use_tensorrt(given.info.flavor if given else None)
    device = open_device()
    try:
        gpu = Gpu(device.name, device.capability)
        stored, how = (given, _check(path, given, tensorrt, gpu)) if given else _of_model(path, tensorrt, gpu, progress)
    except BaseException:  # raised again: the device must be closed first
        device.close()
        raise
    info = stored.info
    return TensorRt(stored.plan, info.metadata, tensorrt, device, host_code=info.version_compatible), how


def _check(path: Path, given: StoredEngine, tensorrt: Bindings, gpu: Gpu) -> str:
    wrong = why_not(given.info, tensorrt, gpu)
    if wrong is not None:
        raise MarEdgeError(f"{path} cannot run here: {wrong}; give the model file (.onnx), or {_BUILD}")
    return f"the engine {path.name}"


def _of_model(path: Path, tensorrt: Bindings, gpu: Gpu, progress: Progress | None) -> tuple[StoredEngine, str]:
    found, how = find_engine(path, tensorrt, gpu)
    if found is not None:
        return found, how
    if progress is None:
        raise MarEdgeError(f"no engine of {path} for this GPU: {how}; {_BUILD}")
    built, _ = build_into_cache(path, tensorrt, gpu, BuildOptions(), progress)
    return read_engine(built), f"an engine built just now ({how})"
