"""Options that choose events of recordings, for review."""

from __future__ import annotations

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

    def timelines(self, recordings: list[Path]) -> list[Timeline]:
        """Return the chosen events of recordings, a timeline for each stream.

        Raises:
            MarEdgeError: a file cannot be read, or holds no such stream.
        """
        from mar_edge.streaming.recording.timeline_reader import read_timelines

        return [self.chosen(timeline) for timeline in read_timelines(recordings, self.stream)]

    def chosen(self, timeline: Timeline) -> Timeline:
        """Return the chosen events of a timeline of the chosen stream.

        Raises:
            MarEdgeError: the choice names an unknown label, or leaves none.
        """
        from mar_edge.streaming.recognition.thresholds import LabelChoice

        chosen = timeline.only(LabelChoice.parse(self.labels), self.min_score)
        return chosen.rezeroed() if self.rezero else chosen


def count_text(timelines: list[Timeline]) -> str:
    """Return how much there is, in words."""
    from mar_edge.view.wording import summary

    is_open = sum(event.is_open for timeline in timelines for event in timeline.events)
    return summary(timelines) + (f"; of {is_open} the end was not recorded" if is_open else "")
