"""The table of a study: which video shows which participant in which condition. CSV in, rows out."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import has_content

TABLE_SUFFIXES = (".csv", ".tsv")
_COLUMNS = ("file", "participant", "condition")
# Characters of a participant or condition: names of rows, not texts.
_LONGEST = 200
_MOST_BYTES = 50_000_000


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

    Columns are separated by commas, semicolons or tabs, and others are ignored. Paths are relative to the folder of
    the table, or else to the current one.

    Raises:
        MarEdgeError: it is not such a table, or a file does not exist. The error names the line.
    """
    lines = _text(path).splitlines(keepends=True)
    header = lines[0] if lines else ""
    rows = csv.DictReader(lines, delimiter=max(",;\t", key=header.count))
    try:
        names = {(name or "").strip().casefold(): name for name in rows.fieldnames or ()}
        if "file" not in names:
            shown = ", ".join(filter(None, names)) or "no columns"
            raise MarEdgeError(f"{path}: a table of videos has the columns {', '.join(_COLUMNS)}; this one has {shown}")
        found = [_row(row, names, path, f"{path}, line {rows.line_num}") for row in rows if has_content(row)]
    except csv.Error as error:
        raise MarEdgeError(f"{path}, line {rows.line_num}: not CSV: {error}") from None
    missing = [row for row in found if not row.path.is_file()]
    if missing:
        more = f" (nor {len(missing) - 1} more files of this table)" if len(missing) > 1 else ""
        raise MarEdgeError(
            f"{missing[0].source}: no file {missing[0].path}{more}; paths are relative to the folder of the table"
        )
    return found


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise MarEdgeError(f"{path} has more than {_MOST_BYTES} bytes; a table has a row for each video")
        content = path.read_bytes()
    except OSError as error:
        raise MarEdgeError(f"cannot read {path}: {error.strerror}") from None
    try:
        # Excel's "Unicode text" is UTF-16.
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise MarEdgeError(f"{path} is not UTF-8; in Excel, save it as 'CSV UTF-8'") from None


def _row(row: dict[str, str | None], names: dict[str, str], table: Path, source: str) -> ParticipantRow:
    def value(column: str) -> str:
        text = row.get(names.get(column, ""))
        return text.strip() if isinstance(text, str) else ""

    file, participant, condition = map(value, _COLUMNS)
    if not file or "\0" in file:
        raise MarEdgeError(f"{source}: no file")
    if max(len(participant), len(condition)) > _LONGEST:
        raise MarEdgeError(f"{source}: a participant or condition has up to {_LONGEST} characters")
    beside = table.parent / file
    return ParticipantRow(beside if beside.is_file() else Path(file), source, participant, condition)
