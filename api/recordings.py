"""Recordings of ``mar-edge serve --record`` -> events, skeletons as arrays, and pandas DataFrames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mar_edge.api.results import Event, Marker
from mar_edge.edge.errors import MissingExtra
from mar_edge.streaming.recording.reader import read_messages, recording_files
from mar_edge.streaming.recording.skeletons import SkeletonReader, SkeletonTrack
from mar_edge.streaming.recording.timeline import NS, TimedEvent, the_only
from mar_edge.streaming.recording.timeline_reader import TimelineReader
from mar_edge.streaming.wire.messages import HelloMessage

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Recording:
    """One run of one stream.

    events: by start. Their seconds count from media time 0, or from the first skeleton where no ``hello`` was recorded.
    skeletons: a track for each person, on the same clock.
    markers: of other programs, by time, on the same clock.
    joints: names of the joints, in the order of the tracks' arrays.
    hello: source, model, labels and settings of the stream, as it announced them; None where it was not recorded.
    stream, run: name of the stream, and id of the start of its sender.
    frames, dropped: how many frames were processed, and how many were not because that took too long.
    """

    events: list[Event]
    skeletons: list[SkeletonTrack]
    markers: list[Marker]
    joints: tuple[str, ...]
    hello: HelloMessage | None
    stream: str
    run: str
    frames: int
    dropped: int

    def events_frame(self) -> pd.DataFrame:
        """Return the events as a DataFrame, one row each, with the columns of ``Event``.

        Raises:
            MarEdgeError: pandas is not installed (``pip install 'mar-edge[pandas]'``).
        """
        columns = list(Event.__dataclass_fields__)
        return _pandas().DataFrame([asdict(event) for event in self.events], columns=columns)

    def skeletons_frame(self) -> pd.DataFrame:
        """Return the skeletons as a DataFrame, a row for each person, time and joint.

        Its columns are person, time_s, joint (its name), x, y (pixels, NaN where not seen) and score.

        Raises:
            MarEdgeError: pandas is not installed (``pip install 'mar-edge[pandas]'``).
        """
        pandas = _pandas()
        V, names = len(self.joints), list(self.joints)
        parts = [
            pandas.DataFrame(
                {
                    "person": np.repeat(track.person, track.scores.size),
                    "time_s": np.repeat(track.times_s, V),
                    "joint": pandas.Categorical.from_codes(np.tile(np.arange(V), len(track.times_s)), names),
                    "x": track.joints[..., 0].ravel(),
                    "y": track.joints[..., 1].ravel(),
                    "score": track.scores.ravel(),
                }
            )
            for track in self.skeletons
        ]
        if not parts:
            return pandas.DataFrame(columns=["person", "time_s", "joint", "x", "y", "score"])
        return pandas.concat(parts, ignore_index=True)


def read_recording(path: str | PathLike[str] | Sequence[str | PathLike[str]], stream: str | None = None) -> Recording:
    """Read a recording of ``mar-edge serve --record`` or ``mar-edge record``.

    Args:
        path: a file, a folder of the parts of one run, or such parts in order.
        stream: name of the stream, where several are recorded.

    Raises:
        MarEdgeError: there is no recording, it is damaged, or it holds several streams or runs. The error names the
            line of the damage.
    """
    paths = [path] if isinstance(path, str | PathLike) else list(path)
    files = recording_files([Path(one) for one in paths])
    timelines = TimelineReader()
    readers: dict[str, SkeletonReader] = {}
    hellos: dict[str, HelloMessage] = {}
    for recorded in read_messages(files):
        message = recorded.message
        timelines.take(recorded)
        if stream in (None, message.stream):
            readers.setdefault(message.run, SkeletonReader()).take(recorded)
            if isinstance(message, HelloMessage):
                hellos.setdefault(message.run, message)
    timeline = the_only(timelines.timelines(files, stream), "read_recording", "one")
    reader = readers[timeline.run]
    zero_ns = reader.origin_ns(timeline.zero_ns if timeline.media_zero_ns is None else timeline.media_zero_ns)
    return Recording(
        events=[_event(event, zero_ns) for event in timeline.events],
        skeletons=list(reader.tracks()),
        markers=[Marker((each.t_ns - zero_ns) / NS, each.text, each.source) for each in timeline.markers],
        joints=reader.layout.joints if reader.layout else (),
        hello=hellos.get(timeline.run),
        stream=timeline.stream,
        run=timeline.run,
        frames=timeline.frames,
        dropped=timeline.dropped,
    )


def _event(event: TimedEvent, zero_ns: int) -> Event:
    return Event(
        label=event.label.name,
        body=event.label.body,
        start_s=(event.t_start_ns - zero_ns) / NS,
        end_s=(event.t_end_ns - zero_ns) / NS,
        score=event.score,
        person=event.person,
        event_id=event.event_id,
        is_open=event.is_open,
    )


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise MissingExtra("pandas", "pandas") from None
    return pandas
