"""What happened in a recording, and when: its events, a timeline for each run of a stream. Draws and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.labels import Label
from mar_edge.streaming.recognition.thresholds import LabelChoice, chosen
from mar_edge.streaming.recording.recorded import read_lines, recording_files
from mar_edge.streaming.recording.steady_time import SteadyTime
from mar_edge.streaming.wire.messages import (
    NO_PERSON,
    SCHEMA,
    AnyMessage,
    EndMessage,
    EventMessage,
    HelloMessage,
    StatusMessage,
    UnknownMessage,
    decode,
)

NS = 1_000_000_000
NS_A_MS = 1_000_000
_NO_BODY = "other"
# Two updates of an event that lasts: whoever misses them knows nothing more of it.
_UNHEARD_NS = NS


@dataclass(frozen=True)
class TimedEvent:
    """One event of one person.

    t_start_ns, t_end_ns: ns since 1970 on the stream's steady clock: the wall clock at its beginning plus media time,
    so that no step of the wall clock moves an event. score: the highest smoothed probability, in [0, 1]. is_open: its
    end was not recorded; ``t_end_ns`` is then the last moment of the recording, or when the last message about it came,
    if more than a second lies between. recording: name of the file in which it begins.
    """

    event_id: int
    person: int
    label: Label
    t_start_ns: int
    t_end_ns: int
    score: float
    is_open: bool
    recording: str


@dataclass(frozen=True)
class Timeline:
    """One run of one stream: what was seen from a start of its sender to its end.

    source, model: "" where no ``hello`` was recorded. labels: what an event may be; without a ``hello``, what occurs.
    zero_ns: where seconds and milliseconds count from: media time 0, or what ``rezeroed`` chose. first_ns, last_ns:
    between which something was recorded. people: ids of everybody who was seen. events: by time; several of one person
    may run at once, of different labels. media_zero_ns: media time 0, at which a video's player begins; None where it
    is ``zero_ns``. frames, dropped: how many were processed, and how many were not because that took too long.
    """

    stream: str
    run: str
    source: str
    model: str
    labels: tuple[Label, ...]
    zero_ns: int
    first_ns: int
    last_ns: int
    people: tuple[int, ...]
    events: tuple[TimedEvent, ...]
    media_zero_ns: int | None = None
    frames: int = 0
    dropped: int = 0

    @property
    def origin_ms(self) -> int:
        """Where on the player's clock the timeline's times begin."""
        if self.media_zero_ns is None:
            return 0
        return (self.zero_ns - self.media_zero_ns + NS_A_MS // 2) // NS_A_MS

    @property
    def loss(self) -> str:
        """How much of it was not looked at: "519 of 660 frames were dropped"; "" where nothing is missing."""
        return f"{self.dropped} of {self.frames + self.dropped} frames were dropped" if self.dropped else ""

    def seconds(self, t_ns: int) -> float:
        """Steady clock to seconds from the beginning."""
        return (t_ns - self.zero_ns) / NS

    def milliseconds(self, t_ns: int) -> int:
        """Steady clock to whole milliseconds from the beginning, rounded."""
        return (t_ns - self.zero_ns + NS_A_MS // 2) // NS_A_MS

    def bodies(self) -> tuple[str, ...]:
        """Body groups of the labels, in their order."""
        return tuple(dict.fromkeys(map(body_of, self.labels)))

    def rezeroed(self) -> Timeline:
        """The same, its times counted from what was recorded first: for a recording that begins days into a stream."""
        return replace(
            self,
            zero_ns=self.first_ns,
            media_zero_ns=self.zero_ns if self.media_zero_ns is None else self.media_zero_ns,
        )

    def unshifted(self) -> Timeline:
        """The same, its times counted from media time 0 again."""
        return self if self.media_zero_ns is None else replace(self, zero_ns=self.media_zero_ns)

    def only(self, choice: LabelChoice, min_score: float) -> Timeline:
        """The events of the chosen labels with at least that score.

        Raises:
            MarEdgeError: the choice names what is none of the labels, or leaves none.
        """
        labels = self.labels
        if choice.only or choice.never:
            wanted = chosen(labels, None, choice)
            labels = tuple(label for label, is_wanted in zip(labels, wanted, strict=True) if is_wanted)
        events = tuple(event for event in self.events if event.label in labels and event.score >= min_score)
        return replace(self, labels=labels, events=events)


def body_of(label: Label) -> str:
    """Its body group; labels of one's own may have none."""
    return label.body or _NO_BODY


