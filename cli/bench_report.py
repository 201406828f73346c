"""Parts of every report of ``bench``: the line about the machine, and the JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mar_edge.edge.files.outputs import write_whole

if TYPE_CHECKING:
    import msgspec

    from mar_edge.cli.model_timing import Environment


def print_environment(where: Environment) -> None:
    """Print in one line where it was measured."""
    load = "" if where.load is None else f"; load {where.load:.1f}"
    print(
        f"{where.processor}, {where.cores} cores, {where.threads} threads; {where.machine}, Python {where.python}{load}"
    )


def write_json(report: msgspec.Struct, path: Path | None) -> None:
    """Write every figure, if there is a ``path``.

    Raises:
        MarEdgeError: it cannot be written.
    """
    import msgspec

    if path is None:
        return
    write_whole(path, msgspec.json.format(msgspec.json.encode(report)) + b"\n")
