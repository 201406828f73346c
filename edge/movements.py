"""What event rules know of a label: whether it names one way of its movement or both, and the label of the way back.

Data of the label set: columns ``way`` and ``opposite`` of its CSV file, carried by checkpoints and model files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, get_args

import msgspec

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.labels import Label, label_rows, read_label_text

Way = Literal["both", "one", "each"]
"""What a label names of a movement that leads somewhere, stays there and comes back.

both: one event is the way out, the stay and the way back (a hand at a face).
one: the way out alone; the way back has another name (bowing the head, head up).
each: the way out is one event, the way back another one of the same name (turning the head).
"""


class Movement(msgspec.Struct, frozen=True, omit_defaults=True):
    """The movement behind one label. opposite: name of the label that its way back looks like; empty for none."""

    way: Way = "both"
    opposite: str = ""


Movements = Mapping[str, Movement]
"""By the label's name. Empty: nothing is stated."""


def parse_movements(text: str, source: str) -> dict[str, Movement]:
    """Return the movement of each action in a label file's CSV text; empty without a column ``way`` or ``opposite``.

    Raises:
        MarEdgeError: it is no label file, a way is none of ours, an opposite is no action of the file.
    """
    rows = list(label_rows(text, source))
    if not any("way" in row or "opposite" in row for _, row in rows):
        return {}
    found = {(row["action"] or "").strip(): _movement(row, where) for where, row in rows}
    for name, movement in found.items():
        if movement.opposite and movement.opposite not in found:
            raise MarEdgeError(
                f"{source}: '{movement.opposite}', the opposite of '{name}', is not in the file"
                f"{did_you_mean(movement.opposite, found)}"
            )
    return found


def read_movements(path: Path) -> dict[str, Movement]:
    """Return what a label file says of movements (see ``parse_movements``)."""
    return parse_movements(read_label_text(path), str(path))


@cache
def ma52_movements() -> Movements:
    """Return the movements of MA-52's actions."""
    text = resources.files("mar_edge.edge").joinpath("labelsets", "ma52.csv").read_text(encoding="utf-8")
    return parse_movements(text, "ma52.csv")


def combined(*stated: Movements) -> Movements:
    """Return what several files state, the later ones first, and MA-52's for the rest; empty where none states any."""
    named = {name: movement for one in stated for name, movement in one.items()}
    return {**ma52_movements(), **named} if named else {}


def stated_for(labels: Sequence[Label], movements: Movements) -> tuple[Movement, ...]:
    """Return (K,) one movement for each label, as files store them; empty where nothing is stated."""
    return tuple(movements.get(label.name, Movement()) for label in labels) if movements else ()


def movements_of(labels: Sequence[Label], stated: Sequence[Movement]) -> tuple[Movement, ...]:
    """Return (K,) what a model file states; without that, the movements of MA-52's actions of the same names."""
    return tuple(stated) or stated_for(labels, ma52_movements())


def _movement(row: Mapping[str, str | None], where: str) -> Movement:
    way, opposite = ((row.get(column) or "").strip() for column in ("way", "opposite"))
    for known in get_args(Way):
        if way in (known, ""):
            return Movement(known if way else "both", opposite)
    raise MarEdgeError(f"{where}: way is {', '.join(get_args(Way))} or empty, not '{way}'")
