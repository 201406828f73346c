"""A timeline: the events of one run of a stream, with their times. Reads, draws and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import UNLISTED_ID, Label
from mar_edge.streaming.recognition.thresholds import LabelChoice, chosen
from mar_edge.streaming.wire.messages import NO_PERSON

NS = 1_000_000_000
NS_A_MS = 1_000_000
NO_BODY = "other"
MARKER = "LSL marker"
"""What files of annotations call the markers of other programs, where they have names for kinds of events."""


@dataclass(frozen=True)
class TimedEvent:
    """One event of one person.

    t_start_ns, t_end_ns: ns since 1970 on the stream's steady clock. That is the wall clock at its beginning plus media
    time, so a step of the wall clock moves no event.
    score: the highest smoothed probability, in [0, 1].
    is_open: its end was not recorded. ``t_end_ns`` is then the last moment of the recording. If the last message about
    the event is more than a second older than that, it is the time of the message.
    recording: name of the file in which it begins.
    coder: who coded or corrected it; "" for what the model reported.
    """

    event_id: int
    person: int
    label: Label
    t_start_ns: int
    t_end_ns: int
    score: float
    is_open: bool
    recording: str
    coder: str = ""


@dataclass(frozen=True)
class TimedMarker:
    """A marker of another program. t_ns: as of ``TimedEvent``. source: name of its stream."""

    t_ns: int
    text: str
    source: str


@dataclass(frozen=True)
class Timeline:
    """One run of one stream: everything recorded from a start of its sender to its end.

    source, model: "" where no ``hello`` was recorded.
    labels: those that an event may have; without a ``hello``, those that occur.
    zero_ns: where seconds and milliseconds count from: media time 0, or the time that ``rezeroed`` chose.
    first_ns, last_ns: times of the first and last thing recorded.
    people: ids of the people seen.
    events: by time. Several of one person may overlap, with different labels.
    media_zero_ns: media time 0, at which a video's player begins; None where it is ``zero_ns``.
    frames, dropped: how many were processed, and how many were not because that took too long.
    recordings: names of its files, with the time of the first thing in each, in order of time.
    names: the people that coders gave a name, by id.
    markers: of other programs, by time.
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
    recordings: tuple[tuple[str, int], ...] = ()
    names: tuple[tuple[int, str], ...] = ()
    markers: tuple[TimedMarker, ...] = ()

    @property
    def origin_ms(self) -> int:
        """Where on the player's clock the timeline's times begin."""
        if self.media_zero_ns is None:
            return 0
        return (self.zero_ns - self.media_zero_ns + NS_A_MS // 2) // NS_A_MS

    @property
    def loss(self) -> str:
        """The frames that were not processed: "519 of 660 frames were dropped"; "" where none is missing."""
        return f"{self.dropped} of {self.frames + self.dropped} frames were dropped" if self.dropped else ""

    def name_of(self, person: int) -> str:
        """Return the name of a person in annotations."""
        return dict(self.names).get(person, f"person {person}")

    def recording_at(self, t_ns: int) -> str:
        """Return the name of the file that holds a moment; "" if no file is known."""
        return next((name for name, first_ns in reversed(self.recordings) if first_ns <= t_ns), "") or next(
            (name for name, _ in self.recordings), ""
        )

    def seconds(self, t_ns: int) -> float:
        """Convert a time of the steady clock to seconds from the beginning."""
        return (t_ns - self.zero_ns) / NS

    def milliseconds(self, t_ns: int) -> int:
        """Convert a time of the steady clock to whole milliseconds from the beginning, rounded."""
        return (t_ns - self.zero_ns + NS_A_MS // 2) // NS_A_MS

    def bodies(self) -> tuple[str, ...]:
        """Return the body groups of the labels, in their order."""
        return tuple(dict.fromkeys(map(body_of, self.labels)))

    def rezeroed(self) -> Timeline:
        """Return the same with times counted from the first thing recorded, for a recording that begins late."""
        return replace(
            self,
            zero_ns=self.first_ns,
            media_zero_ns=self.zero_ns if self.media_zero_ns is None else self.media_zero_ns,
        )

    def unshifted(self) -> Timeline:
        """Return the same with times counted from media time 0 again."""
        return self if self.media_zero_ns is None else replace(self, zero_ns=self.media_zero_ns)

    def with_markers(self) -> Timeline:
        """Return the same with its markers as events of nobody, for files that list both. Their coder is the source."""
        least = min([0, *(event.event_id for event in self.events)])
        events = (
            TimedEvent(
                event_id=least - number,
                person=NO_PERSON,
                label=Label(UNLISTED_ID, marker.text, MARKER),
                t_start_ns=marker.t_ns,
                t_end_ns=marker.t_ns,
                score=1.0,
                is_open=False,
                recording=self.recording_at(marker.t_ns),
                coder=marker.source,
            )
            for number, marker in enumerate(self.markers, 1)
        )
        return replace(self, events=(*self.events, *events), names=(*self.names, (NO_PERSON, "")))

    def only(self, choice: LabelChoice, min_score: float) -> Timeline:
        """Return the same with only the events of the chosen labels that have at least that score.

        Raises:
            MarEdgeError: the choice names an unknown label, or leaves none.
        """
        labels = self.labels
        if choice.only or choice.never:
            wanted = chosen(labels, None, choice)
            labels = tuple(label for label, is_wanted in zip(labels, wanted, strict=True) if is_wanted)
        events = tuple(event for event in self.events if event.label in labels and event.score >= min_score)
        return replace(self, labels=labels, events=events)


def body_of(label: Label) -> str:
    """Return the label's body group, or "other". Labels of your own may have none."""
    return label.body or NO_BODY


def the_only(timelines: Sequence[Timeline], what: str, how: str = "with --stream") -> Timeline:
    """Return the one timeline that ``what``, a file with one time axis, can show.

    Raises:
        MarEdgeError: there are several.
    """
    if len(timelines) == 1:
        return timelines[0]
    streams = sorted({timeline.stream for timeline in timelines})
    if len(streams) > 1:
        raise MarEdgeError(f"{what} takes one stream; choose {how}: {', '.join(streams)}")
    raise MarEdgeError(
        f"{what} takes one run, and stream '{streams[0]}' was started {len(timelines)} times; give the files of one run"
    )
