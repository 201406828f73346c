"""Tables that people save: CSV from any program, in the encodings and number formats that spreadsheets write.

Knows no columns. Delimiters are commas, semicolons or tabs. Texts are UTF-8, UTF-16 with a byte order mark, or
Windows-1252. Every table that people may open in a spreadsheet is also written here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError

MOST_BYTES = 256_000_000
"""Size limit of a table or document that is read whole: hours of events are a thousandth of it."""
LONGEST_S = 1e9
_DELIMITERS = ",;\t"
_LONGEST_HEADER = 10_000
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# The first line by which a file states its delimiter to Excel.
_STATED = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)
_SECONDS = re.compile(r"[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
# Spreadsheets run a text that begins like this as a formula. The last four are the wide forms of the first.
_FORMULA = re.compile("'*[=+@\t\r\uff1d\uff0b\uff20\uff0d-]")
_CLOCK = re.compile(r"(?:(?P<h>\d{1,6}):)?(?P<m>\d{1,2}):(?P<s>\d{1,2}(?:[.,]\d*)?)", re.ASCII)


@dataclass(frozen=True)
class Row:
    """One row.

    where: file and line, for messages. fields: column -> text without spaces around it, "" where it is missing.
    """

    where: str
    fields: Mapping[str, str]

    def seconds(self, column: str) -> float:
        """Return a time.

        Raises:
            MarEdgeError: there is none, or it is not one (``seconds_of``).
        """
        text = self.fields.get(column, "")
        try:
            return seconds_of(text)
        except ValueError:
            raise MarEdgeError(
                f"{self.where}: {column} is '{text}'; expected seconds (1.5 or 1,5) or a time (0:01:02.500)"
            ) from None


@dataclass(frozen=True)
class Table:
    """A table as lines of cells. source: its path. lines: number of the line in the file, and its cells."""

    source: str
    lines: tuple[tuple[int, tuple[str, ...]], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The cells of the first line."""
        return self.lines[0][1] if self.lines else ()

    def below(self, header: int) -> Table:
        """Return the same without the lines before ``lines[header]``."""
        return Table(self.source, self.lines[header:])

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the first line.

        Raises:
            MarEdgeError: a row has more cells than there are columns, so nobody knows which is which.
        """
        for number, cells in self.lines[1:]:
            where = f"{self.source}, line {number}"
            if any(cells[len(self.columns) :]):
                raise MarEdgeError(
                    f"{where}: {len(cells)} cells for {len(self.columns)} columns; where commas separate the columns, "
                    "numbers need decimal points, and texts with commas need quotes"
                )
            padded = (*cells, *[""] * (len(self.columns) - len(cells)))
            yield Row(where, dict(zip(self.columns, padded, strict=False)))


def table_of(header: Sequence[object], rows: Iterable[Sequence[object]], delimiter: str = ",") -> bytes:
    """Return a table as UTF-8.

    A text that a spreadsheet would run as a formula gets an apostrophe in front, which ``read_table`` takes away. So
    names that coders and other programs gave run nothing.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    table.writerow(map(_guarded, header))
    table.writerows(map(_guarded, row) for row in rows)
    return text.getvalue().encode()


def read_table(path: Path) -> Table:
    """Read a table. Lines without content are left out.

    Raises:
        MarEdgeError: the file cannot be read, is too large, is not text, or is not CSV.
    """
    text = text_of(read_limited(path), str(path))
    skipped = 0
    if stated := _STATED.match(text):
        delimiter, text, skipped = stated[1], text[stated.end() :], 1
    else:
        first = next((line for line in text.splitlines() if line.strip()), "")[:_LONGEST_HEADER]
        # Numbers with decimal commas are below the first line, never in it.
        delimiter = max(_DELIMITERS, key=lambda each: len(next(csv.reader([first], delimiter=each), [])))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    lines = []
    try:
        for cells in rows:
            stripped = tuple(_unguarded(cell.strip()) for cell in cells)
            if any(stripped):  # spreadsheets write empty rows as delimiters alone
                lines.append((rows.line_num + skipped, stripped))
    except csv.Error as error:
        raise MarEdgeError(f"{path}, line {rows.line_num + skipped}: not CSV: {error}") from None
    return Table(str(path), tuple(lines))


def read_limited(path: Path) -> bytes:
    """Return the content of a file of at most ``MOST_BYTES``.

    Raises:
        MarEdgeError: it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise MarEdgeError(f"cannot read {path}: {error.strerror or error}") from None
    if len(content) > MOST_BYTES:
        raise MarEdgeError(f"{path} is larger than {MOST_BYTES} bytes, the limit of what is read at once")
    return content


def text_of(content: bytes, source: str) -> str:
    """Decode UTF-8, UTF-16 with a byte order mark, or else Windows-1252, which spreadsheets write without one.

    Raises:
        MarEdgeError: it is none of them.
    """
    for encoding in ("utf-16",) if content.startswith(_UTF_16) else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise MarEdgeError(f"{source} is not text; save it as CSV UTF-8")


def seconds_of(text: str) -> float:
    """Return seconds from "1.5", "1,5", "1:02.5" or "0:01:02,500".

    Raises:
        ValueError: it is none of these, or farther from 0 than ``LONGEST_S``.
    """
    if clock := _CLOCK.fullmatch(text):
        seconds = int(clock["h"] or 0) * 3600 + int(clock["m"]) * 60 + float(clock["s"].replace(",", "."))
    elif _SECONDS.fullmatch(text):
        seconds = float(text.replace(",", "."))
    else:
        raise ValueError(text)
    if not abs(seconds) <= LONGEST_S:
        raise ValueError(text)
    return seconds


def _guarded(cell: object) -> object:
    is_formula = isinstance(cell, str) and _FORMULA.match(cell) and not _SECONDS.fullmatch(cell)
    return f"'{cell}" if is_formula else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
