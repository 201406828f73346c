"""Tables of a study: results of videos -> counts, rates and durations of each participant. Reads and draws nothing.

Videos of one participant in one condition are pooled. Rates and shares are of the time with a person in view, since
nothing can be seen in the rest. Without such time they are unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mar_edge.analysis.choices import CountPeople
from mar_edge.analysis.inputs import Video
from mar_edge.analysis.result import FoundEvent, VideoResult
from mar_edge.edge.files.tables import table_of
from mar_edge.edge.labels import Label
from mar_edge.streaming.recording.timeline import NS, body_of


@dataclass(frozen=True)
class AnalyzedVideo:
    """A video with what counts of its result.

    people: how many persons are counted. seen_ns: that at least one of them was in view for.
    is_corrected: whether the events are those of a human coder.
    """

    video: Video
    result: VideoResult
    events: tuple[FoundEvent, ...]
    people: int
    seen_ns: int
    is_corrected: bool = False


@dataclass(frozen=True)
class Tally:
    """What one participant did in one condition, of one action or body group (``label_id`` None).

    total_s: sum of all events. share: of the time with a person in view, in which somebody did it; None if there is no
    such time, as for the rate.
    """

    name: str
    body: str
    label_id: int | None
    count: int
    total_s: float
    rate: float | None
    share: float | None

    @property
    def key(self) -> tuple[str, int | None]:
        """Which action or body group it is of, in every summary."""
        return self.name, self.label_id

    @property
    def mean_s(self) -> float | None:
        """Mean duration; None without an event."""
        return self.total_s / self.count if self.count else None


@dataclass(frozen=True)
class ParticipantSummary:
    """A participant in one condition, with all videos of both.

    people: how many persons are counted. minutes: of video. seen_minutes: with a person in view.
    actions: one for each that an event may have. groups: one for each body group of those.
    """

    participant: str
    condition: str
    videos: tuple[AnalyzedVideo, ...]
    people: int
    minutes: float
    seen_minutes: float
    frames: int
    frames_dropped: int
    actions: tuple[Tally, ...]
    groups: tuple[Tally, ...]

    @property
    def events(self) -> int:
        """Number of events."""
        return sum(tally.count for tally in self.actions)

    @property
    def rate(self) -> float | None:
        """Events per minute with a person in view."""
        return self.events / self.seen_minutes if self.seen_minutes else None


def counted(video: Video, result: VideoResult, people: CountPeople, is_corrected: bool = False) -> AnalyzedVideo:
    """Return a video with the events that count.

    Args:
        is_corrected: whether the events are those of a human coder.
    """
    events, persons, seen_ns = result.events, len(result.people), result.seen_ns
    if people == "main" and result.people:
        main = max(result.people, key=lambda one: (one.seen_ns, -one.person))
        events, persons, seen_ns = tuple(event for event in events if event.person == main.person), 1, main.seen_ns
    return AnalyzedVideo(video, result, events, persons, seen_ns, is_corrected)


def summarize(videos: Sequence[AnalyzedVideo]) -> list[ParticipantSummary]:
    """Return a summary for each participant and condition, in the order of the videos."""
    pooled: dict[tuple[str, str], list[AnalyzedVideo]] = {}
    for one in videos:
        pooled.setdefault((one.video.participant, one.video.condition), []).append(one)
    labels = tuple(dict.fromkeys(label for one in videos for label in one.result.labels))
    return [_summary(*key, tuple(own), labels) for key, own in pooled.items()]


def _summary(
    participant: str, condition: str, videos: tuple[AnalyzedVideo, ...], labels: tuple[Label, ...]
) -> ParticipantSummary:
    seen_ns = sum(one.seen_ns for one in videos)
    bodies = tuple(dict.fromkeys(map(body_of, labels)))

    def tally(name: str, body: str, label_id: int | None, of: set[Label]) -> Tally:
        spans = [[(e.onset_ns, e.offset_ns) for e in one.events if e.label in of] for one in videos]
        count = sum(map(len, spans))
        total_ns = sum(offset - onset for own in spans for onset, offset in own)
        covered_ns = sum(map(_covered, spans))
        return Tally(
            name=name,
            body=body,
            label_id=label_id,
            count=count,
            total_s=total_ns / NS,
            rate=count / (seen_ns / NS / 60) if seen_ns else None,
            share=min(covered_ns / seen_ns, 1.0) if seen_ns else None,
        )

    return ParticipantSummary(
        participant=participant,
        condition=condition,
        videos=videos,
        people=sum(one.people for one in videos),
        minutes=sum(one.result.duration_ns for one in videos) / NS / 60,
        seen_minutes=seen_ns / NS / 60,
        frames=sum(one.result.frames for one in videos),
        frames_dropped=sum(one.result.frames_dropped for one in videos),
        actions=tuple(tally(label.name, body_of(label), label.id, {label}) for label in labels),
        groups=tuple(tally(body, body, None, {label for label in labels if body_of(label) == body}) for body in bodies),
    )


def _covered(spans: Iterable[tuple[int, int]]) -> int:
    """Return the length of the union of spans (start, end)."""
    covered = reached = 0
    for start, end in sorted(spans):
        covered += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return covered


_SHARED = (
    "count",
    "rate_per_minute",
    "total_duration_s",
    "mean_duration_s",
    "share_of_time",
    "videos",
    "videos_corrected",
    "people",
    "minutes",
    "minutes_with_person",
    "frames",
    "frames_dropped",
)


def write_actions(summaries: Sequence[ParticipantSummary]) -> bytes:
    """Write a row for each participant, condition and action, also for those that did not occur. CSV, UTF-8."""
    return _write(
        ("participant", "condition", "action", "body_group", "label_id"),
        summaries,
        lambda summary: summary.actions,
        lambda tally: (tally.name, tally.body, tally.label_id),
    )


def write_groups(summaries: Sequence[ParticipantSummary]) -> bytes:
    """Write the same for each body group."""
    return _write(
        ("participant", "condition", "body_group"),
        summaries,
        lambda summary: summary.groups,
        lambda tally: (tally.name,),
    )


def _write(
    columns: tuple[str, ...],
    summaries: Sequence[ParticipantSummary],
    tallies: Callable[[ParticipantSummary], Sequence[Tally]],
    named: Callable[[Tally], tuple[object, ...]],
) -> bytes:
    return table_of((*columns, *_SHARED), _rows(summaries, tallies, named))


def _rows(
    summaries: Sequence[ParticipantSummary],
    tallies: Callable[[ParticipantSummary], Sequence[Tally]],
    named: Callable[[Tally], tuple[object, ...]],
) -> Iterator[tuple[object, ...]]:
    for summary in summaries:
        about = (
            len(summary.videos),
            sum(one.is_corrected for one in summary.videos),
            summary.people,
            f"{summary.minutes:.4f}",
            f"{summary.seen_minutes:.4f}",
            summary.frames,
            summary.frames_dropped,
        )
        for tally in tallies(summary):
            numbers = (
                tally.count,
                _number(tally.rate, 4),
                f"{tally.total_s:.3f}",
                _number(tally.mean_s, 3),
                _number(tally.share, 6),
            )
            yield (summary.participant, summary.condition, *named(tally), *numbers, *about)


def _number(value: float | None, digits: int) -> str:
    """Return a number as text; nothing, which statistics programs read as missing, where it is unknown."""
    return "" if value is None else f"{value:.{digits}f}"
