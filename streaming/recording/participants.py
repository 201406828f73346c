"""Who is in which recording: ``participants.csv`` in the folder of the recordings.

It has the columns of the list that ``mar-edge analyze`` takes: file, participant, condition. A file is known by its
name without suffix, so the list of videos itself serves, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.files.tables import read_table, table_of
from mar_edge.streaming.recording.recorder import SUFFIX

PARTICIPANTS_FILE = "participants.csv"
_COLUMNS = ("file", "participant", "condition")


class Participant(NamedTuple):
    """Who a recording shows, and in which condition; "" where that is not stated."""

    name: str
    condition: str = ""


def read_participants(folder: Path) -> dict[str, Participant]:
    """Return the participant of each recording, by its name without suffix; empty without the file.

    Raises:
        MarEdgeError: the file cannot be read, lacks a column, or names two participants for one recording.
    """
    path = folder / PARTICIPANTS_FILE
    if not path.exists():
        return {}
    table = read_table(path)
    if not {"file", "participant"} <= set(table.columns):
        raise MarEdgeError(f"{path} has the columns {','.join(table.columns) or 'none'}; expected {','.join(_COLUMNS)}")
    found: dict[str, Participant] = {}
    for row in table.rows():
        name, participant = Path(row.fields["file"].replace("\\", "/")).stem, row.fields["participant"]
        if not name or not participant:
            raise MarEdgeError(f"{row.where}: expected a file and a participant")
        if found.get(name, Participant(participant)).name != participant:
            raise MarEdgeError(f"{row.where}: {name} is of '{participant}' here and of '{found[name].name}' above")
        found[name] = Participant(participant, row.fields.get("condition", ""))
    return found


def add_participants(folder: Path, people: Mapping[str, Participant]) -> None:
    """Write the file whole, with the recordings that it names already; leave it alone if there is nobody to add.

    Args:
        people: the recording's name without suffix -> participant.

    Raises:
        MarEdgeError: it cannot be written, or what is there is no such file.
    """
    if not people:
        return
    everybody = {**read_participants(folder), **people}
    rows = ((f"{name}{SUFFIX}", *participant) for name, participant in everybody.items())
    write_whole(folder / PARTICIPANTS_FILE, table_of(_COLUMNS, rows))
