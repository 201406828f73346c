"""``export``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.extras import require
from mar_edge.cli.options.guard import Comparison, print_written
from mar_edge.cli.progress import showing_progress
from mar_edge.edge.choices import LayoutName
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs
from mar_edge.export.choices import Precision, StreamChoice

_CHECKPOINT = "Checkpoint"


@command(
    "Train and deploy",
    "export run/best.pt --out model.onnx",
    "export joint.pt bone.pt --stream both --layout ma52",
    "export model.onnx --precision fp16 --out model-fp16.onnx",
)
def export(
    *,
    checkpoint: Annotated[
        Path,
        typer.Argument(help="best.pt of a training run, or a published state_dict; for fp16 also a model file."),
    ],
    bone_checkpoint: Annotated[
        Path | None,
        typer.Argument(help="Checkpoint of the bone stream, with --stream both.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Model file to write.")] = Path("model.onnx"),
    precision: Annotated[Precision, typer.Option(help="Precision of the graph.")] = "fp32",
    layout: Annotated[LayoutName, typer.Option(help="Skeleton layout.", rich_help_panel=_CHECKPOINT)] = "ma52",
    stream: Annotated[
        StreamChoice, typer.Option(help="Input that the checkpoint was trained on.", rich_help_panel=_CHECKPOINT)
    ] = "joint",
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV with id,action,body\\[,way,opposite], in output order.",
            show_default=False,
            rich_help_panel=_CHECKPOINT,
        ),
    ] = None,
    window_s: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Seconds that a window spans (default: the checkpoint's, else 2).",
            show_default=False,
            rich_help_panel=_CHECKPOINT,
        ),
    ] = None,
    view_s: Annotated[
        list[float] | None,
        typer.Option(
            metavar="SECONDS",
            help="Average the scores of the newest SECONDS of a window; give it once for each length, such as 2 and 1.",
            show_default=False,
            rich_help_panel=_CHECKPOINT,
        ),
    ] = None,
    confidence: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Score calibration of 'mar-edge evaluate --confidence': temperature and per-label thresholds.",
            show_default=False,
            rich_help_panel=_CHECKPOINT,
        ),
    ] = None,
    comparison: Comparison,
) -> None:
    """Write the model file of a checkpoint.

    The file is an ONNX graph that describes itself, checked against PyTorch.

    With --precision fp16 it is compared with FP32, and refused below --min-agreement or beyond --max-class-drop.
    """
    require("export", "torch", "onnx", "onnxscript")
    from mar_edge.export.command import export_model

    if out.suffix != ".onnx":
        raise MarEdgeError(f"a model file's name ends in .onnx, by which commands know it; not {out.name}")
    check_outputs([out], [checkpoint, bone_checkpoint, labels, confidence])
    half = precision == "fp16"
    if checkpoint.suffix == ".onnx" and not half:
        raise MarEdgeError(f"{checkpoint} is a model file already; --precision fp16 makes another of it")
    with TemporaryDirectory(prefix="mar-edge-") as folder:
        full = checkpoint
        if checkpoint.suffix != ".onnx":
            print("exporting and checking; a full-size network takes about a minute ...", flush=True)
            exported = export_model(
                checkpoint,
                bone_checkpoint,
                layout_name=layout,
                stream=stream,
                out=Path(folder) / "full.onnx" if half else out,
                labels_file=labels,
                window_s=window_s,
                views_s=view_s or (),
                confidence_file=confidence,
            )
            for line in exported.read_as:
                print(line)
            print(
                f"{out}: {exported.metadata.name}, {len(exported.metadata.labels)} classes; "
                f"largest logit difference from PyTorch {exported.difference:.1e}{' before FP16' * half}"
            )
            full = exported.path
        if half:
            from mar_edge.calibration.command import write_half

            with showing_progress() as progress:
                written = write_half(full, out, comparison.guard(), progress)
            print_written(written)
