"""Body groups of labels: the parts of the body that they move and need. Data, read from CSV."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class BodyGroup:
    """What the labels of one group have in common.

    moves: regions of the layout whose movement a label is about; empty for the whole body.
    needs: regions that a window must show for its labels (``edge.visibility``).
    channel: labels of one channel are events one at a time. In 17 hours of interviews (MMA-52's annotations), at most
        15 % of a group's instances overlap others of its channel. Of different channels, up to 58 % do.
    """

    moves: tuple[str, ...]
    needs: tuple[str, ...]
    channel: str


def body_group(body: str) -> BodyGroup:
    """Return a group by the name that labels have for it; one that is not known is a channel of its own."""
    return body_groups().get(body, BodyGroup((), (), body))


@cache
def body_groups() -> dict[str, BodyGroup]:
    """Return all known groups, by name."""
    text = resources.files("mar_edge.edge").joinpath("labelsets", "body_groups.csv").read_text(encoding="utf-8")
    return {
        row["body"]: BodyGroup(tuple(row["moves"].split()), tuple(row["needs"].split()), row["channel"])
        for row in csv.DictReader(text.splitlines())
    }
