"""CSV: a row for each event. ``train`` reads it, after corrections, under the name ``labels.csv``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mar_edge.edge.files.tables import table_of
from mar_edge.edge.labels import UNLISTED_ID
from mar_edge.streaming.recording.timeline import MARKER, TimedEvent, Timeline
from mar_edge.view.annotations.coded import counted

LABELS_FILE = "labels.csv"
"""The name under which ``train`` reads the table, in the folder of the recordings."""
COLUMNS = (
    "recording",
    "start_s",
    "end_s",
    "label",
    "body",
    "label_id",
    "person",
    "score",
    "open",
    "stream",
    "run",
    "event_id",
    "t_start_ns",
    "t_end_ns",
    "frames",
    "frames_dropped",
    "t_zero_ns",
    "coder",
    "person_name",
)


def write_csv(timelines: Sequence[Timeline]) -> bytes:
    """Write CSV, UTF-8, in seconds from the start of each timeline.

    ``open`` is 1 if the end was not recorded. ``frames`` and ``frames_dropped`` are of the whole timeline.
    ``t_zero_ns`` is where its seconds begin. ``coder`` and ``person_name`` are empty where no human gave one.
    Markers of other programs are rows of the body group ``LSL marker``, without person and score, by their stream.
    """
    return table_of(COLUMNS, _rows(timelines))


def _rows(timelines: Sequence[Timeline]) -> Iterator[tuple[object, ...]]:
    for timeline in timelines:
        names = dict(timeline.names)
        for event in sorted(timeline.with_markers().events, key=lambda event: event.t_start_ns):
            is_marker = event.label.body == MARKER
            yield (
                event.recording,
                f"{timeline.seconds(event.t_start_ns):.3f}",
                f"{timeline.seconds(event.t_end_ns):.3f}",
                event.label.name,
                event.label.body,
                "" if event.label.id == UNLISTED_ID else event.label.id,
                "" if is_marker else event.person,
                "" if is_marker else f"{event.score:.3f}",
                int(event.is_open),
                timeline.stream,
                timeline.run,
                "" if is_marker else event.event_id,
                event.t_start_ns,
                event.t_end_ns,
                timeline.frames,
                timeline.dropped,
                timeline.zero_ns,
                event.coder,
                names.get(event.person, ""),
            )


def trainable(timelines: Sequence[Timeline], folder: Path) -> tuple[list[Timeline], tuple[str, ...]]:
    """Return timelines with only the events that ``train`` can use, and notes about the others.

    Args:
        folder: of the recordings.
    """
    kept = [replace(each, events=tuple(filter(_is_trainable(each), each.events)), markers=()) for each in timelines]
    left_out = sum(len(each.events) for each in timelines) - sum(len(each.events) for each in kept)
    names = dict.fromkeys(event.recording for each in kept for event in each.events)
    missing = [name for name in names if not (folder / name).is_file()]
    notes = (
        *counted(left_out, "event without a duration is left out", "events without a duration are left out"),
        *((f"{folder} has no recording {', '.join(missing[:5])}; 'train' needs it there",) if missing else ()),
    )
    return kept, notes


def _is_trainable(timeline: Timeline) -> Callable[[TimedEvent], bool]:
    """Return what is true of events that begin at or after time 0 and last a millisecond."""
    return lambda event: 0 <= timeline.milliseconds(event.t_start_ns) < timeline.milliseconds(event.t_end_ns)
