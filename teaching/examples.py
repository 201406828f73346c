"""What a person shows: where the examples are, and where nothing special happens. Reads recordings; runs no network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.files.tables import read_table, seconds_of
from mar_edge.streaming.recording.skeletons import read_skeletons

LABEL_FILE = "labels.csv"
MOST_EXAMPLES = 100
LONGEST_S = 30.0
_SHORTEST_S = 0.2
_COLUMNS = ("recording", "start_s", "end_s", "label")
_AROUND_S = 0.5
"""An example's neighborhood, which is neither the example nor idle."""

Span = tuple[float, float]


@dataclass(frozen=True)
class Example:
    """One example: a person's ``track``, longer than the movement, and its ``span`` in it, s. name: for people."""

    name: str
    track: Window
    span: Span


@dataclass(frozen=True)
class Idle:
    """Times of a person's ``track`` in which nothing special happens: all but the ``busy`` (N, 2) s."""

    track: Window
    busy: NDArray[np.float64]


@dataclass(frozen=True)
class Shown:
    """Everything that was shown of one label. layout: name of the skeletons' layout."""

    layout: str
    examples: tuple[Example, ...]
    idle: tuple[Idle, ...]


def parse_span(text: str) -> Span:
    """Return the times of "12.4-13.9", or "0:01:12.4-0:01:13.9".

    Raises:
        MarEdgeError: it is not two times, or not from an earlier to a later one.
    """
    parts = re.split(r"\s*[-–]\s*", text.strip())
    try:
        start_s, end_s = map(seconds_of, parts)
    except ValueError:
        raise MarEdgeError(f"a time span is two times in seconds, such as 12.4-13.9; given was '{text}'") from None
    return checked_span(start_s, end_s, f"'{text}'")


def checked_span(start_s: float, end_s: float, where: str) -> Span:
    """Return the span of one example.

    Raises:
        MarEdgeError: it is too short, too long or reversed. ``where`` names it.
    """
    if not (0 <= start_s < end_s and _SHORTEST_S <= end_s - start_s <= LONGEST_S):
        raise MarEdgeError(
            f"{where} lasts {end_s - start_s:.2f} s; an example is a movement of {_SHORTEST_S:g} to {LONGEST_S:g} s"
        )
    return start_s, end_s


def read_spans(path: Path, spans: Sequence[Span], idle: Sequence[Span] = ()) -> Shown:
    """Return the examples at ``spans`` of a skeleton recording.

    Args:
        idle: where nothing special happens; empty for everything but the examples.

    Raises:
        MarEdgeError: the file cannot be read, or no person is seen at a span.
    """
    recording = read_skeletons(path)
    return shown_by(recording.tracks, recording.layout.name, spans, path.name, idle)


def shown_by(
    tracks: Sequence[Window], layout: str, spans: Sequence[Span], source: str, idle: Sequence[Span] = ()
) -> Shown:
    """Return what the ``tracks`` of all people show; each example is of the person who is seen in most of it.

    Raises:
        MarEdgeError: no person is seen at a span, or two spans overlap.
    """
    ordered = sorted(spans)
    for before, after in pairwise(ordered):
        if after[0] < before[1]:
            raise MarEdgeError(
                f"{source}: the examples at {before[0]:g}-{before[1]:g} s and {after[0]:g}-{after[1]:g} s overlap; "
                "an example is shown once"
            )
    if not 0 < len(spans) <= MOST_EXAMPLES:
        raise MarEdgeError(f"{source}: {len(spans)} examples; expected 1 to {MOST_EXAMPLES}, best 3 to 10")
    examples = []
    for span in spans:
        frames = [int(np.diff(np.searchsorted(track.times_s, span))[0]) for track in tracks]
        if not any(frames):
            raise MarEdgeError(f"{source}: no person is seen from {span[0]:g} to {span[1]:g} s")
        name = f"{source} {span[0]:.1f}-{span[1]:.1f} s"
        examples.append(Example(name, tracks[int(np.argmax(frames))], span))
    by_person = {example.track.person: example.track for example in examples}
    around = np.array([(start - _AROUND_S, end + _AROUND_S) for start, end in spans])
    still = [Idle(track, np.concatenate([around, _outside(idle)])) for track in by_person.values()]
    return Shown(layout, tuple(examples), tuple(still))


def read_folder(folder: Path, label: str) -> Shown:
    """Return the examples of ``label`` in a folder of recordings with ``labels.csv``.

    Its columns are recording, start_s, end_s and label. Rows of other labels are not idle either.

    Raises:
        MarEdgeError: a file is missing or malformed, or there is no row of the label.
    """
    table = read_table(folder / LABEL_FILE)
    if not set(_COLUMNS) <= set(table.columns):
        raise MarEdgeError(
            f"{table.source} has the columns {','.join(table.columns) or 'none'}; expected {','.join(_COLUMNS)}"
        )
    rows: dict[str, list[tuple[str, Span]]] = {}
    for row in table.rows():
        span = row.seconds("start_s"), row.seconds("end_s")
        name = row.fields["recording"]
        if Path(name).name != name or not name:
            raise MarEdgeError(f"{row.where}: '{name}' is not the name of a recording in {folder}")
        rows.setdefault(name, []).append((row.fields["label"], span))
    parts = []
    for name, listed in rows.items():
        spans = [checked_span(*span, f"{name}: {label}") for other, span in listed if other == label]
        if spans:
            shown = read_spans(folder / name, spans)
            busy = np.array([span for _, span in listed])
            idle = tuple(Idle(one.track, np.concatenate([one.busy, busy])) for one in shown.idle)
            parts.append(Shown(shown.layout, shown.examples, idle))
    if not parts:
        known = sorted({other for listed in rows.values() for other, _ in listed})
        raise MarEdgeError(
            f"{folder / LABEL_FILE} has no row of '{label}'; its labels: {', '.join(known[:10])}"
            f"{did_you_mean(label, known)}"
        )
    if len({part.layout for part in parts}) > 1:
        raise MarEdgeError(f"{folder}: the recordings have different skeletons")
    examples = tuple(example for part in parts for example in part.examples)
    return Shown(parts[0].layout, examples, tuple(one for part in parts for one in part.idle))


def _outside(spans: Sequence[Span]) -> NDArray[np.float64]:
    """Return the times (N, 2) outside of the spans; none where there are no spans."""
    edges = [-np.inf, *(edge for span in sorted(spans) for edge in span), np.inf]
    return np.array(edges).reshape(-1, 2) if spans else np.zeros((0, 2))
