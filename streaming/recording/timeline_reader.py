"""Messages of recordings -> timelines. Knows lines and files only through ``recording.reader``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.labels import Label
from mar_edge.streaming.recording.reader import Head, Recorded, read_messages, recording_files
from mar_edge.streaming.recording.steady_time import SteadyTime
from mar_edge.streaming.recording.timeline import NS, TimedEvent, TimedMarker, Timeline
from mar_edge.streaming.wire.messages import (
    NO_PERSON,
    AnyMessage,
    EndMessage,
    EventMessage,
    HelloMessage,
    LabelMessage,
    MarkerMessage,
    SkeletonMessage,
    StatusMessage,
    UnknownMessage,
)

# Twice the time between two updates of an event that lasts. After that, its end was lost.
_UNHEARD_NS = NS


def read_timelines(paths: Sequence[Path], stream: str | None = None) -> list[Timeline]:
    """Return the timelines in recordings, by stream and time.

    Args:
        paths: files of 'mar-edge record' or 'serve --record', or one folder of them. The printout of
            'mar-edge subscribe --json' is a recording too. Rotated parts of one run are one timeline, in any order.
        stream: only this one.

    Raises:
        MarEdgeError: there is no recording, it is damaged, or it holds no message (of that stream).
    """
    reader = TimelineReader()
    files = recording_files(paths)
    for recorded in read_messages(files, heads_of=("skeleton", "label")):
        reader.take(recorded)
    return reader.timelines(files, stream)


class TimelineReader:
    """Takes messages of any streams and runs, in any order, and makes a timeline of each run."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], _Run] = {}

    def take(self, recorded: Recorded) -> None:
        """Take one message. Of skeletons and labels, the ``Head`` is enough."""
        message = recorded.message
        self._runs.setdefault((message.stream, message.run), _Run()).take(message, recorded.path.name)

    def timelines(self, files: Sequence[Path], stream: str | None = None) -> list[Timeline]:
        """Return the timelines, by stream and time.

        Args:
            files: where the messages came from, for the error.
            stream: only this one.

        Raises:
            MarEdgeError: there is none.
        """
        runs = {key: run for key, run in self._runs.items() if stream in (None, key[0])}
        if not runs:
            where = f"{files[0]}{f' and {len(files) - 1} more' if len(files) > 1 else ''}"
            if stream is None:
                raise MarEdgeError(f"{where}: nothing is recorded there")
            streams = {name for name, _ in self._runs}
            there = f"{', '.join(sorted(streams)) or 'none'}{did_you_mean(stream, streams)}"
            raise MarEdgeError(f"{where}: no stream '{stream}' in it; there is {there}")
        timelines = [run.timeline(name, run_id) for (name, run_id), run in runs.items()]
        return sorted(timelines, key=lambda timeline: (timeline.stream, timeline.first_ns))


