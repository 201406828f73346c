"""The outlets of one stream: what their streams are called, what describes them, what a sample holds."""

from __future__ import annotations

import math
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from mar_edge.streaming.choices import MarkerFormat
from mar_edge.streaming.lsl.config import LslConfig
from mar_edge.streaming.lsl.slots import PersonSlots
from mar_edge.streaming.wire.messages import EventMessage, HelloMessage, SkeletonMessage

_IRREGULAR = 0.0  # frames may be dropped, so no sample's time follows from the one before
# Of samples that wait for a slow recorder, in hundreds; older ones are dropped, and nothing waits.
_BUFFERED = 36
_KINDS_OF_CHANNEL = (("x", "PositionX", "px"), ("y", "PositionY", "px"), ("confidence", "Confidence", "normalized"))


class EventMarker(msgspec.Struct, frozen=True):
    """What a marker says as JSON. It is stamped with the moment of its phase: the onset, or the offset.

    onset_s, offset_s: media time, as in recordings and their annotations; ``offset_s`` is null at the onset.
    score: the highest smoothed probability so far, in [0, 1].
    """

    phase: str
    label: str
    label_id: int
    body: str
    person: int
    score: float
    event_id: int
    onset_s: float
    offset_s: float | None


def marker_text(event: EventMessage, onset_ns: int, offset_ns: int | None, marker_format: MarkerFormat) -> str:
    """Return the text of a marker about the begin or end of an event.

    Args:
        onset_ns, offset_ns: media time; no offset before the end.
    """
    phase = "onset" if offset_ns is None else "offset"
    if marker_format == "text":  # equal for equal events, which is what programs for EEG group by
        return f"{phase}/{event.label.name}/person {event.person}"
    marker = EventMarker(
        phase=phase,
        label=event.label.name,
        label_id=event.label.id,
        body=event.label.body,
        person=event.person,
        score=round(event.score, 4),
        event_id=event.event_id,
        onset_s=_seconds(onset_ns),
        offset_s=None if offset_ns is None else _seconds(offset_ns),
    )
    return msgspec.json.encode(marker).decode()


def source_ids(streams: Sequence[str], people: int) -> Iterator[str]:
    """Yield the source ids of all outlets. They stay the same when the service restarts: recorders then go on."""
    for stream in streams:
        yield _source_id(stream, "events")
        yield from (_source_id(stream, _skeleton(place)) for place in range(people))


class StreamOutlets:
    """Events as markers and, with ``skeletons``, the joints of as many people as configured. Used from one thread.

    Args:
        pylsl: the module.
        hello: describes the stream.

    Raises:
        RuntimeError: liblsl cannot open an outlet.
    """

    def __init__(self, pylsl: Any, hello: HelloMessage, config: LslConfig, *, skeletons: bool) -> None:
        self.event_source_id = _source_id(hello.stream, "events")
        self._joints = hello.joints
        self._slots = PersonSlots(config.people)
        events = pylsl.StreamInfo(f"mar-edge-{hello.stream}", "Markers", 1, _IRREGULAR, "string", self.event_source_id)
        _describe(events, hello).append_child_value("marker_format", config.marker_format)
        self._events = pylsl.StreamOutlet(events, max_buffered=_BUFFERED)
        self._skeletons = [self._open_skeleton(pylsl, hello, place) for place in range(config.people * skeletons)]

    @property
    def have_consumers(self) -> bool:
        """Whether a program receives."""
        return any(outlet.have_consumers() for outlet in (self._events, *self._skeletons))

    def push_marker(self, text: str, lsl_s: float) -> None:
        """Send a marker."""
        self._events.push_sample([text], lsl_s)

    def push_people(self, people: Sequence[SkeletonMessage], t_mono_ns: int, lsl_s: float) -> None:
        """Send the joints of a frame: a sample for each place, of NaN where no person is."""
        present = {message.person: message for message in people if message.joints}
        for outlet, person in zip(self._skeletons, self._slots.assign(present, t_mono_ns), strict=True):
            outlet.push_sample(self._sample(None if person is None else present[person]), lsl_s)

    def _sample(self, message: SkeletonMessage | None) -> list[float]:
        if message is None:
            return [math.nan] * (1 + 3 * len(self._joints))
        sample = [float(message.person)]
        for joint, score in zip(message.joints, message.scores, strict=True):
            sample += (*(joint or (math.nan, math.nan)), score)
        return sample

    def _open_skeleton(self, pylsl: Any, hello: HelloMessage, place: int) -> Any:
        kind = _skeleton(place)
        channels = 1 + 3 * len(hello.joints)
        info = pylsl.StreamInfo(
            f"mar-edge-{hello.stream}-{kind}", "MoCap", channels, _IRREGULAR, "float32", _source_id(hello.stream, kind)
        )
        description = _describe(info, hello)
        listed = description.append_child("channels")
        _add(listed.append_child("channel"), label="person", type="Id", unit="none")
        for joint in hello.joints:
            for name, channel_type, unit in _KINDS_OF_CHANNEL:
                label = f"{joint} {name}"
                _add(listed.append_child("channel"), label=label, marker=joint, type=channel_type, unit=unit)
        width, height = hello.size
        _add(description.append_child("picture"), width=str(width), height=str(height), unit="px")
        return pylsl.StreamOutlet(info, max_buffered=_BUFFERED)


def _skeleton(place: int) -> str:
    return f"skeleton-{place + 1}" if place else "skeleton"


def _source_id(stream: str, kind: str) -> str:
    return f"mar-edge:{socket.gethostname()}:{stream}:{kind}"


def _describe(info: Any, hello: HelloMessage) -> Any:
    """Say where a stream comes from, as the metadata of XDF files have it. Return its description."""
    description = info.desc()
    _add(description.append_child("acquisition"), manufacturer="mar-edge", model=hello.model, camera=hello.source)
    _add(description.append_child("synchronization"), can_drop_samples="true")
    return description


def _add(node: Any, **values: str) -> None:
    for name, value in values.items():
        node.append_child_value(name, value)


def _seconds(ns: int) -> float:
    return round(ns / 1e9, 6)
