"""Read tables of events: our CSV, those of coders, BIDS events, and both exports of BORIS (tabular and aggregated).

The header says which it is. Spreadsheets may have saved it (``edge.files.tables``). Seconds win over the ``t_..._ns``
columns: those are what a coder edits.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.tables import Row, Table, read_table
from mar_edge.edge.labels import UNLISTED_ID, Label, label_named
from mar_edge.streaming.recording.recorder import SUFFIX
from mar_edge.streaming.recording.timeline import NO_BODY, NS, NS_A_MS, Timeline
from mar_edge.view.annotations.boris_reader import Mark, dated_ns, observed, subject_of
from mar_edge.view.annotations.coded import CodedEvent, ReadFile, foreign_facts, timeline_of
from mar_edge.view.annotations.facts import Facts, find_facts

# BORIS puts the facts about an observation above its header.
_MOST_LINES_ABOVE = 100
_WHOLE = re.compile(r"-?[0-9]{1,18}|[0-9]{19}", re.ASCII)
_MISSING = ("", "NA", "n/a")
_VIDEO = "Media file name"


@dataclass(frozen=True)
class _Columns:
    """Names of the columns of a table with a row for each event; "" where there is no such column."""

    start: str
    label: str
    end: str = ""
    duration: str = ""
    person: str = "person"
    body: str = "body"
    recording: str = "recording"

    def are_in(self, table: Table) -> bool:
        """Return whether a table has what is needed."""
        return {self.start, self.label, self.end or self.duration} <= set(table.columns)


_OURS = _Columns("start_s", "label", end="end_s")
_AGGREGATED = _Columns(
    "Start (s)", "Behavior", end="Stop (s)", person="Subject", body="Behavioral category", recording="Observation id"
)
_BIDS = _Columns("onset", "trial_type", duration="duration", body="body_group")
_LAYOUTS = (_OURS, _AGGREGATED, _BIDS)


def read_events(path: Path) -> ReadFile:
    """Read a table.

    Raises:
        MarEdgeError: it cannot be read, lacks columns, or a row is wrong. The error names the line.
    """
    table = read_table(path)
    for index, (_, cells) in enumerate(table.lines[:_MOST_LINES_ABOVE]):
        if {"Behavior", "Time"} <= set(cells):
            above = {line[0].casefold(): line[1] for _, line in table.lines[:index] if len(line) > 1}
            return _read_tabular(table.below(index), above.get("observation id", path.stem))
    columns = next((each for each in _LAYOUTS if each.are_in(table)), None)
    if columns is None:
        expected = "; ".join(f"{each.start}, {each.end or each.duration}, {each.label}" for each in _LAYOUTS)
        raise MarEdgeError(
            f"{path} has the columns {', '.join(table.columns) or 'none'}; expected {expected}; or Behavior, Behavior "
            "type, Time"
        )
    groups: dict[str, list[Row]] = {}
    for row in table.rows():
        run = "/".join(row.fields.get(name, "") for name in ("stream", "run")).strip("/")
        groups.setdefault(run or row.fields.get(columns.recording, ""), []).append(row)
    if not groups:  # a coder who found nothing
        return ReadFile((timeline_of([], foreign_facts(path.stem)),))
    return ReadFile(tuple(_timeline(rows, columns, path) for rows in groups.values()))


def recording_name(text: str) -> str:
    """Return the name of a recording that a coder calls by its name, without its suffix, or by that of its video."""
    name = PurePosixPath(text.replace("\\", "/")).name
    is_video = (mimetypes.guess_type(name)[0] or "").startswith("video/")
    return (name.rpartition(".")[0] if is_video else name.removesuffix(SUFFIX)) + SUFFIX


def _timeline(rows: list[Row], columns: _Columns, path: Path) -> Timeline:
    zero_ns = next(_zeros(rows, columns), 0)
    events = [_event(row, columns, zero_ns, path) for row in rows]
    starts: dict[str, int] = {}
    for event in events:
        starts[event.recording] = min(event.start_ns, starts.get(event.recording, event.start_ns))
    fields = rows[0].fields
    first = min(starts, key=lambda name: starts[name])
    facts = Facts(
        stream=fields.get("stream") or first.removesuffix(SUFFIX),
        run=fields.get("run", ""),
        zero_ns=zero_ns,
        first_ns=zero_ns,
        last_ns=zero_ns,
        frames=_whole(fields.get("frames", "")) or 0,
        dropped=_whole(fields.get("frames_dropped", "")) or 0,
        recordings=tuple(
            (name, zero_ns + start_ns) for name, start_ns in sorted(starts.items(), key=lambda item: item[::-1])
        ),
        names=tuple(dict.fromkeys(_names(rows, columns))),
    )
    return timeline_of(events, facts, labels=tuple(_own_labels(rows, columns)))


def _event(row: Row, columns: _Columns, zero_ns: int, path: Path) -> CodedEvent:
    fields = row.fields
    start_s = row.seconds(columns.start)
    end = fields.get(columns.end or columns.duration, "")
    end_s = start_s
    if end not in _MISSING:
        end_s = row.seconds(columns.end) if columns.end else start_s + row.seconds(columns.duration)
    if end_s < start_s:
        raise MarEdgeError(f"{row.where}: an event from {start_s:g} to {end_s:g} s; expected a start before the end")
    label = " ".join(fields[columns.label].split())
    if not label:
        raise MarEdgeError(f"{row.where}: {columns.label} is empty; expected the name of an action")
    score = row.seconds("score") if fields.get("score", "") not in _MISSING else 1.0
    if not 0 <= score <= 1:
        raise MarEdgeError(f"{row.where}: score is {score:g}; expected 0 to 1")
    stated_end_ns = _whole(fields.get("t_end_ns", ""))
    end_ns = _exact_ns(end_s, stated_end_ns, zero_ns)
    is_edited = stated_end_ns is not None and end_ns != stated_end_ns - zero_ns
    return CodedEvent(
        label=label,
        person=fields.get("person_name") or subject_of(fields.get(columns.person, "")),
        start_ns=_exact_ns(start_s, _whole(fields.get("t_start_ns", "")), zero_ns),
        end_ns=end_ns,
        coder=fields.get("coder", ""),
        body=_body(fields, columns),
        score=score,
        is_open=end in _MISSING or (fields.get("open") == "1" and not is_edited),
        recording=_recording(fields, columns, path),
        event_id=_whole(fields.get("event_id", "")),
    )


def _recording(fields: Mapping[str, str], columns: _Columns, path: Path) -> str:
    named = (fields.get(column, "") for column in (_VIDEO, columns.recording))
    return recording_name(next((name for name in named if name not in _MISSING), path.stem))


def _names(rows: list[Row], columns: _Columns) -> Iterator[tuple[int, str]]:
    """Yield numbers and names of people, where rows have both."""
    for row in rows:
        number, name = _whole(row.fields.get(columns.person, "")), row.fields.get("person_name", "")
        if number is not None and name:
            yield number, name


def _zeros(rows: list[Row], columns: _Columns) -> Iterator[int]:
    """Yield the moment where seconds begin, from the rows that tell it, ns since 1970."""
    for row in rows:
        zero_ns = _whole(row.fields.get("t_zero_ns", ""))
        start_ns = _whole(row.fields.get("t_start_ns", ""))
        if zero_ns is not None:
            yield zero_ns
        elif start_ns is not None:
            yield start_ns - round(row.seconds(columns.start) * NS)


def _exact_ns(t_s: float, stated_ns: int | None, zero_ns: int) -> int:
    """Return a time from ``zero_ns``: the stated one, if the seconds are that one rounded to a millisecond."""
    own_ns = round(t_s * NS)
    exact_ns = own_ns if stated_ns is None else stated_ns - zero_ns
    return exact_ns if abs(exact_ns - own_ns) <= 0.51 * NS_A_MS else own_ns


def _own_labels(rows: list[Row], columns: _Columns) -> Iterator[Label]:
    """Yield the labels of a set of the user's own, which rows number."""
    seen: set[str] = set()
    for row in rows:
        name = " ".join(row.fields[columns.label].split())
        number = _whole(row.fields.get("label_id", ""))
        if name not in seen and number is not None and label_named(name).id == UNLISTED_ID:
            yield Label(number, name, _body(row.fields, columns))
        seen.add(name)


