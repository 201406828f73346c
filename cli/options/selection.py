"""Options that choose events of recordings and annotation files, for review."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from mar_edge.streaming.recording.timeline import Timeline

Recordings = Annotated[
    list[Path],
    typer.Argument(help="Files of 'record' or 'serve --record', or one folder; or saved 'subscribe --json'."),
]
EventFiles = Annotated[
    list[Path],
    typer.Argument(
        help="Recordings (or saved 'subscribe --json'), corrections.csv, .eaf, .boris, or tables (.csv, .tsv); or one "
        "folder.",
    ),
]


@dataclass(frozen=True)
class Selection:
    """Which events, and from where their times count."""

    PANEL: ClassVar = "Selection"

    stream: Annotated[str | None, typer.Option(metavar="NAME", help="Only this stream.", show_default=False)] = None
    labels: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Only these actions or body groups, with a minus not these: 'head,-nodding'.",
            show_default=False,
        ),
    ] = ""
    min_score: Annotated[float, typer.Option(metavar="SCORE", help="Lowest score of an event.", min=0.0, max=1.0)] = 0.0
    rezero: Annotated[
        bool,
        typer.Option("--rezero", help="Count times from the first recorded moment, not from the stream's beginning."),
    ] = False

    def chosen(self, timeline: Timeline) -> Timeline:
        """Return the chosen events of a timeline of the chosen stream.

        Raises:
            MarEdgeError: the choice names an unknown label, or leaves none.
        """
        from mar_edge.streaming.recognition.thresholds import LabelChoice

        chosen = timeline.only(LabelChoice.parse(self.labels), self.min_score)
        return chosen.rezeroed() if self.rezero else chosen


@dataclass(frozen=True)
class Coding:
    """Who coded annotation files, and in which words."""

    PANEL: ClassVar = "Annotation files"

    coder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whose corrections, if several coders made some; the coder of files that name none.",
            show_default=False,
        ),
    ] = None
    map: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table coder_label,label of other names; without a label, the events are left out.",
            show_default=False,
        ),
    ] = None

    def timelines(self, files: list[Path], selection: Selection) -> list[Timeline]:
        """Return the chosen events of files, a timeline for each stream. Print what was left out of them.

        Raises:
            MarEdgeError: a file cannot be read, or holds no such stream.
        """
        from mar_edge.view.annotations.reading import read_annotations, read_names

        names = None if self.map is None else read_names(self.map)
        read = read_annotations(files, stream=selection.stream, coder=self.coder, names=names)
        print_notes(read.notes)
        return [selection.chosen(timeline) for timeline in read.timelines]


def print_notes(notes: Iterable[str]) -> None:
    """Print what the readers of files left out or understood in an unexpected way."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def count_text(timelines: list[Timeline]) -> str:
    """Return how much there is, in words."""
    from mar_edge.view.wording import summary

    is_open = sum(event.is_open for timeline in timelines for event in timeline.events)
    markers = sum(len(timeline.markers) for timeline in timelines)
    return (
        summary(timelines)
        + (f"; of {is_open} the end was not recorded" if is_open else "")
        + (f"; markers of other programs: {markers}" if markers else "")
    )
