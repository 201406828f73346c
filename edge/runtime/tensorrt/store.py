"""Engines on disk: the plan, and next to it a JSON document that describes it. Checks; runs nothing.

An engine is built from one model file, for one TensorRT on one kind of GPU. Loaded elsewhere it fails late or computes
something else, so an engine that does not fit is refused before it is loaded.
"""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mar_edge.edge.choices import Hardware
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.runtime.tensorrt.bindings import NAMES, Bindings, Flavor
from mar_edge.edge.runtime.tensorrt.build import BuildOptions, Engine
from mar_edge.edge.runtime.tensorrt.targets import Gpu, sm

SUFFIX = ".engine"
_SCHEMA = 1
_AMPERE = (8, 0)


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The description of an engine.

    model_sha256: of the model file. metadata: the model file's own document, None where it has none.
    plan_sha256: of the engine itself. flavor, version: of the TensorRT that built it.
    capability: of the GPU it is for, as sm86. gpu: name of the GPU it was built on, None where it was built without.
    batches: smallest, usual, largest. system: as ``Linux x86_64``.
    """

    schema_version: int = _SCHEMA
    model_sha256: str
    metadata: str | None
    plan_sha256: str
    flavor: Flavor = msgspec.field(name="flavour")  # the name in the file
    version: str
    capability: str
    gpu: str | None
    batches: tuple[int, int, int]
    version_compatible: bool
    hardware: Hardware
    workspace_mb: int
    system: str


@dataclass(frozen=True)
class StoredEngine:
    """An engine that was read and matches its document."""

    plan: bytes
    info: EngineInfo


def this_system() -> str:
    """Return system and processor; an engine fits only one."""
    return f"{platform.system()} {platform.machine()}"


def describe(
    engine: Engine, model_sha256: str, metadata: str | None, tensorrt: Bindings, options: BuildOptions
) -> EngineInfo:
    """Return the document of an engine that was just built."""
    batches = options.batches
    return EngineInfo(
        model_sha256=model_sha256,
        metadata=metadata,
        plan_sha256=hashlib.sha256(engine.plan).hexdigest(),
        flavor=tensorrt.flavor,
        version=tensorrt.version,
        capability=engine.place.capability,
        gpu=engine.place.gpu.name if engine.place.gpu else None,
        batches=(batches.smallest, batches.usual, batches.largest),
        version_compatible=options.version_compatible,
        hardware=options.hardware,
        workspace_mb=options.workspace_mb,
        system=this_system(),
    )


def sidecar(path: Path) -> Path:
    """Return the path of an engine's document."""
    return path.with_name(path.name + ".json")


def write_engine(path: Path, plan: bytes, info: EngineInfo) -> None:
    """Write an engine and its document, each whole or not at all.

    Raises:
        MarEdgeError: it cannot be written there.
    """
    # A process that reads between the two finds hashes that do not match, and builds the engine again.
    write_whole(path, plan)
    write_whole(sidecar(path), msgspec.json.encode(info))


def read_engine(path: Path) -> StoredEngine:
    """Read an engine and its document.

    Raises:
        MarEdgeError: one of them is missing, or they do not match.
    """
    info = read_info(path)
    try:
        plan = path.read_bytes()
    except OSError as error:
        raise MarEdgeError(f"cannot read the engine {path}: {error.strerror}") from None
    if hashlib.sha256(plan).hexdigest() != info.plan_sha256:
        raise MarEdgeError(f"the engine {path} is damaged: it is not the one that {sidecar(path).name} describes")
    return StoredEngine(plan, info)


def read_info(path: Path) -> EngineInfo:
    """Read the document of an engine.

    Raises:
        MarEdgeError: it is missing, or not readable.
    """
    document = sidecar(path)
    try:
        info = msgspec.json.decode(document.read_bytes(), type=EngineInfo)
    except OSError as error:
        raise MarEdgeError(
            f"cannot read {document}: {error.strerror}; 'mar-edge build' writes it with the engine. Without it the "
            "engine's labels and GPU are not known"
        ) from None
    except msgspec.DecodeError as error:
        raise MarEdgeError(f"{document} is damaged: {error}") from None
    if info.schema_version != _SCHEMA:
        raise MarEdgeError(f"{document} has the schema {info.schema_version}, this version reads {_SCHEMA}")
    return info


def why_not(info: EngineInfo, tensorrt: Bindings, gpu: Gpu) -> str | None:
    """Return in a few words why an engine cannot run here; None where it can."""
    if info.system != this_system():
        return f"it was built on {info.system}, this is {this_system()}"
    if info.flavor != tensorrt.flavor:
        return f"it is for {NAMES[info.flavor]}, here is {tensorrt.title}"
    if info.version != tensorrt.version and not (info.version_compatible and _not_older(info.version, tensorrt)):
        return f"it was built by version {info.version}, here is {tensorrt.title}"
    return _why_not_on(gpu, info)


def _why_not_on(gpu: Gpu, info: EngineInfo) -> str | None:
    own = sm(gpu.capability)
    if info.hardware == "ampere-plus":
        return None if gpu.capability >= _AMPERE else f"it is for GPUs from Ampere on, this one is {own}"
    if info.capability != own:
        return f"it is for {info.capability}, this GPU is {own}"
    if info.hardware == "same" and info.flavor == "tensorrt" and info.gpu != gpu.name:
        return f"it was built on {info.gpu}, this GPU is {gpu.name}"
    return None


def _not_older(version: str, tensorrt: Bindings) -> bool:
    """Return whether a version-compatible engine runs: on its version, or a later one with the same first number."""
    built, here = (tuple(int(part) for part in v.split(".")[:3] if part.isdigit()) for v in (version, tensorrt.version))
    return built[:1] == here[:1] and built <= here
