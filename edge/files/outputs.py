"""Files that are written: checked before the work, and then written whole or not at all. Knows no file formats.

Every file that must appear whole (models, checkpoints, engines, reports, downloads) is written through this module.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError

_DRAFTS = ".mar-edge-"


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None] = ()) -> None:
    """Check, before minutes of work, that each output can be written and is none of the inputs.

    None is a file that was not named. Nothing is left behind, and no folder is made.

    Raises:
        MarEdgeError: an output is an input (by any path or link), is named twice, is a folder, or cannot be written
            there.
    """
    read = [path for path in inputs if path is not None]
    wanted = [path for path in outputs if path is not None]
    for place, output in enumerate(wanted):
        for source in read:
            if _is_same(output, source):
                raise MarEdgeError(f"{output} is {_named(source, output)}, which would be lost; name another output")
        if any(_is_same(output, other) for other in wanted[:place]):
            raise MarEdgeError(f"{output} is named for two outputs; name two files")
        _try(output)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, and its folder where there is none. The file that was there stays until the new one is on the disk.

    Raises:
        MarEdgeError: it cannot be written. Nothing of it is left behind.
    """
    with draft_of(path) as draft:
        draft.write_bytes(content)


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """Yield a path of the same name to write to. Its file then takes the place of ``path``.

    A device or a pipe is written to directly. ``remove_drafts`` removes what a killed process left.

    Raises:
        MarEdgeError: it cannot be written. Nothing of it is left behind.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    try:
        if _is_device(target):
            yield target
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with folder_of_drafts(target.parent) as folder:
            draft = folder / target.name
            yield draft
            if target.exists():
                shutil.copymode(target, draft)
            put_in_place(draft, target)
    except OSError as error:
        raise MarEdgeError(f"cannot write {path}: {error.strerror or error}") from None


@contextmanager
def folder_of_drafts(beside: Path) -> Iterator[Path]:
    """Yield an empty folder in ``beside``, for files to ``put_in_place`` there; it is removed with what is left in it.

    Raises:
        OSError: it cannot be made.
    """
    with tempfile.TemporaryDirectory(dir=beside, prefix=_DRAFTS) as folder:
        yield Path(folder)


def put_in_place(draft: Path, target: Path) -> None:
    """Replace ``target`` by a finished file in the same file system, so that it survives a power cut.

    Raises:
        MarEdgeError: it cannot be written.
    """
    try:
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise MarEdgeError(f"cannot write {target}: {error.strerror or error}") from None


def remove_drafts(folder: Path) -> None:
    """Remove what killed processes left in a folder. No other process may be writing there."""
    for left in folder.glob(f"{_DRAFTS}*"):
        shutil.rmtree(left, ignore_errors=True)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there yet
        return os.path.realpath(one) == os.path.realpath(other)


def _named(source: Path, output: Path) -> str:
    return "an input" if str(source) == str(output) else f"the same file as the input {source}"


def _is_device(target: Path) -> bool:
    return target.exists() and not target.is_file() and not target.is_dir()


def _try(output: Path) -> None:
    target = Path(os.path.realpath(output))
    try:
        if target.is_dir():
            raise MarEdgeError(f"cannot write {output}: it is a folder; name a file in it")
        if _is_device(target):
            return
        there = next(folder for folder in target.parents if folder.exists())
        with tempfile.TemporaryFile(dir=there, prefix=_DRAFTS):
            pass
    except OSError as error:
        raise MarEdgeError(f"cannot write {output}: {error.strerror or error}") from None


def _sync_folder(path: Path) -> None:
    """Write the folder's entries to the disk, on systems that can open a folder."""
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
