"""The files of recordings, line by line. Knows what a line is, not what its message says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.lines import recorded_lines
from mar_edge.streaming.recording.recorder import SUFFIX, age_order
from mar_edge.streaming.wire.messages import MalformedMessage, UnknownSchema

T = TypeVar("T")


def recording_files(paths: Sequence[Path]) -> list[Path]:
    """The files that are meant by ``paths``: themselves, or all recordings of one folder, oldest first.

    Raises:
        MarEdgeError: there is none.
    """
    if len(paths) == 1 and paths[0].is_dir():
        files = sorted(paths[0].glob(f"*{SUFFIX}"), key=age_order)
        if not files:
            raise MarEdgeError(
                f"{paths[0]} holds no recording (*{SUFFIX}); 'mar-edge serve --record FOLDER' writes them"
            )
        return files
    for path in paths:
        if not path.is_file():
            raise MarEdgeError(f"no recording at {path}; give files of 'mar-edge record', or one folder of them")
    if not paths:
        raise MarEdgeError("no recording named; give files of 'mar-edge record', or one folder of them")
    return list(paths)


def read_lines(files: Sequence[Path], parse: Callable[[bytes], T]) -> Iterator[tuple[Path, int, T]]:
    """What ``parse`` makes of each line: its file, its number there, and the result.

    A last line that breaks off is left out, and so are NULs at the end: how a recording ends whose program was killed,
    or whose machine lost its power.

    Args:
        parse: bytes of one line; raises MalformedMessage or UnknownSchema for what it cannot read.

    Raises:
        MarEdgeError: a file cannot be read, or a whole line is no message that this version reads (the error names
            the line).
    """
    for path in files:
        for line in recorded_lines(path):
            try:
                yield path, line.number, parse(line.content)
            except UnknownSchema as error:  # noqa: PERF203 - names the line
                raise MarEdgeError(f"{path}, line {line.number}: {error}") from None
            except MalformedMessage as error:
                if line.whole:
                    raise MarEdgeError(f"{path}, line {line.number}: {error}") from None
