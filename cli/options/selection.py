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
    typer.Argument(
        help="Recordings (or saved 'subscribe --json'), corrections.csv, .eaf, .boris, or tables (.csv, .tsv); files, "
        "or one folder of them."
    ),
]
Coder = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Whose corrections, where several coders made some; the coder of files that name none.",
        show_default=False,
    ),
]
NamesFile = Annotated[
    Path | None,
    typer.Option(
        "--map",
        metavar="FILE",
        help="Table coder_label,label: other names of labels; without a label, its events are left out.",
        show_default=False,
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
    coder: Coder = None
    names: NamesFile = None

    def timelines(self, recordings: list[Path]) -> list[Timeline]:
        """Return the chosen events of files, a timeline for each stream. Print what was left out of them.

        Raises:
            MarEdgeError: a file cannot be read, or holds no such stream.
        """
        from mar_edge.streaming.recognition.thresholds import LabelChoice
        from mar_edge.view.annotations.reading import read_annotations, read_names

        choice = LabelChoice.parse(self.labels)
        names = None if self.names is None else read_names(self.names)
        read = read_annotations(recordings, stream=self.stream, coder=self.coder, names=names)
        print_notes(read.notes)
        chosen = [timeline.only(choice, self.min_score) for timeline in read.timelines]
        return [timeline.rezeroed() for timeline in chosen] if self.rezero else chosen


def print_notes(notes: Iterable[str]) -> None:
    """Print what the readers of files left out or understood in an unexpected way."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def count_text(timelines: list[Timeline]) -> str:
    """Return how much there is, in words."""
    from mar_edge.view.wording import summary

    is_open = sum(event.is_open for timeline in timelines for event in timeline.events)
    return summary(timelines) + (f"; of {is_open} the end was not recorded" if is_open else "")
