"""``annotations``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.options.selection import Coding, EventFiles, Selection, count_text, print_notes
from mar_edge.edge.files.outputs import check_outputs, write_whole


@command(
    "Review",
    "annotations recordings --out events.csv",
    "annotations recordings --out session.eaf --media session.mp4",
    "annotations recordings --out session.boris --labels head --min-score 0.7",
    "annotations session.eaf --out recordings/labels.csv --coder Anna",
    "annotations recordings/corrections.csv --out recordings/labels.csv",
    name="annotations",
)
def write_annotations(
    *,
    files: EventFiles,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="File to write: .csv (named labels.csv, for 'train'), .eaf (ELAN), .boris (BORIS project) or .tsv "
            "(BORIS events).",
        ),
    ],
    media: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Video of the recording, for ELAN and BORIS.", show_default=False),
    ] = None,
    selection: Selection,
    coding: Coding,
) -> None:
    """Convert events: recordings, corrections, ELAN, BORIS, CSV."""
    from mar_edge.streaming.recording.timeline import the_only
    from mar_edge.view.annotations.formats import format_of
    from mar_edge.view.annotations.media import probe
    from mar_edge.view.annotations.reading import input_files
    from mar_edge.view.annotations.table import LABELS_FILE, trainable

    kind = format_of(out.suffix)
    check_outputs([out], [*input_files(files), media])
    timelines = coding.timelines(files, selection)
    if media is not None:
        the_only(timelines, "--media")
    if out.name == LABELS_FILE:
        timelines, notes = trainable(timelines, out.parent)
        print_notes(notes)
    video = None if media is None else probe(media, folder=out.parent)
    write_whole(out, kind.write(timelines, video))
    print(f"{out}: {kind.name}, {count_text(timelines)}")
