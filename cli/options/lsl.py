"""Options of the Lab Streaming Layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.choices import MarkerFormat

if TYPE_CHECKING:
    from mar_edge.streaming.lsl.config import LslConfig


@dataclass(frozen=True)
class Lsl:
    """What is exchanged with recorders of other signals."""

    PANEL: ClassVar = "Lab Streaming Layer"

    lsl: Annotated[
        bool,
        typer.Option(
            "--lsl", help="Offer events as a stream of markers, and with --skeletons the joints, on LSL's clock."
        ),
    ] = False
    lsl_format: Annotated[MarkerFormat, typer.Option(help="Text of these markers: JSON, or onset/LABEL/person N.")] = (
        "json"
    )
    lsl_people: Annotated[int, typer.Option(metavar="N", help="Number of people with a stream of joints each.")] = 1
    lsl_markers: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STREAM",
            help="Take in the markers of an LSL stream: its name, or such as type=Markers. May be repeated.",
            show_default=False,
        ),
    ] = None

    def config(self, skeletons: bool) -> LslConfig | None:
        """Return what is exchanged; None where nothing is.

        Args:
            skeletons: whether joints are published.

        Raises:
            MarEdgeError: an option needs another one, or a value makes no sense.
        """
        from mar_edge.streaming.lsl.config import LslConfig

        if not self.lsl and self.lsl_format != "json":
            raise MarEdgeError("--lsl-format needs --lsl")
        if self.lsl_people != 1 and not (self.lsl and skeletons):
            raise MarEdgeError("--lsl-people needs --lsl and --skeletons")
        if not self.lsl and self.lsl_markers is None:
            return None
        return LslConfig(self.lsl, self.lsl_format, self.lsl_people, tuple(self.lsl_markers or ()))
