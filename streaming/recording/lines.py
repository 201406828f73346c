"""The lines of a recording, as all its readers take them. Knows what a line is, not what its message says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mar_edge.edge.errors import MarEdgeError

MAX_LINE_BYTES = 1 << 20
"""As long as a message may be (``streaming.wire.messages.MAX_BYTES``)."""


@dataclass(frozen=True)
class Line:
    """One line that is not blank.

    number: from 1. start: its first byte in the file. content: without the newline. whole: its newline is there; a last
    line without one may be a message or break off, as a kill leaves it.
    """

    number: int
    start: int
    content: bytes
    whole: bool


def recorded_lines(path: Path) -> Iterator[Line]:
    """Read the lines of a recording. NULs at its end, as a power cut leaves them, are no part of it.

    Raises:
        MarEdgeError: the file cannot be read, or a line is longer than a message may be.
    """
    try:
        with path.open("rb") as file:
            number = start = 0
            while content := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                after = file.tell()
                if content.endswith(b"\0") and _only_nuls(file):
                    content = content.rstrip(b"\0")
                    if content.strip():
                        yield Line(number, start, content, whole=False)
                    return
                if len(content) > MAX_LINE_BYTES:
                    raise MarEdgeError(f"{path}, line {number}: longer than {MAX_LINE_BYTES} bytes, as no message is")
                if content.strip():
                    yield Line(number, start, content.strip(), whole=content.endswith(b"\n"))
                start = after
    except OSError as error:
        raise MarEdgeError(f"cannot read recording {path}: {error.strerror}") from None


def _only_nuls(file: BinaryIO) -> bool:
    """Return whether nothing but NULs follows; leaves the file where it is if something does."""
    here = file.tell()
    while chunk := file.read(MAX_LINE_BYTES):
        if chunk.strip(b"\0"):
            file.seek(here)
            return False
    return True