@dataclass
class _Run:
    """Takes the messages of one run of a stream, in any order."""

    hello: HelloMessage | None = None
    labels: dict[Label, None] = field(default_factory=dict)
    """Those that events may have, in order; a later ``hello`` may add taught ones."""
    people: set[int] = field(default_factory=set)
    first_ns: int | None = None
    last_ns: int = 0
    newest: dict[int, EventMessage] = field(default_factory=dict)
    begins: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Event id -> the lowest number of a message about it, and the file it is in."""
    steady: SteadyTime = field(default_factory=SteadyTime)
    apart_ns: dict[int, int | None] = field(default_factory=dict)
    """Event id -> how far wall clock and media time were apart at its newest message, where that is known exactly."""
    counted: EndMessage | StatusMessage | None = None
    """The newest message that says how many frames were processed and dropped."""
    frames: int = 0
    frame: int | None = None
    span: tuple[int, int] = (0, -1)
    """The lowest and the highest number of a frame."""
    markers: list[tuple[MarkerMessage, int | None]] = field(default_factory=list)
    """Each with how far wall clock and media time were apart at its frame, where that is known exactly."""
    firsts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """File -> frame and capture time of the first thing in it."""

    def take(self, message: AnyMessage | UnknownMessage | Head, recording: str) -> None:
        if isinstance(message, Head | SkeletonMessage | LabelMessage | EventMessage):
            self.firsts.setdefault(recording, (message.frame, message.t_capture_ns))
        match message:
            case HelloMessage():
                self.hello = self.hello or message
                self.labels |= {label: None for k, label in enumerate(message.labels) if k != message.background}
            case EventMessage(event_id=event):
                self._see(message.t_capture_ns, message.person)
                self._see(message.t_start_ns, message.person)
                if event not in self.newest or message.seq > self.newest[event].seq:
                    self.newest[event] = message
                    self.apart_ns[event] = self.steady.apart_ns(message.frame)
                self.begins[event] = min(self.begins.get(event, (message.seq, recording)), (message.seq, recording))
            case MarkerMessage():
                self.markers.append((message, self.steady.apart_ns(message.frame)))
            case EndMessage() | StatusMessage():
                self.counted = max(self.counted or message, message, key=lambda about: about.seq)
            case LabelMessage():
                self._see(message.t_capture_ns, message.person)
            case Head() | SkeletonMessage():
                self._see(message.t_capture_ns, message.person)
                self.steady.see(message.frame, message.t_capture_ns, message.t_media_ns)
                if message.kind == "skeleton" and message.frame != self.frame:
                    first, last = self.span if self.frames else (message.frame, message.frame)
                    self.span = min(first, message.frame), max(last, message.frame)
                    self.frame = message.frame
                    self.frames += 1

    def _see(self, t_ns: int, person: int) -> None:
        if person != NO_PERSON:
            self.people.add(person)
        self.first_ns = t_ns if self.first_ns is None else min(t_ns, self.first_ns)
        self.last_ns = max(t_ns, self.last_ns)

    def _frames(self) -> tuple[int, int]:
        """Return how many were processed and dropped: the sender's last count, else by gaps in the frame numbers."""
        if self.counted is not None:
            return self.counted.frames, self.counted.dropped
        first, last = self.span
        return self.frames, max(last - first + 1 - self.frames, 0)

    def timeline(self, stream: str, run: str) -> Timeline:
        hello = self.hello
        zero_ns = hello.t_zero_ns if hello else self.first_ns or 0
        first_ns, last_ns = (zero_ns, zero_ns) if self.first_ns is None else (self.first_ns, self.last_ns)
        media_zero_ns = zero_ns
        if self.steady.first_ns is not None and self.steady.last_ns is not None:
            # The wall clock is asked once, where the stream begins.
            if hello is None:
                media_zero_ns = self.steady.wall_zero_ns()
            first_ns, last_ns = media_zero_ns + self.steady.first_ns, media_zero_ns + self.steady.last_ns
            self.newest = {event: self._steadied(message, media_zero_ns) for event, message in self.newest.items()}
            first_ns = min([first_ns, *(message.t_start_ns for message in self.newest.values())])
            last_ns = max([last_ns, *(message.t_capture_ns for message in self.newest.values())])
            zero_ns = media_zero_ns if hello else first_ns
        events = self._events(last_ns)
        recordings = sorted(
            ((name, self._steady_ns(t_ns, frame, None, media_zero_ns)) for name, (frame, t_ns) in self.firsts.items()),
            key=lambda first: (first[1], first[0]),
        )
        frames, dropped = self._frames()
        occurring = sorted({event.label for event in events}, key=lambda label: label.id)
        zero_ns = min(zero_ns, first_ns)  # of a recording without media time, whose wall clock was set back
        return Timeline(
            stream=stream,
            run=run,
            source=hello.source if hello else "",
            model=hello.model if hello else "",
            labels=tuple(self.labels | dict.fromkeys(occurring)),
            zero_ns=zero_ns,
            first_ns=first_ns,
            last_ns=last_ns,
            people=tuple(sorted(self.people)),
            events=events,
            media_zero_ns=media_zero_ns,
            frames=frames,
            dropped=dropped,
            recordings=tuple(recordings),
            markers=tuple(sorted(self._markers(media_zero_ns), key=lambda marker: marker.t_ns)),
        )

    def _markers(self, media_zero_ns: int) -> Iterator[TimedMarker]:
        for message, apart_ns in self.markers:
            t_ns = self._steady_ns(message.t_marker_ns, message.frame, apart_ns, media_zero_ns)
            yield TimedMarker(t_ns, message.text, message.source)

    def _steady_ns(self, t_ns: int, frame: int, apart_ns: int | None, media_zero_ns: int) -> int:
        media_ns = self.steady.media_ns(t_ns, frame, apart_ns)
        return t_ns if media_ns is None else media_zero_ns + media_ns

    def _steadied(self, event: EventMessage, media_zero_ns: int) -> EventMessage:
        """Return the same on the steady clock."""

        def steady(t_ns: int) -> int:
            return self._steady_ns(t_ns, event.frame, self.apart_ns[event.event_id], media_zero_ns)

        start_ns = steady(event.t_start_ns)
        end_ns = None if event.t_end_ns is None else max(steady(event.t_end_ns), start_ns)
        return msgspec.structs.replace(
            event, t_capture_ns=steady(event.t_capture_ns), t_start_ns=start_ns, t_end_ns=end_ns
        )

    def _events(self, last_ns: int) -> tuple[TimedEvent, ...]:
        events = []
        for message in sorted(self.newest.values(), key=lambda about: (about.t_start_ns, about.event_id)):
            end_ns = message.t_end_ns
            if end_ns is None:  # what else that person did says nothing: several events may run at once
                heard_ns = message.t_capture_ns
                end_ns = max(last_ns if last_ns - heard_ns <= _UNHEARD_NS else heard_ns, message.t_start_ns)
            events.append(
                TimedEvent(
                    event_id=message.event_id,
                    person=message.person,
                    label=message.label,
                    t_start_ns=message.t_start_ns,
                    t_end_ns=end_ns,
                    score=message.score,
                    is_open=message.t_end_ns is None,
                    recording=self.begins[message.event_id][1],
                )
            )
        return tuple(events)
