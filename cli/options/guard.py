"""Options about the comparison of a model in fewer bits with its FP32 file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from mar_edge.calibration.command import Guard, Written


@dataclass(frozen=True)
class Comparison:
    """What the narrowed model must keep of the FP32 file, and on which data."""

    PANEL: ClassVar = "Comparison with FP32"

    data: Annotated[
        str,
        typer.Option(
            metavar="DATA",
            help="Data set: synth, ma52:FOLDER, imigue:FOLDER, recordings:FOLDER or clips.npz. Of pictures: "
            "videos:FOLDER, videos:FILE or videos:LIST.",
        ),
    ] = "synth"
    windows: Annotated[
        int,
        typer.Option(metavar="N", help="Number of held-out windows to compare on (of pictures, 1,000 at most).", min=1),
    ] = 2000
    min_agreement: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Lowest share of windows with the same answer as FP32: the most probable label, or all labels.",
            min=0.0,
            max=1.0,
        ),
    ] = 0.98
    max_class_drop: Annotated[
        float,
        typer.Option(
            metavar="POINTS",
            help="Largest loss of accuracy, in percentage points, of a label with at least 20 windows.",
            min=0.0,
            max=100.0,
        ),
    ] = 3.0
    force: Annotated[bool, typer.Option("--force", help="Write the file however far it is from FP32.")] = False

    def guard(self, threads: int = 0) -> Guard:
        """Return what must hold before anything is written."""
        from mar_edge.calibration.command import Guard

        return Guard(self.data, self.windows, self.min_agreement, self.max_class_drop / 100, self.force, threads)


@dataclass(frozen=True)
class CalibratedComparison(Comparison):
    """The comparison of ``calibrate``: on 2,000 windows each label has too few to measure 3 points."""

    windows: Annotated[
        int,
        typer.Option(metavar="N", help="Number of held-out windows to compare on (of pictures, 1,000 at most).", min=1),
    ] = 5000


def print_written(written: Written) -> None:
    """Print in one line the file, and how it compares."""
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
