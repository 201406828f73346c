"""``agree``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.extras import require
from mar_edge.cli.options.selection import Selection, print_notes
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs, write_whole

if TYPE_CHECKING:
    from mar_edge.analysis.agreement.compare import Agreement
    from mar_edge.view.annotations.coded import ReadFile

_TABLES = ("agreement.csv", "confusion.csv", "counts.csv", "events.csv")
_PICTURES = ("confusion", "bland_altman")
_SUFFIXES = (".png", ".svg")


@command(
    "Review",
    "agree recordings recordings/corrections.csv",
    "agree anna.eaf ben.boris --bin 0.5 --out agreement",
    "agree session.eaf session.eaf --coder-a Anna --coder-b Ben",
)
def agree(
    *,
    a: Annotated[Path, typer.Argument(metavar="A", help="Recording, corrections.csv, .eaf, .boris, table, or folder.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The other coding of the same videos.")],
    bin_s: Annotated[
        float, typer.Option("--bin", metavar="SECONDS", help="Width of the time bins of kappa.", min=0.001, max=3600.0)
    ] = 0.1,
    from_s: Annotated[
        float | None,
        typer.Option(
            "--from", metavar="SECONDS", help="Beginning of the common time.", min=0.0, max=1e9, show_default=False
        ),
    ] = None,
    to_s: Annotated[
        float | None,
        typer.Option("--to", metavar="SECONDS", help="End of the common time.", min=0.0, max=1e9, show_default=False),
    ] = None,
    coder_a: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Coder of A, where there are several; or mar-edge.", show_default=False),
    ] = None,
    coder_b: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Coder of B, where there are several; or mar-edge.", show_default=False),
    ] = None,
    map: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table coder_label,label of other names; without a label, the events are left out.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder for tables (CSV) and pictures (PNG, SVG).", show_default=False),
    ] = None,
    selection: Selection,
) -> None:
    """Compare two codings: kappa, F1 of events, onsets, offsets.

    A and B are of the same videos: the model and a coder, or two coders. Folders are compared by the names of the
    recordings.
    """
    from mar_edge.analysis.agreement.compare import compare
    from mar_edge.analysis.agreement.pairing import pair_timelines
    from mar_edge.analysis.agreement.text import report_lines
    from mar_edge.view.annotations.reading import input_files, read_names

    outputs = []
    if out is not None:
        require("plot", "matplotlib")
        outputs = [
            out / name for name in (*_TABLES, *(f"{name}{suffix}" for name in _PICTURES for suffix in _SUFFIXES))
        ]
    check_outputs(outputs, [*input_files([a]), *input_files([b]), map])
    names = None if map is None else read_names(map)
    codings = [_read(path, coder, selection, names) for path, coder in ((a, coder_a), (b, coder_b))]
    labels = tuple(dict.fromkeys(label for read in codings for each in read.timelines for label in each.labels))
    chosen = [[selection.chosen(replace(each, labels=labels)) for each in read.timelines] for read in codings]
    pairs, notes = pair_timelines(*chosen, from_s=from_s, to_s=to_s)
    print_notes(f"{which}: {note}" for which, read in zip("AB", codings, strict=True) for note in read.notes)
    print_notes(notes)
    agreement = compare(pairs, bin_s)
    titles = _title(a, coder_a), _title(b, coder_b)
    for line in report_lines(agreement, pairs, titles):
        print(line)
    if out is not None:
        _write(agreement, titles, out)
        print(f"{out}: {', '.join(path.name for path in outputs if path.is_file())}")


def _read(path: Path, coder: str | None, selection: Selection, names: dict[str, str] | None) -> ReadFile:
    from mar_edge.view.annotations.reading import coded_by, is_corrections, read_annotations

    of_corrections = coder if is_corrections(path) else None
    read = read_annotations([path], stream=selection.stream, coder=of_corrections, names=names)
    if coder is None or of_corrections:
        return read
    return replace(read, timelines=coded_by(read.timelines, coder))


def _title(path: Path, coder: str | None) -> str:
    return f"{path.name} ({coder})" if coder else path.name


def _write(agreement: Agreement, titles: tuple[str, str], out: Path) -> None:
    from mar_edge.analysis.agreement import pictures, tables

    writers = tables.write_rows, tables.write_confusion, tables.write_counts, tables.write_events
    for name, write in zip(_TABLES, writers, strict=True):
        write_whole(out / name, write(agreement))
    for name, draw in zip(_PICTURES, (pictures.confusion_picture, pictures.bland_altman_picture), strict=True):
        for suffix in _SUFFIXES:
            if (picture := _drawn(partial(draw, agreement, titles, suffix))) is not None:
                write_whole(out / f"{name}{suffix}", picture)


def _drawn(draw: Callable[[], bytes]) -> bytes | None:
    """Return a picture; None, with a note, if no installed font has its letters. A viewer of the SVG may have one."""
    try:
        return draw()
    except MarEdgeError as error:
        print_notes([str(error)])
        return None
