"""CSV: a row for each event. ``train`` reads it, after corrections, under the name ``labels.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from mar_edge.streaming.recording.timeline import Timeline

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
)


def write_csv(timelines: Sequence[Timeline]) -> bytes:
    """Write CSV, UTF-8, in seconds from the start of each timeline.

    ``open`` is 1 if the end was not recorded. ``frames`` and ``frames_dropped`` are of the whole timeline.
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for timeline in timelines:
        for event in timeline.events:
            rows.writerow(
                (
                    event.recording,
                    f"{timeline.seconds(event.t_start_ns):.3f}",
                    f"{timeline.seconds(event.t_end_ns):.3f}",
                    event.label.name,
                    event.label.body,
                    event.label.id,
                    event.person,
                    f"{event.score:.3f}",
                    int(event.is_open),
                    timeline.stream,
                    timeline.run,
                    event.event_id,
                    event.t_start_ns,
                    event.t_end_ns,
                    timeline.frames,
                    timeline.dropped,
                )
            )
    return text.getvalue().encode()
