"""``calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mar_edge.calibration.choices import Method
from mar_edge.cli.app import command
from mar_edge.cli.extras import require
from mar_edge.cli.options.guard import CalibratedComparison, print_written
from mar_edge.cli.options.model import Threads
from mar_edge.cli.progress import showing_progress


@command(
    "Train and deploy",
    "calibrate model.onnx --out model-int8.onnx",
    "calibrate model.onnx --out model-int8.onnx --data recordings:FOLDER --min-agreement 0.99",
)
def calibrate(
    *,
    model: Annotated[Path, typer.Argument(help="FP32 model file.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Model file to write; its report is next to it, as .md.")],
    clips: Annotated[
        int,
        typer.Option(metavar="N", help="Number of windows to measure ranges on.", min=1, rich_help_panel="Ranges"),
    ] = 512,
    ranges: Annotated[
        Method,
        typer.Option(help="Method that chooses where values saturate.", rich_help_panel="Ranges"),
    ] = "percentile",
    comparison: CalibratedComparison,
    threads: Threads = 0,
) -> None:
    """Write an INT8 model file, compared with its FP32 file.

    The rest of the network, and the most sensitive layers, stay in FP16. The report names them.
    """
    require("export", "torch", "onnx")
    from mar_edge.calibration.command import write_int8

    with showing_progress() as progress:
        written = write_int8(model, out, comparison.guard(threads), progress, calibrate_on=clips, method=ranges)
    print_written(written)
