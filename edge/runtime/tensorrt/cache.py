"""The cache of engines built for this machine, and building into it.

An engine's file name has two hashes: of its model file, and of everything else that determines it. That is TensorRT and
its version, the GPU and its compute capability, batches, workspace and modes. An engine that is found is still checked.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.cache import cache_folder
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.progress import Progress
from mar_edge.edge.runtime.onnxruntime import read_metadata
from mar_edge.edge.runtime.tensorrt.bindings import Bindings
from mar_edge.edge.runtime.tensorrt.build import BuildOptions, Engine, compile_engine
from mar_edge.edge.runtime.tensorrt.store import (
    SUFFIX,
    StoredEngine,
    describe,
    read_engine,
    this_system,
    why_not,
    write_engine,
)
from mar_edge.edge.runtime.tensorrt.targets import Gpu, here

_FORMAT = 1  # raised when engines are built in another way
_OF_NAME = 16


def model_hash(model: Path) -> str:
    """Return the SHA-256 of a model file.

    Raises:
        MarEdgeError: it cannot be read.
    """
    try:
        return sha256_of(model)
    except OSError as error:
        raise MarEdgeError(f"no model file at {model}: {error.strerror}") from None


def cached_path(model_sha256: str, tensorrt: Bindings, gpu: Gpu, options: BuildOptions) -> Path:
    """Return the engine's path in the cache, whether it is there or not."""
    key = msgspec.json.encode(
        [_FORMAT, model_sha256, tensorrt.flavor, tensorrt.version, gpu, options, this_system()], order="sorted"
    )
    name = f"{model_sha256[:_OF_NAME]}-{hashlib.sha256(key).hexdigest()[:_OF_NAME]}{SUFFIX}"
    return cache_folder("engines") / name


def has_engine_of(model: Path) -> bool:
    """Return whether the cache has any engine of a model file, current or not. Loads nothing."""
    return bool(_engines_of(model_hash(model)))


def find_engine(model: Path, tensorrt: Bindings, gpu: Gpu) -> tuple[StoredEngine | None, str]:
    """Return the newest engine of a model file that can run here, with any batches, or None; and the reason.

    Raises:
        MarEdgeError: the model cannot be read.
    """
    sha = model_hash(model)
    why = "there is none yet"
    for path in _engines_of(sha):
        try:
            stored = read_engine(path)
        except MarEdgeError as error:
            why = str(error)
            continue
        wrong = why_not(stored.info, tensorrt, gpu)
        if stored.info.model_sha256 != sha:
            wrong = "it was built from another model"
        if wrong is None:
            return stored, f"the cached {path.name}"
        why = f"the cached {path.name} does not fit: {wrong}"
    return None, why


def build_into_cache(
    model: Path, tensorrt: Bindings, gpu: Gpu, options: BuildOptions, progress: Progress
) -> tuple[Path, Engine]:
    """Build the engine of a model file for this GPU, even if it is in the cache.

    Raises:
        MarEdgeError: the model cannot be read or built, or the cache cannot be written.
    """
    sha = model_hash(model)
    path = cached_path(sha, tensorrt, gpu, options)
    metadata = read_metadata(model)
    timings = _timings(tensorrt, gpu)
    engine = compile_engine(model, tensorrt, here(gpu, tensorrt), options, progress, timing=_read(timings))
    write_engine(path, engine.plan, describe(engine, sha, metadata, tensorrt, options))
    if engine.timing:
        _keep(timings, engine.timing)
    return path, engine


def _engines_of(model_sha256: str) -> list[Path]:
    """Return the paths, the newest first; none where there is no folder for a cache."""
    try:
        folder = cache_folder("engines")
    except MarEdgeError:
        return []
    found = folder.glob(f"{model_sha256[:_OF_NAME]}-*{SUFFIX}")
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _timings(tensorrt: Bindings, gpu: Gpu) -> Path:
    """Return the path of the builder's measurements on this GPU."""
    key = msgspec.json.encode([tensorrt.flavor, tensorrt.version, gpu, this_system()], order="sorted")
    return cache_folder("engines") / f"{hashlib.sha256(key).hexdigest()[:_OF_NAME]}.timing"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _keep(path: Path, content: bytes) -> None:
    """Write a file whose loss costs only time: errors are ignored."""
    with suppress(MarEdgeError):
        write_whole(path, content)
