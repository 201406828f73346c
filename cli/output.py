"""Standard output and error of a command, even on a full disk, a broken pipe or a closed descriptor.

What cannot be written to standard error is counted, and nothing else happens: perhaps nobody reads it. If standard
output cannot be written, the command ends with one line. Only commands that print in the background go on
(``streaming.operations.background_calls``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from mar_edge.edge.errors import MarEdgeError


class CannotPrint(MarEdgeError):
    """Standard output takes no more text. ``reader_left``: it is a pipe whose reader ended, as after ``| head``."""

    def __init__(self, reason: str, reader_left: bool) -> None:
        super().__init__(f"cannot write to standard output: {reason}")
        self.reader_left = reader_left


class Guarded:
    """A text stream. Counts writes that fail (``lost``); if it is ``strict``, raises CannotPrint as well."""

    def __init__(self, stream: TextIO, strict: bool) -> None:
        self.lost = 0
        self._stream, self._strict = stream, strict

    def write(self, text: str) -> int:
        """Write as much as the stream takes."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError) as error:  # ValueError: it is closed
            self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Write what the stream has buffered."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._fail(error)

    def redirect(self, stream: TextIO) -> None:
        """Write to another stream from now on, until the guard is removed."""
        self._stream = stream

    def restore(self, stream: TextIO) -> None:
        """Restore the descriptor of the guarded stream, if it was redirected."""
        if self._stream is not stream:
            with suppress(OSError, ValueError):
                os.dup2(self._stream.fileno(), stream.fileno())

    def _fail(self, error: OSError | ValueError) -> None:
        self.lost += 1
        if self._strict:
            reason = getattr(error, "strerror", None) or str(error)
            raise CannotPrint(reason, isinstance(error, BrokenPipeError)) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Guard ``sys.stdout`` and ``sys.stderr`` in the context. Characters that they cannot encode are escaped."""
    _open_descriptors()
    before = sys.stdout, sys.stderr
    streams = [_usable(stream) for stream in before]
    guarded = Guarded(streams[0], strict=True), Guarded(streams[1], strict=False)
    sys.stdout, sys.stderr = guarded  # the guard passes on every other attribute
    try:
        yield
    finally:
        with suppress(CannotPrint):
            guarded[0].flush()
        guarded[1].flush()
        for stream, guard in zip(streams, guarded, strict=True):
            guard.restore(stream)
            if guard.lost:
                _give_up(stream)
        sys.stdout, sys.stderr = before


def say(text: str) -> None:
    """Print a line for people. The command goes on if it cannot be printed."""
    with suppress(CannotPrint):
        print(text, flush=True)


def _open_descriptors() -> None:
    """Open /dev/null for closed standard descriptors. Otherwise the next file would get the number and the output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # noqa: PERF203 - each of the three may be closed
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


def _usable(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return stream


def _give_up(stream: TextIO) -> None:
    """Make the last flush of the interpreter succeed."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
