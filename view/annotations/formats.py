"""Formats of annotation files by suffix: the list that both the command line and the page offer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.timeline import Timeline, the_only
from mar_edge.view.annotations import boris, eaf, table
from mar_edge.view.annotations.media import Media


@dataclass(frozen=True)
class Format:
    """A kind of annotation file. ``write`` is pure, and raises MarEdgeError if one file cannot hold the timelines."""

    suffix: str
    name: str
    mime_type: str
    write: Callable[[Sequence[Timeline], Media | None], bytes]


FORMATS = (
    Format(".csv", "CSV", "text/csv", lambda timelines, media: table.write_csv(timelines)),
    Format(
        ".eaf",
        "ELAN",
        "application/xml",
        lambda timelines, media: eaf.write_eaf(the_only(timelines, "an ELAN document"), media),
    ),
    Format(".boris", "BORIS project", "application/json", boris.write_project),
    Format(".tsv", "BORIS tabular events", "text/tab-separated-values", boris.write_table),
)


def format_of(suffix: str) -> Format:
    """Return the format of a suffix.

    Raises:
        MarEdgeError: there is none.
    """
    for known in FORMATS:
        if known.suffix == suffix.lower():
            return known
    names = ", ".join(f"{known.suffix} ({known.name})" for known in FORMATS)
    raise MarEdgeError(f"annotation files end in {names}, not in '{suffix}'")
