"""``plot``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.extras import require
from mar_edge.cli.options.selection import Coding, EventFiles, Selection, count_text
from mar_edge.edge.files.outputs import check_outputs, write_whole


@command("Review", "plot recordings --out events.png", "plot recordings --out head.svg --labels head --rezero")
def plot(
    *,
    files: EventFiles,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Picture to write: .png or .svg.")],
    selection: Selection,
    coding: Coding,
) -> None:
    """Draw the events of recordings and the counts of labels."""
    require("plot", "matplotlib")
    from mar_edge.view.annotations.reading import input_files
    from mar_edge.view.plot import plot as draw

    check_outputs([out], input_files(files))
    timelines = coding.timelines(files, selection)
    write_whole(out, draw(timelines, out.suffix))
    print(f"{out}: {count_text(timelines)}")
