"""``annotations`` and ``plot``: what a recording holds, for annotation programs and for print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.cli import app
from mar_edge.cli.extras import require
from mar_edge.edge.files.outputs import check_outputs, write_whole

if TYPE_CHECKING:
    from mar_edge.streaming.recording.timeline import Timeline

Recordings = Annotated[
    list[Path],
    typer.Argument(help="Files of 'record' or 'serve --record', or one folder; or saved 'subscribe --json'."),
]
Stream = Annotated[str | None, typer.Option(help="Only this stream.", show_default=False)]
Labels = Annotated[str, typer.Option(help="Only these, as of serve: 'head,-nodding'.")]
MinScore = Annotated[float, typer.Option(help="Only events of at least this score.", min=0.0, max=1.0)]
Rezero = Annotated[
    bool,
    typer.Option("--rezero", help="Count times from the first recorded moment, not from the stream's beginning."),
]


@app.command("annotations")
def write_annotations(
    recordings: Recordings,
    out: Annotated[
        Path, typer.Option(help=".csv; .eaf for ELAN; .boris, a project for BORIS; .tsv, BORIS' tabular events.")
    ],
    media: Annotated[
        Path | None, typer.Option(help="Video that the recording was made of, for ELAN and BORIS.", show_default=False)
    ] = None,
    stream: Stream = None,
    labels: Labels = "",
    min_score: MinScore = 0.0,
    rezero: Rezero = False,
) -> None:
    """Write the events of a recording as the annotation programs of behaviour labs read them."""
    from mar_edge.streaming.recording.reader import recording_files
    from mar_edge.streaming.recording.timeline import the_only
    from mar_edge.view.annotations.formats import format_of
    from mar_edge.view.annotations.media import probe

    kind = format_of(out.suffix)
    check_outputs([out], [*recording_files(recordings), media])
    timelines = _read(recordings, stream, labels, min_score, rezero)
    if media is not None:
        the_only(timelines, "--media")
    video = None if media is None else probe(media, folder=out.parent)
    write_whole(out, kind.write(timelines, video))
    print(f"{out}: {kind.name}, {_tell(timelines)}")


def _read(recordings: list[Path], stream: str | None, labels: str, min_score: float, rezero: bool) -> list[Timeline]:
    from mar_edge.streaming.recognition.thresholds import LabelChoice
    from mar_edge.streaming.recording.timeline_reader import read_timelines

    choice = LabelChoice.parse(labels)
    timelines = [timeline.only(choice, min_score) for timeline in read_timelines(recordings, stream)]
    return [timeline.rezeroed() for timeline in timelines] if rezero else timelines


def _tell(timelines: list[Timeline]) -> str:
    """How much there is."""
    from mar_edge.view.wording import summary

    is_open = sum(event.is_open for timeline in timelines for event in timeline.events)
    return summary(timelines) + (f"; of {is_open} the end was not recorded" if is_open else "")


@app.command()
def plot(
    recordings: Recordings,
    out: Annotated[Path, typer.Option(help="Picture to write, .png or .svg.")],
    stream: Stream = None,
    labels: Labels = "",
    min_score: MinScore = 0.0,
    rezero: Rezero = False,
) -> None:
    """Draw the events of a recording, and how often each label occurs, for print."""
    require("plot", "matplotlib")
    from mar_edge.streaming.recording.reader import recording_files
    from mar_edge.view.plot import plot as draw

    check_outputs([out], recording_files(recordings))
    timelines = _read(recordings, stream, labels, min_score, rezero)
    write_whole(out, draw(timelines, out.suffix))
    print(f"{out}: {_tell(timelines)}")
