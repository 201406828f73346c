"""``average``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli import app
from mar_edge.cli.extras import require


@app.command()
def average(
    checkpoints: Annotated[list[Path], typer.Argument(help="Checkpoints of runs that began from the same network.")],
    out: Annotated[Path, typer.Option(help="Checkpoint to write.")],
) -> None:
    """Average the weights of checkpoints, which is more robust than any of them."""
    require("train", "torch")
    from mar_edge.training.averaging import average as average_weights

    average_weights(checkpoints, out)
    print(f"{out}: the mean of {len(checkpoints)} checkpoints")
