"""Corrections from the page: the state of one coder in one recording, and its changes. Knows no HTTP.

A page shows a state and sends one change at a time, with the version of that state. A change to another version is
refused, so that two pages of one coder cannot undo each other's decisions. The file is written before a change is
answered.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.lock import locked
from mar_edge.streaming.recording.corrections import (
    CORRECTIONS_FILE,
    LONGEST_CODER,
    Correction,
    Status,
    corrected,
    latest,
    read_corrections,
    write_corrections,
)
from mar_edge.streaming.recording.timeline import TimedEvent, Timeline

_LONGEST_LABEL = 1000
_MOST_STRETCHES = 10_000
# Between the threads of this process; between processes, such as pages of two coders of one folder, the lock file.
_ONE_AT_A_TIME = threading.Lock()
_LOCK_FILE = ".corrections.lock"


class StaleVersion(MarEdgeError):
    """The corrections changed since the page loaded them."""


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a coder says of an event. Label, person and times are of the event after that, in media seconds."""

    status: Literal["confirmed", "rejected", "changed", "added"]
    label: Annotated[str, msgspec.Meta(max_length=_LONGEST_LABEL)]
    person: int
    start_s: float
    end_s: float


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change of a state.

    coder: whose. version: of the state that the coder saw.
    event_id: of the event, negative for an added one. decision: the new one; None takes it back.
    reviewed: stretches watched completely, in media seconds, instead of an event.
    """

    coder: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_CODER)]
    version: str
    event_id: int | None = None
    decision: Decision | None = None
    reviewed: Annotated[list[tuple[float, float]], msgspec.Meta(max_length=_MOST_STRETCHES)] | None = None


@dataclass(frozen=True)
class Coding:
    """The decisions of one coder about one recording.

    recording: its file, next to which the corrections are. timeline: its events, as the model reported them.
    coder: the name.
    """

    recording: Path
    timeline: Timeline
    coder: str

    @property
    def path(self) -> Path:
        """The file of corrections."""
        return self.recording.parent / CORRECTIONS_FILE

    def state(self) -> bytes:
        """Return the state as JSON.

        Its fields are ``version``, ``events`` (decisions with their ``event_id``), ``reviewed`` (stretches), ``coders``
        (all names in the file), and ``locked``: why nothing can be saved, or "".

        Raises:
            MarEdgeError: the file of corrections cannot be read.
        """
        rows = self._rows()
        own = self._own(rows)
        events = [
            {
                "event_id": row.event_id,
                "status": row.status,
                "label": row.label,
                "person": row.person,
                "start_s": row.start_s,
                "end_s": row.end_s,
            }
            for row in own
            if not row.is_reviewed
        ]
        state = {
            "version": _version(own),
            "events": events,
            "reviewed": [(row.start_s, row.end_s) for row in own if row.is_reviewed],
            "coders": sorted({row.coder for row in rows}),
            "locked": self._locked(),
        }
        return msgspec.json.encode(state)

    def change(self, change: Change) -> None:
        """Save a change.

        Raises:
            StaleVersion: the state is not the one that the coder saw.
            MarEdgeError: the change does not fit the recording, or cannot be saved.
        """
        with _ONE_AT_A_TIME, locked(self.path.parent / _LOCK_FILE):
            rows = self._rows()
            if _version(self._own(rows)) != change.version:
                raise StaleVersion(
                    f"{CORRECTIONS_FILE} was changed elsewhere, perhaps on this page in another tab; the last decision "
                    "was not saved"
                )
            kept = [row for row in rows if not (self._holds(row) and row.event_id == change.event_id)]
            write_corrections(self.path, [*kept, *self._new(change)])

    def corrected(self) -> Timeline:
        """Return the timeline after the corrections; the same if there are none.

        Raises:
            MarEdgeError: the file of corrections cannot be read.
        """
        own = self._own(self._rows()) if self.coder else []
        return corrected(self.timeline, own, self.coder) if own else self.timeline

    def _rows(self) -> list[Correction]:
        return read_corrections(self.path) if self.path.exists() else []

    def _own(self, rows: Sequence[Correction]) -> list[Correction]:
        return latest([row for row in rows if self._holds(row)])

    def _holds(self, row: Correction) -> bool:
        of_run = (row.stream, row.run, row.coder) == (self.timeline.stream, self.timeline.run, self.coder)
        # An event may begin in one part of a run and end in another, where it is the same event.
        return of_run and (row.recording == self.recording.name or row.event_id in self._events)

    @cached_property
    def _events(self) -> dict[int | None, TimedEvent]:
        return {event.event_id: event for event in self.timeline.events}

    def _locked(self) -> str:
        target = self.path if self.path.exists() else self.path.parent
        if os.access(self.path.parent, os.W_OK) and os.access(target, os.W_OK):
            return ""
        return f"corrections cannot be saved: {target} is read-only"

    def _new(self, change: Change) -> list[Correction]:
        """Return the rows that a change adds."""
        if change.event_id is None:
            if change.reviewed is None:
                raise MarEdgeError("a change is about an event or about reviewed stretches")
            return [self._row("reviewed", None, stretch) for stretch in change.reviewed]
        decision = change.decision
        if decision is None:
            return []
        event = self._events.get(change.event_id)
        if (event is None) != (decision.status == "added"):
            raise MarEdgeError(f"{self.recording.name} has no event {change.event_id}")
        people = (event.person,) if event else self.timeline.people
        if decision.person not in people:
            raise MarEdgeError(f"{self.recording.name} has no such event of person {decision.person}")
        known = {label.name for label in self.timeline.labels} | {row.label for row in self._own(self._rows())}
        if decision.label not in known:
            raise MarEdgeError(f"the model of {self.recording.name} has no action '{decision.label}'")
        span = decision.start_s, decision.end_s
        return [self._row(decision.status, change.event_id, span, decision.label, decision.person)]

    def _row(
        self,
        status: Status,
        event_id: int | None,
        span_s: tuple[float, float],
        label: str = "",
        person: int | None = None,
    ) -> Correction:
        start_s, end_s = (round(moment_s, 3) for moment_s in span_s)
        event = self._events.get(event_id)
        machine_s = (
            (None, None) if event is None else tuple(map(self._milliseconds, (event.t_start_ns, event.t_end_ns)))
        )
        machine_label = "" if event is None else event.label.name
        if status == "changed" and (label, start_s, end_s) == (machine_label, *machine_s):
            status = "confirmed"
        return Correction(
            recording=self.recording.name,
            stream=self.timeline.stream,
            run=self.timeline.run,
            event_id=event_id,
            person=person,
            status=status,
            label=label,
            start_s=start_s,
            end_s=end_s,
            machine_label=machine_label,
            machine_start_s=machine_s[0],
            machine_end_s=machine_s[1],
            coder=self.coder,
            corrected_at=datetime.now(timezone.utc),
        )

    def _milliseconds(self, t_ns: int) -> float:
        return round(self.timeline.seconds(t_ns), 3)


def _version(rows: Sequence[Correction]) -> str:
    # Of what the file holds, which is seconds to a millisecond and times to a second.
    shown = [(row.event_id, row.status, row.label, row.person, row.start_s, row.end_s) for row in rows]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