def rows_of(spans: Sequence[tuple[int, int]]) -> list[int]:
    """The row of each span (start, end), from 0: as few as keep those of one row apart. Spans come by start."""
    ends: list[int] = []
    rows = []
    for start, end in spans:
        row = next((row for row, last in enumerate(ends) if last <= start), len(ends))
        ends[row : row + 1] = [end]
        rows.append(row)
    return rows


def name_of(person: int) -> str:
    """What a person is called wherever annotations name one."""
    return f"person {person}"


def summary(timelines: Sequence[Timeline]) -> str:
    """How much there is: "6 events of 1 person in 23.6 s"."""
    events = sum(len(timeline.events) for timeline in timelines)
    people = sum(len(timeline.people) for timeline in timelines)
    recorded_s = sum((timeline.last_ns - timeline.first_ns) / NS for timeline in timelines)
    unit = clock_unit(recorded_s)
    losses = [timeline.loss for timeline in timelines if timeline.loss]
    return (
        f"{events or 'no'} {'event' if events == 1 else 'events'}"
        + (f" of {people} {'person' if people == 1 else 'people'}" if people else "")
        + f" in {clock(round(recorded_s, 1), unit)} {unit.partition(':')[0]}"
        + "".join(f"; {loss}" for loss in losses)
    )


def clock_unit(longest_s: float) -> str:
    """In what times up to that are told."""
    return "s" if longest_s < 120 else "min:s" if longest_s < 7200 else "h:min:s"


def clock(t_s: float, unit: str) -> str:
    """A time in such a unit: "1.5", "2:05", "1:00:00"."""
    minutes, seconds = divmod(round(t_s), 60)
    if unit == "s":
        return f"{t_s:g}"
    return f"{minutes}:{seconds:02}" if unit == "min:s" else f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def read_timelines(paths: Sequence[Path], stream: str | None = None) -> list[Timeline]:
    """The timelines in recordings, by stream and time.

    Args:
        paths: files of 'mar-edge record' or 'serve --record', or one folder of them, or what
            'mar-edge subscribe --json' printed; rotated parts of one run are one timeline, in whatever order they come.
        stream: only this one.

    Raises:
        MarEdgeError: there is no recording, it is damaged, or it holds no message (of that stream).
    """
    files = recording_files(paths)
    runs: dict[tuple[str, str], _Run] = {}
    streams: set[str] = set()
    for path, _, message in read_lines(files, _skim):
        streams.add(message.stream)
        if stream in (None, message.stream):
            runs.setdefault((message.stream, message.run), _Run()).take(message, path.name)
    if not runs:
        where = f"{files[0]}{f' and {len(files) - 1} more' if len(files) > 1 else ''}"
        if stream is None:
            raise MarEdgeError(f"{where}: nothing is recorded there")
        there = f"{', '.join(sorted(streams)) or 'none'}{did_you_mean(stream, streams)}"
        raise MarEdgeError(f"{where}: no stream '{stream}' in it; there is {there}")
    timelines = [run.timeline(name, run_id) for (name, run_id), run in runs.items()]
    return sorted(timelines, key=lambda timeline: (timeline.stream, timeline.first_ns))


