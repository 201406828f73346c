"""Label sets: names of the network's K outputs. Data, read from CSV; knows nothing of networks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from mar_edge.edge.errors import MarEdgeError

BACKGROUND_NAME = "no action"
BACKGROUND_BODY = "none"
MA52_BACKGROUND_ID = 52
_LARGEST_ID = 1 << 31
UNLISTED_ID = -_LARGEST_ID
"""Id of a label that no label set has: a human coder's own."""


class Label(msgspec.Struct, frozen=True):
    """One class of a label set.

    Attributes:
        id: Number of the class in its data set.
        name: Name of the action.
        body: Body group of the action; empty if it has none.
    """

    id: int
    name: str
    body: str


def parse_labels(text: str, source: str) -> tuple[Label, ...]:
    """Return the labels in CSV text with the columns id, action and, optionally, body.

    Other columns are ignored here; ``edge.movements`` reads the optional way and opposite.

    Raises:
        MarEdgeError: a column is missing, an id is not a whole number or appears twice, an action has no name.
    """
    labels = tuple(_label(row, where) for where, row in label_rows(text, source))
    ids = [label.id for label in labels]
    if not labels or len(set(ids)) != len(ids):
        raise MarEdgeError(f"{source}: expected at least one label and no id twice; ids are {ids}")
    return labels


def label_rows(text: str, source: str) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Yield the rows of a label file that hold anything, each with its place, for messages.

    Raises:
        MarEdgeError: it is not CSV, or lacks a column.
    """
    rows = csv.DictReader(io.StringIO(text))
    try:
        columns = set(rows.fieldnames or ())
        if not {"id", "action"} <= columns:
            raise MarEdgeError(
                f"{source}: a label file is CSV with the columns id,action[,body]; it has {sorted(columns) or 'none'}"
            )
        for row in rows:
            if _has_content(row):
                yield f"{source}, line {rows.line_num}", row
    except csv.Error as error:
        raise MarEdgeError(f"{source}, line {rows.line_num}: not CSV: {error}") from None


def _label(row: dict[str, str | None], where: str) -> Label:
    try:
        label = Label(int(row["id"] or ""), (row["action"] or "").strip(), (row.get("body") or "").strip())
        if not label.name or abs(label.id) > _LARGEST_ID:
            raise ValueError
    except (ValueError, AttributeError, TypeError):  # a row with too many fields holds a list
        raise MarEdgeError(f"{where}: not a label row (id,action[,body]): {row}") from None
    return label


def _has_content(row: Mapping[Any, Any]) -> bool:
    """Return whether a row of CSV holds anything; spreadsheets write an empty one as commas alone."""
    fields = (value if isinstance(value, list) else [value] for value in row.values())  # a list of those too many
    return any((text or "").strip() for texts in fields for text in texts)


def read_labels(path: Path) -> tuple[Label, ...]:
    """Return the labels in a CSV file (see ``parse_labels``)."""
    return parse_labels(read_label_text(path), str(path))


def read_label_text(path: Path) -> str:
    """Return the text of a label file.

    Raises:
        MarEdgeError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MarEdgeError(f"cannot read label file {path}: {error}") from None


def ma52_labels() -> tuple[Label, ...]:
    """Return the 52 micro-actions of MA-52, in id order."""
    text = resources.files("mar_edge.edge").joinpath("labelsets", "ma52.csv").read_text(encoding="utf-8")
    return parse_labels(text, "ma52.csv")


def label_named(name: str, known: Iterable[Label] = (), body: str = "") -> Label:
    """Return the label that a human means by a name: one of ``known``, or of MA-52, or else one of the human's own.

    Upper and lower case count as equal, and underscores as spaces.

    Args:
        body: body group of a label that no label set has.
    """
    for labels in (tuple(known), _ma52()):
        for same in (str, _plain):
            found = next((label for label in labels if same(label.name) == same(name)), None)
            if found is not None:
                return found
    return Label(UNLISTED_ID, name, body)


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())


_ma52 = cache(ma52_labels)


def background_label() -> Label:
    """Return the class of windows in which no named action happens (not one of MA-52's own)."""
    return Label(id=MA52_BACKGROUND_ID, name=BACKGROUND_NAME, body=BACKGROUND_BODY)


def default_labels(layout: str, num_classes: int) -> tuple[Label, ...]:
    """Return names for a published checkpoint: MA-52's own for its 52 classes, else ``class 0`` to ``class K-1``."""
    if layout == "ma52" and num_classes == len(ma52_labels()):
        return ma52_labels()
    return tuple(Label(id=i, name=f"class {i}", body="") for i in range(num_classes))
