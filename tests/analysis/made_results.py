"""Made-up results of videos."""

from __future__ import annotations

from mar_edge.analysis.inputs import Video
from mar_edge.analysis.result import FoundEvent, PersonSeen, VideoFile, VideoResult
from mar_edge.analysis.summary import AnalyzedVideo, counted
from mar_edge.edge.labels import ma52_labels
from mar_edge.streaming.capture.frames import NS

NOD, SHAKE, SHRUG = (ma52_labels()[place] for place in (9, 10, 2))


def result(
    *events: tuple, minutes: float = 2.0, seen: dict[int, float] | None = None, frames: int = 100
) -> VideoResult:
    """Return a result with events (label, onset_s, offset_s, person) and minutes in view of each person."""
    seen = {0: minutes} if seen is None else seen
    return VideoResult(
        name="v",
        video=VideoFile(path="/v.mp4", size=1, mtime_ns=1, sha256="0"),
        settings={},
        model="m",
        pose="p",
        runtime="r",
        files=("v.png",),
        fps=30.0,
        size=(640, 480),
        frames=100,
        frames_dropped=1,
        duration_ns=round(minutes * 60 * NS),
        seen_ns=round(max(seen.values(), default=0.0) * 60 * NS),
        people=tuple(PersonSeen(person=who, seen_ns=round(each * 60 * NS)) for who, each in seen.items()),
        labels=(SHRUG, NOD, SHAKE),
        events=tuple(
            FoundEvent(
                event_id=place,
                person=who,
                label=label,
                onset_ns=round(start_s * NS),
                offset_ns=round(end_s * NS),
                score=0.5,
            )
            for place, (label, start_s, end_s, who) in enumerate(events)
        ),
    )


def analyzed(name: str, who: str, condition: str, found: VideoResult, people: str = "all") -> AnalyzedVideo:
    return counted(Video(found.name, name, who, condition), found, people)  # type: ignore[arg-type]
