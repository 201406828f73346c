"""BIDS: ``_events.tsv`` and the JSON that describes its columns, for EEG and MRI toolboxes.

Follows "Task events" of the Brain Imaging Data Structure 1.10. Onset and duration are in seconds, ``n/a`` is unknown,
and names of columns are in snake_case. The JSON file of the same name says what columns and levels mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mar_edge import __version__
from mar_edge.edge.files.tables import table_of
from mar_edge.streaming.recording.timeline import MARKER, Timeline, body_of

_COLUMNS = ("onset", "duration", "trial_type", "score", "person", "body_group")


def write_events(timeline: Timeline) -> bytes:
    """Write the events, TSV, UTF-8, by onset. Seconds count from the start of the timeline, to a millisecond.

    The duration of an event whose end was not recorded is ``n/a``. Markers of other programs are rows among them, of
    no duration, score and person.
    """
    return table_of(_COLUMNS, _rows(timeline), delimiter="\t")


def _rows(timeline: Timeline) -> Iterator[tuple[str, ...]]:
    for event in sorted(timeline.with_markers().events, key=lambda event: event.t_start_ns):
        onset_ms, offset_ms = timeline.milliseconds(event.t_start_ns), timeline.milliseconds(event.t_end_ns)
        yield (
            f"{onset_ms / 1000:.3f}",
            "n/a" if event.is_open else f"{(offset_ms - onset_ms) / 1000:.3f}",
            event.label.name,
            "n/a" if event.label.body == MARKER else f"{event.score:.3f}",
            "n/a" if event.label.body == MARKER else timeline.name_of(event.person),
            body_of(event.label),
        )


def write_sidecar(timeline: Timeline, video: str, made_with: Mapping[str, Any]) -> bytes:
    """Write the JSON file next to the events: what the columns mean, and how the events were made.

    Args:
        video: name of the video.
        made_with: model and settings.
    """
    described = {
        "onset": {
            "LongName": "Onset",
            "Description": "Onset of the action, from the start of the video as a player shows it",
            "Units": "s",
        },
        "duration": {"LongName": "Duration", "Description": "From onset to offset of the action", "Units": "s"},
        "trial_type": {
            "LongName": "Action",
            "Description": "Name of the recognized micro-action, or text of a marker that another program set",
            "Levels": {label.name: f"label {label.id}, body group {body_of(label)}" for label in timeline.labels}
            | {marker.text: f"marker of {marker.source}, another program" for marker in timeline.markers},
        },
        "score": {
            "LongName": "Score",
            "Description": "Highest smoothed score of the action in the event, 0 to 1; not a calibrated probability",
        },
        "person": {
            "LongName": "Person",
            "Description": "The person in the video; somebody who leaves and comes back may get another number",
        },
        "body_group": {
            "LongName": "Body group",
            "Description": f"Part of the body that the action is about; '{MARKER}' for a marker of another program",
        },
        "Sources": [video],
        "GeneratedBy": [
            {
                "Name": "mar-edge",
                "Version": __version__,
                "Description": "Recognized from the joints of each person, frame by frame, without a human coder",
                **made_with,
            }
        ],
    }
    return msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n"
