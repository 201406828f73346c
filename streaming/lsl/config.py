"""What a service exchanges over LSL, checked. Loads no library."""

from __future__ import annotations

from dataclasses import dataclass

from mar_edge.edge.errors import MarEdgeError, about
from mar_edge.streaming.choices import MarkerFormat
from mar_edge.streaming.wire.address import has_control_characters

MOST_PEOPLE = 16
_PROPERTIES = ("name", "type", "source_id", "hostname")
_LONGEST = 200


@dataclass(frozen=True)
class LslConfig:
    """What is offered, and what is taken in.

    sends: offer the events of each stream, and its joints where skeletons are published.
    marker_format: of the events. people: number of people who get a stream of joints.
    markers: which streams of other programs are taken in, each a name or ``PROPERTY=VALUE``.

    Raises:
        MarEdgeError: a value out of range.
    """

    sends: bool = True
    marker_format: MarkerFormat = "json"
    people: int = 1
    markers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.people <= MOST_PEOPLE:
            raise MarEdgeError(f"--lsl-people is 1 to {MOST_PEOPLE}, not {self.people}")
        with about("--lsl-markers"):
            for query in self.markers:
                predicate(query)


def predicate(query: str) -> str:
    """Return the XPath predicate by which LSL finds the streams of ``NAME`` or ``PROPERTY=VALUE``.

    Raises:
        MarEdgeError: the query cannot be one.
    """
    name, separator, value = query.partition("=")
    if not separator or name not in _PROPERTIES:
        name, value = "name", query
    if not value.strip() or len(value) > _LONGEST or has_control_characters(value):
        raise MarEdgeError(
            f"a stream is a name, or one of {', '.join(_PROPERTIES)} with a value, such as type=Markers; not {query!r}"
        )
    if "'" in value and '"' in value:
        raise MarEdgeError(f"a query holds one kind of quotation mark, not both: {query}")
    quote = '"' if "'" in value else "'"
    return f"{name}={quote}{value}{quote}"
