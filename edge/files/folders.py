"""Folders that a user names: what is in them, or one line that says why that cannot be known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from mar_edge.edge.errors import MarEdgeError


def listed(folder: Path) -> list[Path]:
    """Return what is in a folder, by name.

    Raises:
        MarEdgeError: it is no folder, or cannot be read.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        _fail(error)


def all_files_in(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and of all folders in it.

    Raises:
        MarEdgeError: one of the folders cannot be read.
    """
    for inside, _, names in os.walk(folder, onerror=_fail):
        yield from (path for name in names if (path := Path(inside, name)).is_file())


def _fail(error: OSError) -> NoReturn:
    raise MarEdgeError(f"cannot read the folder {error.filename}: {error.strerror}") from None
