"""BORIS: a project that it opens, and its table "tabular events", for scripts that read its exports.

Each label is a state event, its body group a behavioral category, each person a subject and each timeline an
observation. An observation is of the video if one is given, else live. Scores are in the comments. BORIS seeks in the
video by the times of events, so with a video they are times of its player. Markers of other programs are point events
of one behavior, with their texts as comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.tables import table_of
from mar_edge.edge.labels import UNLISTED_ID, Label
from mar_edge.streaming.recording.timeline import MARKER, NS, TimedEvent, Timeline, body_of
from mar_edge.view.annotations.facts import facts_line
from mar_edge.view.annotations.media import Media

# The version that BORIS 8 to 10 write.
_PROJECT_FORMAT = "7.0"
_PLAYERS = 8
_NA = "NA"
_NOBODY = "No focal subject"
_MARKERS = Label(UNLISTED_ID, MARKER, MARKER)
CODER = "; coder "
OPEN_COMMENT = "end not recorded"
# Columns of "tabular events" in BORIS 8 to 10, for observations without modifiers and independent variables.
TABLE_COLUMNS = (
    "Observation id",
    "Observation date",
    "Description",
    "Observation duration",
    "Observation type",
    "Source",
    "Time offset (s)",
    "Media duration (s)",
    "FPS",
    "Subject",
    "Behavior",
    "Behavioral category",
    "Behavior type",
    "Time",
    "Media file name",
    "Image index",
    "Image file path",
    "Comment",
)


def write_project(timelines: Sequence[Timeline], media: Media | None = None) -> bytes:
    """Write a project file (``.boris``), JSON: ethogram, subjects, and an observation for each timeline."""
    timelines = _in_player_time(timelines, media)
    labels = list(dict.fromkeys(label for timeline in timelines for label in timeline.labels))
    labels += [_MARKERS] * any(timeline.markers for timeline in timelines)
    people = dict.fromkeys(timeline.name_of(person) for timeline in timelines for person in timeline.people)
    categories = list(dict.fromkeys(map(body_of, labels)))
    project = {
        "time_format": "hh:mm:ss",
        "project_date": _date(min(timeline.zero_ns for timeline in timelines)),
        "project_name": ", ".join(dict.fromkeys(timeline.stream for timeline in timelines)),
        "project_description": "Micro-actions recognized by mar-edge",
        "project_format_version": _PROJECT_FORMAT,
        "subjects_conf": {
            str(index): {"key": "", "name": name, "description": ""} for index, name in enumerate(people)
        },
        "behaviors_conf": {
            str(index): {
                "type": "Point event" if label == _MARKERS else "State event",
                "key": "",
                "code": label.name,
                "description": "" if label.id == UNLISTED_ID else f"label {label.id}",
                "color": "",
                "category": body_of(label),
                "modifiers": {},
                "excluded": "",
                "coding map": "",
            }
            for index, label in enumerate(labels)
        },
        "observations": {_observation_id(timeline): _observation(timeline, media) for timeline in timelines},
        "behavioral_categories": categories,
        "behavioral_categories_config": {
            str(index): {"name": name, "color": ""} for index, name in enumerate(categories)
        },
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    return msgspec.json.format(msgspec.json.encode(project), indent=1) + b"\n"


def write_table(timelines: Sequence[Timeline], media: Media | None = None) -> bytes:
    """Write tabular events, TSV, UTF-8: a row for each START and each STOP."""
    return table_of(TABLE_COLUMNS, _rows(_in_player_time(timelines, media), media), delimiter="\t")


def _rows(timelines: Sequence[Timeline], media: Media | None) -> Iterator[tuple[object, ...]]:
    for timeline in timelines:
        times_s = [time_s for time_s, _, _ in _marks(timeline)]
        duration_s = f"{times_s[-1] - times_s[0]:.3f}" if times_s else _NA
        for time_s, kind, event in _marks(timeline):
            yield (
                _observation_id(timeline),
                _date(timeline.zero_ns).replace("T", " "),
                _description(timeline),
                duration_s,
                "Media file(s)" if media else "Live observation",
                f"player #1:{media.path}" if media else _NA,
                "0.0",
                f"{media.length_s:.3f}" if media else _NA,
                f"{media.fps:.3f}" if media else _NA,
                _NOBODY if event.label.body == MARKER else timeline.name_of(event.person),
                _behavior(event),
                body_of(event.label),
                kind,
                f"{time_s:.3f}",
                str(media.path) if media else _NA,
                _frame(time_s, media) if media else _NA,
                _NA,
                _comment(kind, event),
            )


def _in_player_time(timelines: Sequence[Timeline], media: Media | None) -> list[Timeline]:
    return [timeline if media is None else timeline.unshifted() for timeline in timelines]


def _observation(timeline: Timeline, media: Media | None) -> dict[str, Any]:
    file = str(media.path) if media else ""
    info = {"length": media.length_s, "fps": media.fps, "hasVideo": True, "hasAudio": False} if media else {}
    offsets = {"offset": {"1": 0.0}} if media else {}  # of players relative to the times of the observation, s
    return {
        "file": {str(player + 1): [file] if media and player == 0 else [] for player in range(_PLAYERS)},
        "type": "MEDIA" if media else "LIVE",
        "date": _date(timeline.zero_ns),
        "description": _description(timeline),
        "time offset": 0.0,
        "observation time interval": [0, 0],
        "independent_variables": {},
        "visualize_spectrogram": False,
        "visualize_waveform": False,
        "close_behaviors_between_videos": False,
        "scan_sampling_time": 0,
        "start_from_current_time": False,
        "start_from_current_epoch_time": False,
        "media_info": {**{name: {file: value} for name, value in info.items()}, **offsets},
        "events": [
            [
                time_s,
                "" if event.label.body == MARKER else timeline.name_of(event.person),
                _behavior(event),
                "",
                _comment(kind, event),
                *([_frame(time_s, media)] if media else []),
            ]
            for time_s, kind, event in _marks(timeline)
        ],
    }


def _marks(timeline: Timeline) -> Iterator[tuple[float, str, TimedEvent]]:
    """Yield seconds, START, STOP or POINT, and the event, in order of time.

    Events of different labels may overlap. If a label starts again at the moment when it ends, the STOP comes first:
    BORIS pairs them in this order.

    Raises:
        MarEdgeError: two events of one person and label overlap.
    """
    marks = []
    ends_ns: dict[tuple[int, str], int] = {}
    for event in timeline.events:
        if event.t_start_ns < ends_ns.get((event.person, event.label.name), event.t_start_ns):
            raise MarEdgeError(
                f"BORIS holds no two events '{event.label.name}' of {timeline.name_of(event.person)} at once, as at "
                f"{timeline.seconds(event.t_start_ns):.3f} s; write another format, or choose with --labels or --coder"
            )
        ends_ns[event.person, event.label.name] = event.t_end_ns
    for number, event in enumerate(timeline.events):
        marks.append((timeline.milliseconds(event.t_start_ns), 2 * number, "START", event))
        marks.append((timeline.milliseconds(event.t_end_ns), 2 * number + 1, "STOP", event))
    for number, event in enumerate(timeline.with_markers().events[len(timeline.events) :], len(timeline.events)):
        marks.append((timeline.milliseconds(event.t_start_ns), 2 * number, "POINT", event))
    for time_ms, _, kind, event in sorted(marks, key=lambda mark: mark[:2]):
        yield time_ms / 1000, kind, event


def _frame(time_s: float, media: Media) -> int:
    """Return the number of the frame that is shown at a time, from 1."""
    return int(time_s * media.fps) + 1


def _behavior(event: TimedEvent) -> str:
    return MARKER if event.label.body == MARKER else event.label.name


def _comment(kind: str, event: TimedEvent) -> str:
    if kind == "STOP":
        return OPEN_COMMENT if event.is_open else ""
    said = event.label.name if kind == "POINT" else f"score {event.score:.3f}"
    return said + (f"{CODER}{event.coder}" if event.coder else "")


def _description(timeline: Timeline) -> str:
    return "; ".join(filter(None, (timeline.source, timeline.loss, facts_line(timeline))))


def _observation_id(timeline: Timeline) -> str:
    return f"{timeline.stream} {_date(timeline.zero_ns)} {timeline.run[:8]}".rstrip()


def _date(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns // NS, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
