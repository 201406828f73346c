"""``synth``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs

_ARRAYS, _DRAWING, _TABLE = "Arrays (.npz)", "Drawing (.mp4, .gif)", "Statistics"


@command(
    "Train and deploy",
    "synth --out nod.gif --action nodding",
    "synth --out clips.npz --count 1024 --held-out",
    "synth --statistics --real real",
)
def synth(
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File to write: .mp4 or .gif (one clip, drawn) or .npz (arrays).", show_default=False
        ),
    ] = None,
    action: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|ID",
            help="Action to draw (default: a random one).",
            show_default=False,
            rich_help_panel=_DRAWING,
        ),
    ] = None,
    count: Annotated[int, typer.Option(metavar="N", help="Number of clips.", min=1, rich_help_panel=_ARRAYS)] = 1024,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed; the same seed gives the same clips.", min=0)] = 1,
    held_out: Annotated[
        bool,
        typer.Option(
            "--held-out", help="People and cameras unlike those of the training data.", rich_help_panel=_ARRAYS
        ),
    ] = False,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Half of the clips as live windows show actions, as in synth-live.", rich_help_panel=_ARRAYS
        ),
    ] = False,
    statistics: Annotated[
        bool,
        typer.Option(
            "--statistics",
            help="Print a table of how synthetic people move; see docs/generator.md.",
            rich_help_panel=_TABLE,
        ),
    ] = False,
    real: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder with truth.csv and skeletons/ of real people to compare with.",
            show_default=False,
            rich_help_panel=_TABLE,
        ),
    ] = None,
    recordings: Annotated[
        int,
        typer.Option(metavar="N", help="Number of recordings of each of six kinds.", min=1, rich_help_panel=_TABLE),
    ] = 60,
    without: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Features to leave out, comma-separated: drag, framing, camera, hands, noise-by-size.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Synthesize skeleton clips of micro-actions.

    With --statistics, measure how synthetic people move instead."""
    from mar_edge.training.datasets.opening import LIVE_SHARE
    from mar_edge.training.synth.command import statistics_table, write_clips, write_drawing
    from mar_edge.training.synth.world import HELD_OUT, TRAINING

    world = (HELD_OUT if held_out else TRAINING).without(*filter(None, (without or "").split(",")))
    if statistics:
        if out is not None:
            raise MarEdgeError("--statistics prints a table and takes no --out")
        print(statistics_table(world, recordings, seed, real))
        return
    if real is not None:
        raise MarEdgeError("--real goes with --statistics")
    if out is None:
        raise MarEdgeError("--out is missing: clip.mp4 or clip.gif (one clip, drawn), or clips.npz (arrays)")
    check_outputs([out])
    if out.suffix in (".mp4", ".gif"):
        drawn = write_drawing(out, action, seed)
        print(f"{out}: {drawn}")
    elif out.suffix == ".npz":
        if action is not None:
            raise MarEdgeError("--action goes with a drawing; an .npz holds clips of every action")
        write_clips(out, count, seed, world, LIVE_SHARE if live else 0.0)
        print(f"{out}: {count} clips")
    else:
        raise MarEdgeError(f"--out ends in .mp4 or .gif (one clip, drawn) or .npz (arrays), not '{out.suffix}'")
