"""``build``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.cli import app
from mar_edge.cli.lists import batch_sizes
from mar_edge.cli.progress import showing_progress
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs, write_whole

if TYPE_CHECKING:
    from mar_edge.edge.runtime.tensorrt.bindings import Bindings, Flavor
    from mar_edge.edge.runtime.tensorrt.build import BuildOptions, Engine


class _With(str, Enum):
    tensorrt = "tensorrt"
    tensorrt_rtx = "tensorrt-rtx"


class _Hardware(str, Enum):
    same = "same"
    same_capability = "same-capability"
    ampere_plus = "ampere-plus"


@app.command()
def build(
    model: Annotated[Path, typer.Argument(help="Model file, of any precision.")],
    target: Annotated[
        str, typer.Option(help="native (this machine's GPU), orin, thor, or a GPU: sm86 (RTX 30), sm89 (RTX 40)...")
    ] = "native",
    out: Annotated[
        Path | None,
        typer.Option(help="Engine to write.  [default: the cache, where serve finds it]", show_default=False),
    ] = None,
    batch: Annotated[str, typer.Option(help="Windows in one inference: smallest, usual, largest.")] = "1,4,8",
    using: Annotated[
        _With | None, typer.Option("--with", help="Which TensorRT.  [default: the one there is]", show_default=False)
    ] = None,
    workspace_mb: Annotated[
        int, typer.Option(help="The most that a kernel may use besides its tensors.", min=1)
    ] = 1024,
    version_compatible: Annotated[
        bool, typer.Option("--version-compatible", help="Later versions of TensorRT (same first number) run it too.")
    ] = False,
    hardware: Annotated[
        _Hardware, typer.Option(help="Which GPUs run it: the same, all of its capability, all from Ampere on.")
    ] = _Hardware.same,
    layers: Annotated[
        Path | None, typer.Option(help="Write there what each kernel computes, and in what type.", show_default=False)
    ] = None,
) -> None:
    """Compile a model file into an engine for an NVIDIA GPU.

    Full TensorRT builds on the GPU that runs the engine, TensorRT for RTX for any RTX GPU without one.
    """
    from mar_edge.edge.model_file import parse_metadata
    from mar_edge.edge.runtime.onnxruntime import read_metadata
    from mar_edge.edge.runtime.tensorrt.bindings import use_tensorrt
    from mar_edge.edge.runtime.tensorrt.build import Batches, BuildOptions
    from mar_edge.edge.runtime.tensorrt.layers import counted, table
    from mar_edge.edge.runtime.tensorrt.store import sidecar

    check_outputs([out, sidecar(out) if out else None, layers], [model])
    sizes = batch_sizes(batch)
    flavor: Flavor | None = None if using is None else "tensorrt" if using is _With.tensorrt else "tensorrt_rtx"
    options = BuildOptions(Batches.of(sizes), workspace_mb, version_compatible, hardware.value)
    metadata = read_metadata(model)
    precision = f"{parse_metadata(metadata, str(model)).precision} " if metadata else ""
    path, engine = _build(model, metadata, out, target, use_tensorrt(flavor), options)
    if layers is not None:
        write_whole(layers, table(engine.kernels, engine.fallbacks).encode())
    memory = ""
    if engine.weights_bytes or engine.activation_bytes:
        memory = f"; weights {engine.weights_bytes / 1e6:.2f} MB, activations {engine.activation_bytes / 1e6:.1f} MB"
    print(
        f"{path}: {precision}for {engine.place.capability}, batch {sizes[0]} to {sizes[-1]}, "
        f"{len(engine.plan) / 1e6:.1f} MB; {len(engine.kernels)} kernels, "
        f"of which products {counted(engine.kernels)}{memory}"
    )
    for fallback in engine.fallbacks:
        print(f"fallback: {fallback.node} computes in {fallback.computes_in}, the file says {fallback.intended}")


def _build(
    model: Path, metadata: str | None, out: Path | None, target: str, tensorrt: Bindings, options: BuildOptions
) -> tuple[Path, Engine]:
    """Where the engine is now, and what it is."""
    from mar_edge.edge.runtime.tensorrt.build import compile_engine
    from mar_edge.edge.runtime.tensorrt.cache import build_into_cache, model_hash
    from mar_edge.edge.runtime.tensorrt.store import SUFFIX, describe, write_engine
    from mar_edge.edge.runtime.tensorrt.targets import resolve

    if out is not None and out.suffix != SUFFIX:
        raise MarEdgeError(f"an engine's name ends in {SUFFIX}, by which --model knows it, not {out.name}")
    place = resolve(target, tensorrt)
    with showing_progress() as progress:
        if out is not None:
            engine = compile_engine(model, tensorrt, place, options, progress)
            write_engine(out, engine.plan, describe(engine, model_hash(model), metadata, tensorrt, options))
            return out, engine
        if place.gpu is None:
            raise MarEdgeError(
                f"an engine for {place.capability} cannot run on this machine; say where to write it, with --out"
            )
        return build_into_cache(model, tensorrt, place.gpu, options, progress)
