"""Made-up recordings that a coder corrected."""

from __future__ import annotations

from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

from recorded_runs import HUM, NOD, SHAKE, Stream

from mar_edge.streaming.recording.corrections import CORRECTIONS_FILE, Correction, write_corrections
from mar_edge.streaming.recording.participants import Participant, add_participants

NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def run_of(recording: str) -> str:
    """Return the run of a recording: senders never use one twice."""
    return sha256(recording.encode()).hexdigest()[:32]


def twenty_seconds(run: str) -> Stream:
    """Return 20 s of one person with three events: nodding 2 to 4 s, shaking head 8 to 10 s, nodding 14 to 16 s."""
    return (
        Stream(run=run)
        .hello()
        .skeletons(0.0, 20.0)
        .event(NOD, 2.0, 4.0)
        .event(SHAKE, 8.0, 10.0)
        .event(NOD, 14.0, 16.0)
        .end(20.0, 600, 0)
    )


def decision(
    status: str, event_id: int | None, start_s: float, end_s: float, label: str = NOD.name, **other: object
) -> Correction:
    """Return a decision about an event, of ``a.jsonl`` if no other field is given.

    machine: label and times as the model reported them.
    """
    machine_label, machine_start_s, machine_end_s = other.pop("machine", ("", None, None))
    recording = other.get("recording", "a.jsonl")
    fields = {
        "recording": recording,
        "stream": "cam",
        "run": run_of(recording),
        "event_id": event_id,
        "person": 0,
        "status": status,
        "label": label,
        "start_s": start_s,
        "end_s": end_s,
        "machine_label": machine_label,
        "machine_start_s": machine_start_s,
        "machine_end_s": machine_end_s,
        "coder": "Ada",
        "corrected_at": NOW,
    }
    return Correction(**fields | other)


CONFIRMED = decision("confirmed", 1, 2.0, 4.0, machine=(NOD.name, 2.0, 4.0))
REJECTED = decision("rejected", 2, 8.0, 10.0, SHAKE.name, machine=(SHAKE.name, 8.0, 10.0))
RELABELED = decision("changed", 2, 8.5, 10.5, HUM.name, machine=(SHAKE.name, 8.0, 10.0))
ADDED = decision("added", -1, 11.0, 12.0, SHAKE.name)


def reviewed(start_s, end_s, **other) -> Correction:
    """Return a stretch that was watched completely."""
    return decision("reviewed", None, start_s, end_s, "", person=other.pop("person", None), **other)


def write(folder: Path, *rows: Correction, participants: dict[str, str] | None = None) -> Path:
    """Write the corrections and every recording that they name."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(sorted({row.recording for row in rows})):
        stream = twenty_seconds(run_of(name))
        # Another person or camera: no recording has the fingerprint of another.
        stream.skeletons(20.0, 20.1 + number)
        stream.write(folder / name)
    write_corrections(folder / CORRECTIONS_FILE, rows)
    if participants:
        add_participants(folder, {Path(name).stem: Participant(who) for name, who in participants.items()})
    return folder