def _body(fields: Mapping[str, str], columns: _Columns) -> str:
    body = fields.get(columns.body, "")
    return "" if body in {NO_BODY, *_MISSING} else body


def _whole(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) else None


def _read_tabular(table: Table, observation: str) -> ReadFile:
    """Read the rows of START, STOP and POINT that BORIS exports."""
    kind = next((name for name in ("Behavior type", "Status") if name in table.columns), None)
    if kind is None:
        raise MarEdgeError(f"{table.source} has no column 'Behavior type', which says START, STOP or POINT")
    groups: dict[str, list[Row]] = {}
    for row in table.rows():
        groups.setdefault(row.fields.get("Observation id") or observation, []).append(row)
    timelines, notes = [], []
    for name, rows in groups.items():
        first = rows[0].fields
        facts = find_facts([first.get("Description", "")])
        if facts is None:
            video = first.get(_VIDEO) or first.get("Media file path") or ""
            stem = recording_name(video).removesuffix(SUFFIX) if video not in _MISSING else name
            facts = foreign_facts(stem, dated_ns(first.get("Observation date", "")), stream=name)
        timeline, own_notes = observed([_mark(row, kind) for row in rows], facts)
        timelines.append(timeline)
        notes += [f"observation '{name}': {note}" for note in own_notes]
    return ReadFile(tuple(timelines), tuple(notes))


def _mark(row: Row, kind: str) -> Mark:
    fields = row.fields
    behavior = " ".join(fields["Behavior"].split())
    if not behavior or fields[kind] not in {"START", "STOP", "POINT"}:
        raise MarEdgeError(f"{row.where}: expected a behavior and START, STOP or POINT, not '{fields[kind]}'")
    offset_s = row.seconds("Time offset (s)") if fields.get("Time offset (s)", "") not in _MISSING else 0.0
    modifiers = [text for name, text in fields.items() if name.startswith("Modifier") and text not in _MISSING]
    return Mark(
        t_s=row.seconds("Time") - offset_s,
        subject=subject_of(fields.get("Subject", "")),
        behavior=behavior,
        modifiers="|".join(modifiers),
        comment="" if fields.get("Comment", "") in _MISSING else fields["Comment"],
        kind=fields[kind],
        body=_body(fields, _AGGREGATED),
    )
