"""``calibrate``, and what it shares with ``export --precision fp16``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.cli import app
from mar_edge.cli.extras import require
from mar_edge.cli.progress import showing_progress

if TYPE_CHECKING:
    from mar_edge.calibration.command import Written

GuardData = Annotated[str, typer.Option(help="synth, ma52:FOLDER, imigue:FOLDER, recordings:FOLDER or clips.npz.")]
GuardWindows = Annotated[int, typer.Option(help="Held-out windows to compare with FP32 on.", min=1)]
MinAgreement = Annotated[
    float,
    typer.Option(
        help="Share of windows of which it must say the same as FP32: the most probable label, or all of them.",
        min=0.0,
        max=1.0,
    ),
]
MaxClassDrop = Annotated[
    float, typer.Option(help="Points of accuracy that a label of 20 windows and more may lose.", min=0.0, max=100.0)
]
Force = Annotated[bool, typer.Option("--force", help="Write it however far it is from FP32.")]


class _Method(str, Enum):
    percentile = "percentile"
    entropy = "entropy"
    minmax = "minmax"


@app.command()
def calibrate(
    model: Annotated[Path, typer.Argument(help="FP32 model file.")],
    out: Annotated[Path, typer.Option(help="Model file to write; its report stands beside it, as .md.")],
    data: GuardData = "synth",
    clips: Annotated[int, typer.Option(help="Windows to measure ranges on.", min=1)] = 512,
    ranges: Annotated[
        _Method, typer.Option(help="How far out a value may lie before it saturates.")
    ] = _Method.percentile,
    windows: GuardWindows = 5000,  # of 2,000 each label has too few to tell 3 points
    min_agreement: MinAgreement = 0.98,
    max_class_drop: MaxClassDrop = 3.0,
    force: Force = False,
    threads: Annotated[int, typer.Option(help="Within one inference; 0 takes every core.", min=0)] = 0,
) -> None:
    """Write a model file with int8 products, the rest in FP16, compared with FP32 on windows that it did not see.

    The layers that cost most are left in FP16; the report says which.
    """
    require("export", "torch", "onnx")
    from mar_edge.calibration.command import Guard, write_int8

    guard = Guard(data, windows, min_agreement, max_class_drop / 100, force, threads)
    with showing_progress() as progress:
        written = write_int8(model, out, guard, progress, calibrate_on=clips, method=ranges.value)
    tell_written(written)


def tell_written(written: Written) -> None:
    """One line: the file, and how it compares."""
    fidelity = written.metadata.fidelity
    assert fidelity is not None
    worst = ""
    if fidelity.worst_class is not None and fidelity.worst_drop is not None:
        worst = f", worst label '{fidelity.worst_class}' {100 * fidelity.worst_drop:+.1f} points lost"
    forced = "" if written.passed else " (less than asked for, written by --force)"
    print(
        f"{written.path}: {written.metadata.precision}, {written.size:.2f} of the FP32 file; same label on "
        f"{100 * fidelity.agreement:.2f} % of {fidelity.windows} windows{forced}, mean probability error "
        f"{fidelity.probability_error:.4f}{worst}; report: {written.report}"
    )
