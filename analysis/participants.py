"""The table of a study: which video shows which participant in which condition."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.tables import Row, Table, read_table

TABLE_SUFFIXES = (".csv", ".tsv")
_COLUMNS = ("file", "participant", "condition")
# Characters of a participant or condition: names of rows, not texts.
_LONGEST = 200


@dataclass(frozen=True)
class ParticipantRow:
    """A row. path: of an existing file. participant, condition: "" where the table says nothing.

    source: the line, for errors.
    """

    path: Path
    source: str
    participant: str
    condition: str


def read_participants(path: Path) -> list[ParticipantRow]:
    """Return the rows of a table with the columns file, participant and condition; the last two may be missing.

    Other columns are ignored. Paths are relative to the folder of the table, or else to the current one.

    Raises:
        MarEdgeError: it is not such a table, or a file does not exist. The error names the line.
    """
    table = read_table(path)
    names = tuple(column.casefold() for column in table.columns)
    if "file" not in names:
        shown = ", ".join(filter(None, names)) or "no columns"
        raise MarEdgeError(f"{path}: a table of videos has the columns {', '.join(_COLUMNS)}; this one has {shown}")
    header = (table.lines[0][0], names)
    found = [_row(row, path.parent) for row in Table(table.source, (header, *table.lines[1:])).rows()]
    missing = [row for row in found if not row.path.is_file()]
    if missing:
        more = f" (nor {len(missing) - 1} more files of this table)" if len(missing) > 1 else ""
        raise MarEdgeError(
            f"{missing[0].source}: no file {missing[0].path}{more}; paths are relative to the folder of the table"
        )
    return found


def _row(row: Row, folder: Path) -> ParticipantRow:
    file, participant, condition = (row.fields.get(column, "") for column in _COLUMNS)
    if not file:
        raise MarEdgeError(f"{row.where}: no file")
    if max(len(participant), len(condition)) > _LONGEST:
        raise MarEdgeError(f"{row.where}: a participant or condition has up to {_LONGEST} characters")
    beside = folder / file
    return ParticipantRow(beside if beside.is_file() else Path(file), row.where, participant, condition)
