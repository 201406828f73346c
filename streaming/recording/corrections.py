"""Corrections of recordings by human coders: ``corrections.csv`` in the folder of the recordings, a row per decision.

Seconds are those of ``labels.csv``: on the media clock of the recording. Knows no page and no annotation program.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, get_args

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.files.tables import LONGEST_S, Row, read_table, table_of
from mar_edge.edge.labels import label_named
from mar_edge.streaming.recording.timeline import NS, TimedEvent, Timeline

CORRECTIONS_FILE = "corrections.csv"
Status = Literal["confirmed", "rejected", "changed", "added", "reviewed"]
"""There is no event that is rejected. Label or edges are changed. The model missed one that is added.

In a stretch of time that was reviewed, nothing happened but the other events.
"""
LONGEST_CODER = 100
_LONGEST_TEXT = 1000
_LARGEST_INT = 1 << 62
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff\u2028\u2029]")
# Half of the millisecond to which times are written: an edge this close to the machine's was not moved.
_UNMOVED_S = 0.00051


@dataclass(frozen=True)
class Correction:
    """One decision of a coder.

    Attributes:
        recording: Name of the file.
        stream, run: Of its messages.
        event_id: Id of the event; negative if ``status`` is "added", None if it is "reviewed".
        person: Id of the person; None where a stretch was reviewed for all people.
        status: One of ``Status``.
        label: Name of the label after the correction.
        start_s, end_s: Edges after the correction.
        machine_label: As the model reported it; "" for an added event.
        machine_start_s, machine_end_s: As the model reported them; None for an added event.
        coder: Name of the coder.
        corrected_at: Time of the decision, with a time zone.

    Raises:
        MarEdgeError: a field that does not fit the others, or is out of range.
    """

    recording: str
    stream: str
    run: str
    event_id: int | None
    person: int | None
    status: Status
    label: str
    start_s: float
    end_s: float
    machine_label: str
    machine_start_s: float | None
    machine_end_s: float | None
    coder: str
    corrected_at: datetime

    def __post_init__(self) -> None:
        if self.status not in get_args(Status):
            raise MarEdgeError(f"status is {', '.join(get_args(Status))}, not '{self.status}'")
        if not self.recording or Path(self.recording).name != self.recording or "\\" in self.recording:
            raise MarEdgeError(f"recording is the name of a file in the same folder, not '{self.recording}'")
        for name in ("recording", "stream", "run", "label", "machine_label"):
            _check_text(name, getattr(self, name), _LONGEST_TEXT)
        _check_text("coder", self.coder, LONGEST_CODER)
        if not (self.stream and self.run and self.coder):
            raise MarEdgeError("stream, run and coder have a value in every row")
        self._check_ids()
        if not self.label and self.status not in {"rejected", "reviewed"}:
            raise MarEdgeError(f"an event that is {self.status} has a label")
        # An event that the model reports may have no length, and begin a little before the first frame.
        if not (-LONGEST_S <= self.start_s <= self.end_s <= LONGEST_S):
            raise MarEdgeError(f"from {self.start_s} to {self.end_s} s; expected start_s before end_s")
        for moment_s in (self.machine_start_s, self.machine_end_s):
            if moment_s is not None and not abs(moment_s) <= LONGEST_S:
                raise MarEdgeError(f"machine_start_s and machine_end_s are seconds, not {moment_s}")
        if self.corrected_at.tzinfo is None:
            raise MarEdgeError(f"corrected_at is a time in UTC, not {self.corrected_at}")

    def _check_ids(self) -> None:
        if (self.event_id is None) != self.is_reviewed:
            raise MarEdgeError("event_id is empty where a stretch was reviewed, and a number everywhere else")
        if self.event_id is not None and (
            (self.event_id < 0) != (self.status == "added") or abs(self.event_id) > _LARGEST_INT
        ):
            raise MarEdgeError(f"event_id {self.event_id}: expected a negative one for an added event, else 0 or more")
        if self.person is None and not self.is_reviewed:
            raise MarEdgeError("an event has a person")
        if self.person is not None and not 0 <= self.person <= _LARGEST_INT:
            raise MarEdgeError(f"person is the number of a person, not {self.person}")

    @property
    def is_reviewed(self) -> bool:
        """Whether it is about a stretch of time and not about an event."""
        return self.status == "reviewed"


COLUMNS = tuple(field.name for field in fields(Correction))


def read_corrections(path: Path) -> list[Correction]:
    """Return the rows of ``corrections.csv``, also where a spreadsheet saved it, in the file's order.

    Raises:
        MarEdgeError: it cannot be read, lacks a column or a row is wrong. The error names the line.
    """
    table = read_table(path)
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise MarEdgeError(f"{path}: no column {', '.join(missing)}; a file of corrections has {','.join(COLUMNS)}")
    return [_parsed(row) for row in table.rows()]


def write_corrections(path: Path, rows: Sequence[Correction]) -> None:
    """Write ``corrections.csv`` whole, UTF-8, seconds to a millisecond.

    Raises:
        MarEdgeError: it cannot be written. What was there is unchanged then.
    """
    write_whole(path, table_of(COLUMNS, ([_cell(getattr(row, column)) for column in COLUMNS] for row in rows)))


def latest(rows: Sequence[Correction]) -> list[Correction]:
    """Return the rows that count: the last one about each event by each coder, and all about reviewed stretches.

    Added events are numbered in each recording. The others are the model's, which numbers them throughout a run.
    """
    last: dict[object, Correction] = {}
    for place, row in enumerate(rows):
        numbered_in = row.recording if row.status == "added" else ""
        last[place if row.event_id is None else (numbered_in, row.stream, row.run, row.event_id, row.coder)] = row
    return list(last.values())


def corrected_events(
    timeline: Timeline, rows: Sequence[Correction], coder: str | None = None
) -> tuple[TimedEvent, ...]:
    """Return the events of a timeline after corrections, by time. Those decided about name their coder.

    Events without a decision remain as they are. An edge that was not moved keeps its nanoseconds.

    Args:
        timeline: not ``rezeroed``; rows of other streams and runs are left out.
        rows: in the file's order.
        coder: whose decisions; None takes those of the only coder.

    Raises:
        MarEdgeError: there are several coders, or not this one. Also where a row is about an event that the timeline
            does not have.
    """
    coder = coder_of(rows, coder)
    events = {event.event_id: event for event in timeline.events}
    added: list[TimedEvent] = []
    for row in latest(rows):
        if (row.stream, row.run, row.coder) != (timeline.stream, timeline.run, coder) or row.event_id is None:
            continue
        if row.status == "added":
            added.append(_added(row, timeline))
        elif row.event_id not in events:
            raise MarEdgeError(
                f"{CORRECTIONS_FILE} corrects event {row.event_id} of stream '{row.stream}', which {row.recording} "
                "does not have; give the recordings that were corrected"
            )
        elif row.status == "rejected":
            del events[row.event_id]
        else:
            events[row.event_id] = _changed(events[row.event_id], row, timeline)
    if len({event.event_id for event in added}) < len(added):  # those of several recordings of one run
        added = [replace(event, event_id=-number) for number, event in enumerate(added, 1)]
    return tuple(sorted((*events.values(), *added), key=lambda event: (event.t_start_ns, event.event_id)))


def corrected(timeline: Timeline, rows: Sequence[Correction], coder: str | None = None) -> Timeline:
    """Return a timeline with its events after corrections (``corrected_events``), and their labels and people."""
    events = corrected_events(timeline, rows, coder)
    return replace(
        timeline,
        events=events,
        labels=tuple(dict.fromkeys((*timeline.labels, *(event.label for event in events)))),
        people=tuple(sorted({*timeline.people, *(event.person for event in events)})),
    )


def coder_of(rows: Sequence[Correction], coder: str | None) -> str | None:
    """Return the coder to use: the given one, else the only one; None if there are no rows.

    Raises:
        MarEdgeError: there are several, or not this one.
    """
    coders = list(dict.fromkeys(row.coder for row in rows))
    if coder is not None and coder not in coders:
        names = ", ".join(coders) or "nobody"
        raise MarEdgeError(f"no corrections by '{coder}'; there are some by {names}{did_you_mean(coder, coders)}")
    if coder is None and len(coders) > 1:
        raise MarEdgeError(f"corrections of several coders; choose one with --coder: {', '.join(coders)}")
    return coder if coder is not None else next(iter(coders), None)


def _added(row: Correction, timeline: Timeline) -> TimedEvent:
    assert row.event_id is not None
    assert row.person is not None
    return TimedEvent(
        event_id=row.event_id,
        person=row.person,
        label=label_named(row.label, timeline.labels),
        t_start_ns=timeline.zero_ns + round(row.start_s * NS),
        t_end_ns=timeline.zero_ns + round(row.end_s * NS),
        score=1.0,
        is_open=False,
        recording=row.recording,
        coder=row.coder,
    )


def _changed(event: TimedEvent, row: Correction, timeline: Timeline) -> TimedEvent:
    def moved(t_ns: int, now_s: float) -> int:
        is_same = abs(timeline.seconds(t_ns) - now_s) <= _UNMOVED_S
        return t_ns if is_same else timeline.zero_ns + round(now_s * NS)

    if row.status == "confirmed":
        return replace(event, coder=row.coder)
    return replace(
        event,
        label=label_named(row.label, timeline.labels),
        t_start_ns=(start_ns := moved(event.t_start_ns, row.start_s)),
        t_end_ns=max(moved(event.t_end_ns, row.end_s), start_ns),
        is_open=False,
        coder=row.coder,
    )


def _check_text(name: str, text: str, longest: int) -> None:
    if len(text) > longest or text != text.strip() or _UNPRINTABLE.search(text):
        raise MarEdgeError(f"{name} is one line of at most {longest} characters, not {text[:longest]!r}")


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else value


def _parsed(row: Row) -> Correction:
    texts = row.fields

    def number(column: str) -> int | None:
        try:
            return int(texts[column]) if texts[column] else None
        except ValueError:
            raise MarEdgeError(f"{column} is a whole number, not '{texts[column]}'") from None

    def seconds(column: str) -> float | None:
        return row.seconds(column) if texts[column] else None

    start_s, end_s = row.seconds("start_s"), row.seconds("end_s")
    machine_s = seconds("machine_start_s"), seconds("machine_end_s")
    try:
        corrected_at = datetime.fromisoformat(texts["corrected_at"].replace("Z", "+00:00"))
    except ValueError:
        raise MarEdgeError(
            f"{row.where}: corrected_at is '{texts['corrected_at']}'; expected a time as 2026-01-31T12:00:00Z"
        ) from None
    try:
        return Correction(
            recording=texts["recording"],
            stream=texts["stream"],
            run=texts["run"],
            event_id=number("event_id"),
            person=number("person"),
            status=texts["status"],  # type: ignore[arg-type]  # it checks that itself
            label=texts["label"],
            start_s=start_s,
            end_s=end_s,
            machine_label=texts["machine_label"],
            machine_start_s=machine_s[0],
            machine_end_s=machine_s[1],
            coder=texts["coder"],
            corrected_at=corrected_at,
        )
    except MarEdgeError as error:
        raise MarEdgeError(f"{row.where}: {error}") from None
