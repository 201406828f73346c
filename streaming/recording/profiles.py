"""Activity profiles of recordings, with final onsets and offsets; and a baseline from a recording. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.streaming.choices import Kind
from mar_edge.streaming.recognition.activity import ActivityProfile, PersonProfile, ProfileRules
from mar_edge.streaming.recognition.tally import Tally, regions_in_view
from mar_edge.streaming.recording.profile_follower import ProfileFollower
from mar_edge.streaming.recording.reader import Head, Recorded, read_messages, recording_files
from mar_edge.streaming.recording.steady_time import SteadyTime
from mar_edge.streaming.recording.timeline import NS, Timeline, the_only
from mar_edge.streaming.recording.timeline_reader import TimelineReader
from mar_edge.streaming.wire.messages import EndMessage, LabelMessage, UnknownMessage

# Of a baseline recording's time: a person in view for less is not the one that it shows.
_PASSER_BY = 0.1
# Far more than anybody reads: half a year of the default step. Damaged times would never end.
_MOST_MOMENTS = 3_000_000
_HEADS_OF: tuple[Kind, ...] = ("skeleton",)


@dataclass(frozen=True)
class Sighting:
    """A time in which a person was in view, on the steady clock of a timeline.

    visible: the regions of the body that were; empty if that is not known.
    """

    person: int
    start_ns: int
    end_ns: int
    visible: tuple[str, ...]


@dataclass(frozen=True)
class ObservedTimeline:
    """A timeline, with what can be known of everybody's time in view.

    sightings: by time; those of one person may overlap.
    """

    timeline: Timeline
    sightings: tuple[Sighting, ...]

    @property
    def recording(self) -> str:
        """Name of the first file of it."""
        return self.timeline.recording_at(self.timeline.first_ns)


def read_observed(paths: Sequence[Path], stream: str | None = None) -> list[ObservedTimeline]:
    """Return the timelines in recordings with everybody's time in view, by stream and time.

    Args:
        paths, stream: as for ``read_timelines``.

    Raises:
        MarEdgeError: as ``read_timelines``; also where no label message says who was in view.
    """
    reader, runs = TimelineReader(), dict[tuple[str, str], _Run]()
    files = recording_files(paths)
    for recorded in read_messages(files, heads_of=_HEADS_OF):
        reader.take(recorded)
        message = recorded.message
        runs.setdefault((message.stream, message.run), _Run()).take(message)
    observed = []
    for timeline in reader.timelines(files, stream):
        run = runs[timeline.stream, timeline.run]
        observed.append(ObservedTimeline(timeline, run.sightings(_media_zero_ns(timeline))))
        if timeline.events and not run.seen:
            raise MarEdgeError(
                f"{observed[-1].recording}: no label message says how long anybody was in view; use recordings of "
                "'mar-edge serve --record', or 'subscribe --json' without --kind"
            )
    return observed


@dataclass
class _Run:
    """Takes the messages of one run of a stream, in any order of its files."""

    steady: SteadyTime = field(default_factory=SteadyTime)
    seen: list[tuple[Sighting, int, int | None]] = field(default_factory=list)
    """On the wall clock; with the number of the frame, and the exact distance of the clocks there, if it is known."""

    def take(self, message: object) -> None:
        if isinstance(message, Head):
            self.steady.see(message.frame, message.t_capture_ns, message.t_media_ns)
        elif isinstance(message, LabelMessage):
            sighting = Sighting(message.person, message.t_start_ns, message.t_end_ns, message.visible)
            self.seen.append((sighting, message.frame, self.steady.apart_ns(message.frame)))

    def sightings(self, zero_ns: int) -> tuple[Sighting, ...]:
        """Return the sightings on the steady clock. ``zero_ns``: media time 0 on it."""

        def steady(t_ns: int, frame: int, apart_ns: int | None) -> int:
            media_ns = self.steady.media_ns(t_ns, frame, apart_ns)
            return t_ns if media_ns is None else zero_ns + media_ns

        found = (
            replace(one, start_ns=steady(one.start_ns, frame, apart_ns), end_ns=steady(one.end_ns, frame, apart_ns))
            for one, frame, apart_ns in self.seen
        )
        return tuple(sorted(found, key=lambda one: (one.start_ns, one.end_ns)))


def profiles_of(
    observed: ObservedTimeline,
    rules: ProfileRules,
    baseline: Tally | None = None,
    span: tuple[int, int] | None = None,
) -> list[PersonProfile]:
    """Return the profiles at each multiple of the step, up to the first after the end, by time and person.

    Each event is in every window that holds its onset or a part of it, whenever it was recognized.

    Args:
        baseline: from another recording; None for each person's own.
        span: only windows that end from the first time to before the second one, ns on the steady clock.

    Raises:
        MarEdgeError: the times in the recording are too far apart.
    """
    timeline, step_ns = observed.timeline, rules.step_ns
    activity = ActivityProfile(rules, None if baseline is None else baseline.only(timeline.labels))
    bodies, labels = _bodies(timeline), occurring(timeline)
    sightings, events = list(observed.sightings[::-1]), list(timeline.events[::-1])
    first = (timeline.first_ns - timeline.zero_ns) // step_ns + 1
    last = (timeline.last_ns - timeline.zero_ns) // step_ns + 1
    if span is not None:
        first = max(first, -((timeline.zero_ns - span[0]) // step_ns))
        last = min(last, (span[1] - 1 - timeline.zero_ns) // step_ns)
    if last - first > _MOST_MOMENTS:
        days = (timeline.last_ns - timeline.first_ns) / NS / 86400
        raise MarEdgeError(
            f"{observed.recording}: {days:.0f} days of profiles; did a clock jump? Else use longer steps"
        )
    found = []
    for tick in range(first, last + 1):
        end_ns = timeline.zero_ns + tick * step_ns
        while sightings and sightings[-1].start_ns < end_ns:
            one = sightings.pop()
            activity.see(one.person, one.start_ns, one.end_ns, one.visible)
        while events and events[-1].t_start_ns < end_ns:
            event = events.pop()
            activity.event(event.person, event.event_id, event.label, event.t_start_ns, event.t_end_ns)
        found += activity.profiles(end_ns, bodies, labels, timeline.last_ns)
    return found


def live_profiles(
    paths: Sequence[Path],
    timelines: Iterable[Timeline],
    rules: ProfileRules,
    baseline: Tally | None = None,
    min_score: float = 0.0,
) -> list[list[PersonProfile]]:
    """Return the profiles that ``serve --profile`` sends with these rules, for each timeline of these recordings.

    Args:
        paths: files of recordings, or one folder of them, in the order in which they were written.
        timelines: of these files; only their labels count.
        min_score: lowest score of an event.

    Raises:
        MarEdgeError: skeletons do not carry media time, or do not come in order. The error names the line.
    """
    followed = {
        (timeline.stream, timeline.run): _Followed(timeline, rules, baseline, min_score) for timeline in timelines
    }
    for recorded in read_messages(recording_files(paths), heads_of=_HEADS_OF):
        run = followed.get((recorded.message.stream, recorded.message.run))
        if run is not None:
            run.take(recorded)
    return [run.found for run in followed.values()]


class _Followed:
    """Follows one run of a stream through its recording."""

    def __init__(self, timeline: Timeline, rules: ProfileRules, baseline: Tally | None, min_score: float) -> None:
        labels, self._bodies = frozenset(timeline.labels), _bodies(timeline)
        self._zero_ns = _media_zero_ns(timeline)
        self._frame: tuple[int, int] | None = None
        self._media_ns = 0
        self.found: list[PersonProfile] = []
        self._follower = ProfileFollower(
            rules, baseline, occurring(timeline), lambda event: event.label in labels and event.score >= min_score
        )

    def take(self, recorded: Recorded) -> None:
        message = recorded.message
        if isinstance(message, Head):
            self._take_skeleton(recorded, message)
        elif not isinstance(message, UnknownMessage):
            self._follower.take(message)
            if isinstance(message, EndMessage):
                self._add(self._follower.finish())

    def _take_skeleton(self, recorded: Recorded, head: Head) -> None:
        if head.t_media_ns is None:
            raise recorded.error("a skeleton without media time, of an old version; profiles as live need it")
        if self._frame == (head.segment, head.frame):
            return
        if self._frame is not None and head.t_media_ns < self._media_ns:
            raise recorded.error(f"frame {head.frame} comes after a later one; files out of order?")
        self._frame, self._media_ns = (head.segment, head.frame), head.t_media_ns
        self._add(self._follower.begin_frame(head.t_capture_ns, head.t_media_ns))

    def _add(self, profiles: Iterable[PersonProfile]) -> None:
        self.found += [
            replace(
                one,
                start_ns=self._zero_ns + one.start_ns,
                end_ns=self._zero_ns + one.end_ns,
                bodies=tuple(body for body in one.bodies if body.name in self._bodies),
            )
            for one in profiles
        ]


def baseline_of(observed: Sequence[ObservedTimeline]) -> Tally:
    """Return what the person of a recording did throughout it.

    Args:
        observed: of one person; one timeline.

    Raises:
        MarEdgeError: there are several timelines, no person is in it, or several people are.
    """
    timeline = the_only([one.timeline for one in observed], "a baseline", "a file of one of them")
    tallies: dict[int, Tally] = {}
    until_ns: dict[int, int] = {}
    for one in observed[0].sightings:
        tally = tallies.setdefault(one.person, Tally(one.start_ns, timeline.last_ns + 1))
        start_ns = max(one.start_ns, until_ns.get(one.person, one.start_ns))
        tally.see(start_ns, one.end_ns, regions_in_view(one.visible))
        until_ns[one.person] = max(one.end_ns, start_ns)
    person = _person_shown({person: tally.in_view_s() for person, tally in tallies.items()}, observed[0].recording)
    for event in timeline.events:
        if event.person == person:
            tallies[person].add(event.label, event.t_start_ns, event.t_end_ns)
    return replace(tallies[person], end_ns=until_ns[person])


def _person_shown(in_view_s: dict[int, float], recording: str) -> int:
    """Return the person that a baseline recording shows."""
    if not in_view_s:
        raise MarEdgeError(f"{recording}: no person is in view in this baseline recording")
    person = max(in_view_s, key=lambda person: in_view_s[person])
    if sum(seconds >= _PASSER_BY * in_view_s[person] for seconds in in_view_s.values()) > 1:
        shown = ", ".join(f"person {each} for {seconds:.0f} s" for each, seconds in sorted(in_view_s.items()))
        raise MarEdgeError(f"{recording}: a baseline recording shows one person, this one {shown}")
    return person


def occurring(timeline: Timeline) -> tuple[Label, ...]:
    """Return the labels of a timeline's events, by id."""
    return tuple(sorted({event.label for event in timeline.events}, key=lambda label: (label.id, label.name)))


def _bodies(timeline: Timeline) -> tuple[str, ...]:
    return tuple(dict.fromkeys(label.body for label in timeline.labels))


def _media_zero_ns(timeline: Timeline) -> int:
    return timeline.zero_ns if timeline.media_zero_ns is None else timeline.media_zero_ns
