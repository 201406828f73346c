"""``build``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli import app
from edge.cli.extras import require
from edge.cli.lists import batch_sizes
from edge.cli.progress import showing_progress
from edge.errors import MarEdgeError

if TYPE_CHECKING:
    from export.engine import Engine


@app.command()
def build(
    model: Annotated[Path, typer.Argument(help="Model file, of any precision.")],
    target: Annotated[str, typer.Option(help="GPU: sm80, sm86 (RTX 30), sm89 (RTX 40), sm120 (RTX 50).")],
    out: Annotated[Path, typer.Option(help="Engine to write.")],
    batch: Annotated[str, typer.Option(help="Windows in one inference: smallest, usual, largest.")] = "1,4,8",
    layers: Annotated[
        Path | None, typer.Option(help="Write there what each kernel computes, and in what type.", show_default=False)
    ] = None,
) -> None:
    """Compile a model file for an NVIDIA RTX GPU, with TensorRT for RTX; no GPU is needed.

    mar-edge does not run engines yet: this shows that TensorRT takes the file, and in which types it computes.
    """
    require("tensorrt-rtx", "tensorrt_rtx")
    from edge.model_file import parse_metadata
    from edge.runtime.onnxruntime import read_metadata
    from export.engine import compile_engine

    sizes = batch_sizes(batch)
    precision = parse_metadata(read_metadata(model), str(model)).precision
    with showing_progress() as progress:
        engine = compile_engine(model, target, sizes, progress)
    try:
        out.write_bytes(engine.plan)
        if layers is not None:
            layers.write_text(_layers(engine), encoding="utf-8")
    except OSError as error:
        raise MarEdgeError(f"cannot write {error.filename}: {error.strerror}") from None
    products = Counter(kernel.computes_in for kernel in engine.kernels if kernel.is_product)
    counted = ", ".join(f"{count} in {kind.lower()}" for kind, count in sorted(products.items()))
    print(
        f"{out}: {precision} for {target}, batch {sizes[0]} to {sizes[-1]}, {len(engine.plan) / 1e6:.1f} MB; "
        f"{len(engine.kernels)} kernels, of which products {counted}; weights {engine.weights_bytes / 1e6:.2f} MB, "
        f"activations {engine.activation_bytes / 1e6:.1f} MB"
    )


def _layers(engine: Engine) -> str:
    """A line for each kernel: kind, what it reads, what it writes, the nodes in it."""
    lines = ["kind\treads\twrites\tONNX nodes"]
    lines += ["\t".join([k.kind, ",".join(k.reads), ",".join(k.writes), " ".join(k.nodes)]) for k in engine.kernels]
    return "\n".join(lines) + "\n"
