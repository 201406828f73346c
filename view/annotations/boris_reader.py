"""Read projects of BORIS, our own and those of coders. Untrusted JSON: types and numbers are checked.

A state event is two entries of one subject, behavior and modifiers; BORIS pairs them in order of time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.tables import LONGEST_S, read_limited
from mar_edge.edge.labels import Label, label_named
from mar_edge.streaming.recording.timeline import MARKER, NO_BODY, NS, Timeline
from mar_edge.view.annotations.boris import CODER, OPEN_COMMENT
from mar_edge.view.annotations.coded import CodedEvent, ReadFile, counted, foreign_facts, timeline_of
from mar_edge.view.annotations.facts import Facts, find_facts

_NOBODY = "No focal subject"
_OUR_LABEL = re.compile(r"label (-?[0-9]{1,9})", re.ASCII)
_OUR_COMMENT = re.compile(r"score (?P<score>[01]\.[0-9]{3})(?:; coder (?P<coder>.+))?", re.ASCII)


class _Behavior(msgspec.Struct):
    type: str
    code: str
    description: str = ""
    category: str = ""


class _Subject(msgspec.Struct):
    name: str


class _Observation(msgspec.Struct):
    events: list[list[Any]]
    date: str = ""
    description: str = ""
    file: Any = None
    time_offset: float = msgspec.field(default=0.0, name="time offset")
    media_info: dict[str, Any] = {}


class _Project(msgspec.Struct):
    behaviors_conf: dict[str, _Behavior]
    observations: dict[str, _Observation]
    subjects_conf: dict[str, _Subject] = {}


@dataclass(frozen=True)
class Mark:
    """One entry of an observation. kind: START, STOP, POINT, or "" for a state whose entries alternate."""

    t_s: float
    subject: str
    behavior: str
    modifiers: str
    comment: str
    kind: str
    body: str = ""


def read_project(path: Path) -> ReadFile:
    """Read a project file: a timeline for each observation.

    Raises:
        MarEdgeError: it cannot be read, is no project, or an entry is wrong. The error names the observation.
    """
    try:
        project = msgspec.json.decode(read_limited(path), type=_Project)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MarEdgeError(f"{path} is not a project of BORIS: {error}") from None
    behaviors = {behavior.code: behavior for behavior in project.behaviors_conf.values()}
    labels = tuple(_label(behavior) for behavior in behaviors.values() if behavior.category != MARKER)
    timelines, notes = [], []
    for name, observation in project.observations.items():
        where = f"{path}, observation '{name}'"
        marks = [
            _mark(entry, behaviors, observation.time_offset, f"{where}, event {number}")
            for number, entry in enumerate(observation.events, 1)
        ]
        facts = find_facts([observation.description]) or _facts(name, observation)
        timeline, own_notes = observed(marks, facts, labels, [each.name for each in project.subjects_conf.values()])
        timelines.append(timeline)
        notes += [f"observation '{name}': {note}" for note in own_notes]
    if not timelines:
        raise MarEdgeError(f"{path} holds no observation")
    return ReadFile(tuple(timelines), tuple(notes))


def observed(
    marks: Iterable[Mark], facts: Facts, labels: Sequence[Label] = (), people: Sequence[str] = ()
) -> tuple[Timeline, tuple[str, ...]]:
    """Return the timeline of one observation, and notes about what was unexpected.

    A START whose STOP is missing makes an event that lasts to the end of the observation. A STOP alone makes none.
    """
    ordered = sorted(marks, key=lambda mark: mark.t_s)
    last_s = max([(facts.last_ns - facts.zero_ns) / NS, *(mark.t_s for mark in ordered)])
    started: dict[tuple[str, str, str], Mark] = {}
    events, stops_alone, modified, commented = [], 0, 0, 0
    open_events = []
    for mark in ordered:
        key = mark.subject, mark.behavior, mark.modifiers
        kind = mark.kind or ("STOP" if key in started else "START")
        if kind == "POINT":
            events.append(_event(mark, mark))
        elif kind == "START":
            if key in started:
                open_events.append(_event(started[key], replace(mark, comment="")))
            started[key] = mark
        elif key in started:
            events.append(_event(started.pop(key), mark))
        else:
            stops_alone += 1
        modified += bool(mark.modifiers)
        commented += mark.body != MARKER and not (
            mark.comment in {"", OPEN_COMMENT} or _OUR_COMMENT.fullmatch(mark.comment)
        )
    open_events += [_event(mark, replace(mark, t_s=last_s, comment="")) for mark in started.values()]
    events += [replace(event, is_open=True) for event in open_events]
    notes = (
        *counted(len(open_events), "START without a STOP is kept as open", "STARTs without a STOP are kept as open"),
        *counted(stops_alone, "STOP without a START is left out", "STOPs without a START are left out"),
        *counted(modified, "modifier is left out", "modifiers are left out"),
        *counted(commented, "comment is left out", "comments are left out"),
    )
    return timeline_of(events, facts, labels=labels, people=people), notes


def subject_of(text: str) -> str:
    """Return the name of a subject; "" if an event has none."""
    return "" if text in {_NOBODY, "NA"} else text.strip()


def _event(start: Mark, stop: Mark) -> CodedEvent:
    if start.body == MARKER:
        text, _, source = start.comment.rpartition(CODER)
        return CodedEvent(text, "", round(start.t_s * NS), round(stop.t_s * NS), source, MARKER)
    ours = _OUR_COMMENT.fullmatch(start.comment)
    return CodedEvent(
        label=start.behavior,
        person=start.subject,
        start_ns=round(start.t_s * NS),
        end_ns=round(stop.t_s * NS),
        coder=(ours["coder"] or "") if ours else "",
        body=start.body,
        score=float(ours["score"]) if ours else 1.0,
        is_open=stop.comment == OPEN_COMMENT,
    )


def _label(behavior: _Behavior) -> Label:
    body = "" if behavior.category == NO_BODY else behavior.category
    name = " ".join(behavior.code.split())
    ours = _OUR_LABEL.fullmatch(behavior.description)
    return Label(int(ours[1]), name, body) if ours else label_named(name, body=body)


def _mark(entry: list[Any], behaviors: dict[str, _Behavior], offset_s: float, where: str) -> Mark:
    t_s, subject, code, modifiers, comment = [*entry, *[""] * 5][:5]
    is_number = isinstance(t_s, int | float) and not isinstance(t_s, bool)
    if not is_number or not abs(t_s) <= LONGEST_S or not all(isinstance(x, str) for x in (subject, code)):
        raise MarEdgeError(f"{where}: expected seconds, a subject and a behavior, found {entry[:5]}")
    behavior = behaviors.get(code)
    if behavior is None:
        raise MarEdgeError(f"{where}: behavior '{code}' is not in the ethogram")
    return Mark(
        t_s=t_s - offset_s,
        subject=subject_of(subject),
        behavior=" ".join(code.split()),
        modifiers=modifiers if isinstance(modifiers, str) else "",
        comment=comment.strip() if isinstance(comment, str) else "",
        kind="" if behavior.type.lower().startswith("state") else "POINT",
        body="" if behavior.category == NO_BODY else behavior.category,
    )


def _facts(name: str, observation: _Observation) -> Facts:
    """Return the facts about an observation of a coder."""
    files = observation.file.values() if isinstance(observation.file, dict) else ()
    videos = [video for player in files if isinstance(player, list) for video in player if isinstance(video, str)]
    stem = PurePosixPath(videos[0].replace("\\", "/")).stem if videos else name
    lengths = observation.media_info.get("length", {})
    length_s = lengths.get(videos[0], 0.0) if isinstance(lengths, dict) and videos else 0.0
    is_length = isinstance(length_s, int | float) and 0 <= length_s <= LONGEST_S
    return foreign_facts(stem, dated_ns(observation.date), round(length_s * NS) if is_length else 0, stream=name)


def dated_ns(date: str) -> int:
    """Return the moment of a date of BORIS (ISO 8601, without a time zone), ns since 1970; 0 if it is none."""
    try:
        return int(datetime.fromisoformat(date).replace(tzinfo=timezone.utc).timestamp()) * NS
    except (ValueError, OverflowError):
        return 0
