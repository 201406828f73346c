"""Who is in which recording: ``participants.csv`` in the folder of the recordings.

It has the columns of the list that ``mar-edge analyze`` takes: file, participant, condition. A file is known by its
name without suffix, so the list of videos itself serves, too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.files.tables import read_table

PARTICIPANTS_FILE = "participants.csv"
_COLUMNS = ("file", "participant", "condition")


def read_participants(folder: Path) -> dict[str, str]:
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
    found: dict[str, str] = {}
    for row in table.rows():
        name, participant = Path(row.fields["file"].replace("\\", "/")).stem, row.fields["participant"]
        if not name or not participant:
            raise MarEdgeError(f"{row.where}: expected a file and a participant")
        if found.setdefault(name, participant) != participant:
            raise MarEdgeError(f"{row.where}: {name} is of '{participant}' here and of '{found[name]}' above")
    return found


def write_participants(folder: Path, people: Mapping[str, tuple[str, str]]) -> None:
    """Write the file whole.

    Args:
        people: the recording's file name -> participant and condition.

    Raises:
        MarEdgeError: it cannot be written.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows((file, *about) for file, about in people.items())
    write_whole(folder / PARTICIPANTS_FILE, text.getvalue().encode())
