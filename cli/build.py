"""``build``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mar_edge.cli.app import command
from mar_edge.cli.number_lists import batch_sizes
from mar_edge.cli.progress import showing_progress
from mar_edge.edge.choices import Hardware
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs, write_whole

if TYPE_CHECKING:
    from mar_edge.edge.runtime.tensorrt.bindings import Bindings, Flavor
    from mar_edge.edge.runtime.tensorrt.build import BuildOptions, Engine

_FLAVORS: dict[str, Flavor] = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}


@command(
    "Train and deploy",
    "build model.onnx",
    "build model.onnx --target orin --with tensorrt --out model.engine",
    "build model.onnx --target sm86 --with tensorrt-rtx --out model.engine",
)
def build(
    model: Annotated[Path, typer.Argument(help="Model file, of any precision.")],
    target: Annotated[
        str,
        typer.Option(
            metavar="GPU", help="GPU that runs it: native (this machine's), orin, thor, sm86 (RTX 30), sm89 (RTX 40)."
        ),
    ] = "native",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Engine to write (default: in the cache, where serve finds it).", show_default=False
        ),
    ] = None,
    batch: Annotated[
        str, typer.Option(metavar="N,N,N", help="Windows in one inference: smallest, usual, largest number.")
    ] = "1,4,8",
    using: Annotated[
        Literal["tensorrt", "tensorrt-rtx"] | None,
        typer.Option("--with", help="Which TensorRT (default: the installed one).", show_default=False),
    ] = None,
    workspace_mb: Annotated[
        int, typer.Option(metavar="MB", help="Megabytes that a kernel may use besides its tensors, at most.", min=1)
    ] = 1024,
    version_compatible: Annotated[
        bool,
        typer.Option("--version-compatible", help="Run on later versions of TensorRT too (same first number)."),
    ] = False,
    hardware: Annotated[
        Hardware,
        typer.Option(
            metavar="GPUS", help="GPUs that run it: same, same-capability, or ampere-plus (all from Ampere on)."
        ),
    ] = "same",
    layers: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Table of kernels to write: operations and types.", show_default=False),
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
    options = BuildOptions(Batches.of(sizes), workspace_mb, version_compatible, hardware)
    metadata = read_metadata(model)
    precision = f"{parse_metadata(metadata, str(model)).precision} " if metadata else ""
    path, engine = _build(model, metadata, out, target, use_tensorrt(using and _FLAVORS[using]), options)
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
    """Return where the engine is now, and the engine."""
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
                f"an engine for {place.capability} cannot run on this machine; name the file to write, with --out"
            )
        return build_into_cache(model, tensorrt, place.gpu, options, progress)
