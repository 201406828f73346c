"""``calibrate``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from mar_edge.calibration.choices import Method, NarrowPrecision
from mar_edge.cli.app import command
from mar_edge.cli.extras import require
from mar_edge.cli.options.guard import CalibratedComparison, print_written
from mar_edge.cli.options.model import Threads
from mar_edge.cli.progress import showing_progress
from mar_edge.edge.errors import MarEdgeError

if TYPE_CHECKING:
    from mar_edge.calibration.pose.command import WrittenStage


@dataclass(frozen=True)
class _PoseNetworks:
    PANEL: ClassVar = "Pose stage"

    pose: Annotated[
        Literal["holistic"] | None,
        typer.Option(help="Pose stage whose networks to write instead of a model.", show_default=False),
    ] = None
    frames: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE|FOLDER",
            help="Video or picture of people, or a folder of them, to measure on. May be repeated.",
            show_default=False,
        ),
    ] = None
    precision: Annotated[NarrowPrecision, typer.Option(help="Precision of the pose stage's networks.")] = "int8"
    max_error: Annotated[
        float,
        typer.Option(
            metavar="PX",
            help="Largest mean distance of a network's keypoints from those of FP32, in pixels of its crop.",
            min=0.0,
        ),
    ] = 0.5


@command(
    "Train and deploy",
    "calibrate model.onnx --out model-int8.onnx",
    "calibrate model.onnx --out model-int8.onnx --data recordings:FOLDER --min-agreement 0.99",
    "calibrate --pose holistic --frames people.mp4 --out holistic-int8",
)
def calibrate(
    *,
    model: Annotated[Path | None, typer.Argument(help="FP32 model file.", show_default=False)] = None,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="Model file to write; its report is next to it, as .md. With --pose, a folder."
        ),
    ],
    clips: Annotated[
        int,
        typer.Option(metavar="N", help="Number of windows to measure ranges on.", min=1, rich_help_panel="Ranges"),
    ] = 512,
    ranges: Annotated[
        Method,
        typer.Option(help="Method that chooses where values saturate.", rich_help_panel="Ranges"),
    ] = "percentile",
    comparison: CalibratedComparison,
    stage: _PoseNetworks,
    threads: Threads = 0,
) -> None:
    """Write an INT8 model file, compared with its FP32 file.

    The rest of the network, and the most sensitive layers, stay in FP16. The report names them.

    With --pose, the networks of the pose stage are written into a folder instead. They are compared by the keypoints
    that they find in your frames. 'serve --pose FOLDER' uses them.
    """
    require("export", "torch", "onnx")
    if (model is None) == (stage.pose is None):
        raise MarEdgeError("calibrate takes an FP32 model file or --pose holistic, one of the two")
    if model is None:
        _write_pose(stage, out, ranges, comparison, threads)
        return
    if stage.frames or stage.precision != "int8":
        raise MarEdgeError(
            "--frames and --precision go with --pose; for a model file in FP16: 'mar-edge export --precision fp16'"
        )
    from mar_edge.calibration.command import write_int8

    with showing_progress() as progress:
        written = write_int8(model, out, comparison.guard(threads), progress, calibrate_on=clips, method=ranges)
    print_written(written)


def _write_pose(
    stage: _PoseNetworks, out: Path, ranges: Method, comparison: CalibratedComparison, threads: int
) -> None:
    if not stage.frames:
        raise MarEdgeError("--pose needs --frames: videos or pictures of people, or a folder of them")
    if comparison != CalibratedComparison(force=comparison.force):
        raise MarEdgeError("of the comparison with FP32, only --max-error and --force go with --pose")
    from mar_edge.calibration.pose.command import PoseGuard, write_stage

    guard = PoseGuard(stage.max_error, comparison.force, threads)
    with showing_progress() as progress:
        written = write_stage(stage.frames, out, stage.precision, guard, progress, method=ranges)
    _print_stage(written)


def _print_stage(written: WrittenStage) -> None:
    for one in written.networks:
        layers = f", {one.int8} of {one.layers} convolutions in INT8" if one.layers and one.int8 else ""
        if one.error_px is None:
            print(f"{one.name}: stays in FP32, because only {one.crops} pictures were there to compare on")
        else:
            print(f"{one.name}: {one.error_px:.3f} px from FP32 on {one.crops} pictures{layers}")
    forced = "" if written.passed else " (farther from FP32 than --max-error, written by --force)"
    print(f"{written.folder}: 'mar-edge serve --pose {written.folder}' uses it{forced}; report: {written.report}")
