"""What every report of ``bench`` has: the line about the machine, and the JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mar_edge.edge.files.outputs import write_whole

if TYPE_CHECKING:
    import msgspec

    from mar_edge.cli.bench import Environment


def print_environment(where: Environment) -> None:
    """Where it was measured, in a line."""
    load = "" if where.load is None else f"; load {where.load:.1f}"
    print(
        f"{where.processor}, {where.cores} cores, {where.threads} threads; {where.machine}, Python {where.python}{load}"
    )


def write_json(report: msgspec.Struct, path: Path | None) -> None:
    """Every figure, if there is a ``path``.

    Raises:
        MarEdgeError: it cannot be written.
    """
    import msgspec

    if path is None:
        return
    write_whole(path, msgspec.json.format(msgspec.json.encode(report)) + b"\n")