def the_only(timelines: Sequence[Timeline], what: str) -> Timeline:
    """The one timeline that ``what``, a file of one time axis, can show.

    Raises:
        MarEdgeError: there are several.
    """
    if len(timelines) == 1:
        return timelines[0]
    streams = sorted({timeline.stream for timeline in timelines})
    if len(streams) > 1:
        raise MarEdgeError(f"{what} takes one stream; choose with --stream: {', '.join(streams)}")
    raise MarEdgeError(
        f"{what} takes one run, and stream '{streams[0]}' was started {len(timelines)} times; give the files of one run"
    )


class _Seen(msgspec.Struct, frozen=True):
    """All that is read of the messages that come by the million."""

    schema: int
    kind: str
    stream: str
    run: str
    t_capture_ns: int
    frame: int = 0
    person: int = NO_PERSON
    t_media_ns: int | None = None


_skim_json = msgspec.json.Decoder(_Seen).decode


def _skim(line: bytes) -> _Seen | AnyMessage | UnknownMessage:
    try:
        seen = _skim_json(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return decode(line)  # which says what is wrong
    if seen.kind in ("skeleton", "label") and seen.schema == SCHEMA:
        return seen
    return decode(line)


@dataclass
class _Run:
    """Takes the messages of one run of a stream, in any order."""

    hello: HelloMessage | None = None
    people: set[int] = field(default_factory=set)
    first_ns: int | None = None
    last_ns: int = 0
    newest: dict[int, EventMessage] = field(default_factory=dict)
    begins: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Event id -> the lowest number of a message about it, and the file it stands in."""
    steady: SteadyTime = field(default_factory=SteadyTime)
    apart_ns: dict[int, int | None] = field(default_factory=dict)
    """Event id -> how far wall clock and media time were apart at its newest message, where that is known exactly."""
    counted: EndMessage | StatusMessage | None = None
    """The newest message that says how many frames were processed and dropped."""
    frames: int = 0
    frame: int | None = None
    span: tuple[int, int] = (0, -1)
    """The lowest and the highest number of a frame."""

    def take(self, message: _Seen | AnyMessage | UnknownMessage, recording: str) -> None:
        match message:
            case HelloMessage():
                self.hello = self.hello or message
            case EventMessage(event_id=event):
                self._see(message.t_capture_ns, message.person)
                self._see(message.t_start_ns, message.person)
                if event not in self.newest or message.seq > self.newest[event].seq:
                    self.newest[event] = message
                    self.apart_ns[event] = self.steady.apart_ns(message.frame)
                self.begins[event] = min(self.begins.get(event, (message.seq, recording)), (message.seq, recording))
            case EndMessage() | StatusMessage():
                self.counted = max(self.counted or message, message, key=lambda about: about.seq)
            case _Seen():
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
        """Processed, dropped: as the sender said last; where it was killed, by the holes in the frames' numbers."""
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
        promised = (label for index, label in enumerate(hello.labels) if index != hello.background) if hello else ()
        frames, dropped = self._frames()
        occurring = sorted({event.label for event in events}, key=lambda label: label.id)
        zero_ns = min(zero_ns, first_ns)  # of a recording without media time, whose wall clock was set back
        return Timeline(
            stream=stream,
            run=run,
            source=hello.source if hello else "",
            model=hello.model if hello else "",
            labels=tuple(dict.fromkeys((*promised, *occurring))),
            zero_ns=zero_ns,
            first_ns=first_ns,
            last_ns=last_ns,
            people=tuple(sorted(self.people)),
            events=events,
            media_zero_ns=media_zero_ns,
            frames=frames,
            dropped=dropped,
        )

    def _steadied(self, event: EventMessage, media_zero_ns: int) -> EventMessage:
        """Return the same on the steady clock."""

        def steady(t_ns: int) -> int:
            media_ns = self.steady.media_ns(t_ns, event.frame, self.apart_ns[event.event_id])
            return t_ns if media_ns is None else media_zero_ns + media_ns

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
