from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files import tables
from mar_edge.edge.files.tables import read_table, seconds_of, table_of

ROWS = [("a.jsonl", "1.5", "scratching, neck"), ("b.jsonl", "2.5", "")]


def read(path: Path, content: bytes) -> list[tuple[str, ...]]:
    path.write_bytes(content)
    return [
        tuple(row.fields[column] for column in ("recording", "start_s", "label")) for row in read_table(path).rows()
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("stated", [False, True])
def test_delimiters_and_encodings_of_spreadsheets(tmp_path: Path, encoding: str, delimiter: str, stated: bool) -> None:
    lines = [f"sep={delimiter}"] if stated else []
    lines += [delimiter.join(("recording", "start_s", "label"))]
    lines += [delimiter.join((recording, start_s, f'"{label}"')) for recording, start_s, label in ROWS]
    text = "\r\n".join([*lines, delimiter * 2, ""])
    assert read(tmp_path / "a.csv", text.encode(encoding)) == ROWS
    last = list(read_table(tmp_path / "a.csv").rows())[-1]
    assert last.where == f"{tmp_path / 'a.csv'}, line {3 + stated}"


def test_letters_of_windows(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "recording,start_s,label\na,1,Köpfnicken\n".encode("cp1252")) == [
        ("a", "1", "Köpfnicken")
    ]


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("1.5", 1.5),
        ("1,5", 1.5),
        ("-0,25", -0.25),
        (".5", 0.5),
        ("12", 12.0),
        ("1e-05", 1e-5),
        ("1:02.5", 62.5),
        ("0:01:02,500", 62.5),
        ("26:00:00", 93600.0),
    ],
)
def test_seconds_in_the_forms_that_programs_write(text: str, expected_s: float) -> None:
    assert seconds_of(text) == expected_s


@pytest.mark.parametrize("text", ["", "nan", "inf", "1.234,5", "1 000", "soon", "1e10", "9" * 5000, "--1", "1:2:3:4"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        seconds_of(text)


def test_what_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    with pytest.raises(MarEdgeError, match="is not text"):
        read_table(tmp_path / "binary.csv")
    (tmp_path / "long.csv").write_text('a,b\n1,"' + "x" * 200_000 + '"\n')
    with pytest.raises(MarEdgeError, match="line 2: not CSV: field larger"):
        read_table(tmp_path / "long.csv")
    with pytest.raises(MarEdgeError, match="cannot read"):
        read_table(tmp_path)
    monkeypatch.setattr(tables, "MOST_BYTES", 100)
    with pytest.raises(MarEdgeError, match="larger than 100 bytes"):
        read_table(tmp_path / "long.csv")


def test_short_and_long_rows_and_an_empty_file(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", b"recording,start_s,label\na,1\nb,2,nod,,\n") == [
        ("a", "1", ""),
        ("b", "2", "nod"),
    ]
    with pytest.raises(MarEdgeError, match=r"line 2: 4 cells for 3 columns; .* decimal points"):
        read(tmp_path / "a.csv", b"recording,start_s,label\na,1,5,nod\n")
    assert read(tmp_path / "a.csv", b"") == []


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_no_text_becomes_a_formula_and_every_text_returns(tmp_path: Path, delimiter: str) -> None:
    formulas = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "-", "\uff1d1+1", "'=1", "''+x", '=HYPERLINK("http://a")']
    others = ["-0.250", "+1", "-1e-05", "nodding", "a=b", "'nodding'", "O'Neil", "", "'"]
    path = tmp_path / "a.csv"
    path.write_bytes(table_of(("=head", "row"), zip([*formulas, *others], range(99), strict=False), delimiter))
    with path.open(encoding="utf-8", newline="") as file:
        header, *cells = csv.reader(file, delimiter=delimiter)
    assert header == ["'=head", "row"]
    assert [cell for cell, _ in cells] == [*(f"'{text}" for text in formulas), *others]
    assert [row.fields["=head"] for row in read_table(path).rows()] == [*formulas, *others]
