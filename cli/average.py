"""``average``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.extras import require


@command("Train and deploy", "average run-1/best.pt run-2/best.pt --out mean.pt")
def average(
    checkpoints: Annotated[list[Path], typer.Argument(help="Checkpoints of runs that started from the same network.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Checkpoint to write.")],
) -> None:
    """Average the weights of checkpoints.

    The mean is more robust than any single checkpoint."""
    require("train", "torch")
    from mar_edge.training.averaging import average as average_weights

    average_weights(checkpoints, out)
    print(f"{out}: the mean of {len(checkpoints)} checkpoints")
