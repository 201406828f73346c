"""What coders decided about recordings: ``corrections.csv`` and the recordings that it names, by person.

Cuts no windows. Decisions are used by their own times, so those about an earlier analysis of a video count, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.streaming.recording.corrections import CORRECTIONS_FILE, Correction, latest, read_corrections
from mar_edge.streaming.recording.participants import Participant, read_participants
from mar_edge.streaming.recording.reader import STUDY_FOLDER
from mar_edge.streaming.recording.skeletons import SkeletonRecording, read_skeletons
from mar_edge.streaming.recording.timeline import TimedEvent, Timeline
from mar_edge.streaming.recording.timeline_reader import read_timelines

# Coders' stretches are written to a millisecond.
_TOUCHING_S = 0.0015

Stretch = tuple[float, float]
"""From and to, in seconds of media time."""


@dataclass(frozen=True)
class NamedSpan:
    """A label's name and its times, in seconds of media time."""

    label: str
    start_s: float
    end_s: float

    def shares_s(self, start_s: float, end_s: float) -> float:
        """Return the duration that it shares with that time, in seconds; negative for the distance between them."""
        return min(self.end_s, end_s) - max(self.start_s, start_s)

    def is_mostly(self, other: NamedSpan) -> bool:
        """Return True if at least half of it is ``other``, of the same label."""
        half_s = (self.end_s - self.start_s) / 2
        return self.label == other.label and self.shares_s(other.start_s, other.end_s) >= half_s


@dataclass(frozen=True)
class CorrectedPerson:
    """One person of one recording, according to one coder.

    true: what happened. denied: what the model reported, and did not happen.

    undecided: what the model reported, and the coder did not decide about.

    reviewed: the stretches that the coder watched completely, by time, none touching.
    """

    person: int
    coder: str
    true: tuple[NamedSpan, ...]
    denied: tuple[NamedSpan, ...]
    undecided: tuple[NamedSpan, ...]
    reviewed: tuple[Stretch, ...]

    def is_reviewed(self, start_s: float, end_s: float) -> bool:
        """Return True if the coder watched all of that time."""
        return any(first_s <= start_s and end_s <= last_s for first_s, last_s in self.reviewed)


@dataclass(frozen=True)
class CorrectedRecording:
    """One recording and everybody in it, once for each coder."""

    path: Path
    participant: str
    skeletons: SkeletonRecording
    people: tuple[CorrectedPerson, ...]


def corrected_folder(folder: Path) -> Path:
    """Return the folder of the corrections: this one, or the folder of recordings in one that ``analyze`` wrote."""
    inside = folder / STUDY_FOLDER
    return inside if not (folder / CORRECTIONS_FILE).exists() and (inside / CORRECTIONS_FILE).exists() else folder


def name_of(folder: Path) -> str:
    """Return the name of a folder of recordings, for people: that of the study which it is part of, if any."""
    whole = folder.resolve()
    return whole.parent.name if whole.name == STUDY_FOLDER and whole.parent.name else whole.name


def read_corrected(folder: Path) -> tuple[CorrectedRecording, ...]:
    """Read the corrections of a folder and the recordings that they name.

    Raises:
        MarEdgeError: a file is missing or damaged.
    """
    rows = latest(read_corrections(folder / CORRECTIONS_FILE))
    if not rows:
        raise MarEdgeError(f"{folder / CORRECTIONS_FILE} holds no correction")
    participants = read_participants(folder)
    names = sorted({row.recording for row in rows})
    return tuple(_read(folder, name, [row for row in rows if row.recording == name], participants) for name in names)


def of_participants(
    recordings: Sequence[CorrectedRecording], wanted: Collection[str]
) -> tuple[CorrectedRecording, ...]:
    """Return the recordings of these participants; of everybody if none is named.

    Raises:
        MarEdgeError: there is no recording of one of them.
    """
    there = list(dict.fromkeys(one.participant for one in recordings))
    for name in wanted:
        if name not in there:
            raise MarEdgeError(
                f"--participants: no corrected recording of '{name}'; there are some of {', '.join(there)}"
                f"{did_you_mean(name, there)}"
            )
    return tuple(one for one in recordings if not wanted or one.participant in wanted)


def _read(
    folder: Path, name: str, rows: Sequence[Correction], participants: Mapping[str, Participant]
) -> CorrectedRecording:
    path = folder / name
    if not path.is_file():
        raise MarEdgeError(f"{folder / CORRECTIONS_FILE} corrects {name}, which is not in {folder}")
    skeletons = read_skeletons(path)
    reported = [
        _Reported(timeline.stream, timeline.run, event.event_id, event.person, _span_of(event, timeline))
        for timeline in read_timelines([path])
        for event in timeline.events
    ]
    people = tuple(
        person
        for coder in dict.fromkeys(row.coder for row in rows)
        for person in _people([row for row in rows if row.coder == coder], coder, skeletons, reported)
    )
    return CorrectedRecording(path, participants.get(path.stem, Participant(path.stem)).name, skeletons, people)


class _Reported(NamedTuple):
    """An event of the model."""

    stream: str
    run: str
    event_id: int
    person: int
    span: NamedSpan


def _span_of(event: TimedEvent, timeline: Timeline) -> NamedSpan:
    return NamedSpan(event.label.name, timeline.seconds(event.t_start_ns), timeline.seconds(event.t_end_ns))


def _people(
    rows: Sequence[Correction], coder: str, skeletons: SkeletonRecording, reported: Sequence[_Reported]
) -> Iterator[CorrectedPerson]:
    """Yield everybody that one coder saw in one recording."""
    watched_all = any(row.is_reviewed and row.person is None for row in rows)
    named = {row.person for row in rows}
    decided = {(row.stream, row.run, row.event_id) for row in rows}
    for person in dict.fromkeys(track.person for track in skeletons.tracks):
        if not watched_all and person not in named:
            continue
        mine = [row for row in rows if row.person in (person, None)]
        true = tuple(_true(row) for row in mine if row.status in {"confirmed", "changed", "added"})
        denied = tuple(_denied(row) for row in mine if row.status == "rejected" or _is_relabeled(row))
        undecided = tuple(
            event.span
            for event in reported
            if event.person == person
            and (event.stream, event.run, event.event_id) not in decided
            # Of another analysis of the video, whose events have other numbers.
            and not any(event.span.is_mostly(span) for span in (*true, *denied))
        )
        stretches = _joined((row.start_s, row.end_s) for row in mine if row.is_reviewed)
        yield CorrectedPerson(person, coder, true, denied, undecided, stretches)


def _true(row: Correction) -> NamedSpan:
    return NamedSpan(row.label, row.start_s, row.end_s)


def _is_relabeled(row: Correction) -> bool:
    return row.status == "changed" and row.label != row.machine_label


def _denied(row: Correction) -> NamedSpan:
    start_s = row.start_s if row.machine_start_s is None else row.machine_start_s
    end_s = row.end_s if row.machine_end_s is None else row.machine_end_s
    return NamedSpan(row.machine_label or row.label, start_s, end_s)


def _joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return stretches by time, those that touch or overlap as one."""
    joined: list[Stretch] = []
    for stretch in sorted(stretches):
        if joined and stretch[0] <= joined[-1][1] + _TOUCHING_S:
            joined[-1] = joined[-1][0], max(joined[-1][1], stretch[1])
        else:
            joined.append(stretch)
    return tuple(joined)
