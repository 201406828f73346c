"""Standard output and error of a command, whatever became of them: a full disk, a reader that left, a closed one.

Standard error is for people and programs that may not be there: what cannot be written to it is counted, and nothing
else happens. Standard output is what a command is for: where it cannot be written, the command ends with one line,
unless the command prints in the background (``streaming.operations.background_printer``) and goes on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from mar_edge.edge.errors import MarEdgeError


class CannotPrint(MarEdgeError):
    """Standard output takes nothing more. ``reader_left``: it is a pipe that nobody reads, as after ``| head``."""

    def __init__(self, reason: str, reader_left: bool) -> None:
        super().__init__(f"cannot write to standard output: {reason}")
        self.reader_left = reader_left


class Guarded:
    """A text stream whose failures are counted (``lost``, in writes), and raised as one error if it is ``strict``."""

    def __init__(self, stream: TextIO, strict: bool) -> None:
        self.lost = 0
        self._stream, self._strict = stream, strict

    def write(self, text: str) -> int:
        """Write, as far as the stream takes it."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError) as error:  # ValueError: it is closed
            self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Write what the stream holds back."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._fail(error)

    def redirect(self, stream: TextIO) -> None:
        """Write to another stream from now on, until the guard is taken off."""
        self._stream = stream

    def take_off(self, stream: TextIO) -> None:
        """Lead the descriptor of the guarded stream back to where it led, if it was turned away meanwhile."""
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
    """Guard ``sys.stdout`` and ``sys.stderr`` while the context lasts; letters that they lack are escaped."""
    _open_descriptors()
    before = sys.stdout, sys.stderr
    streams = [_usable(stream) for stream in before]
    guarded = Guarded(streams[0], strict=True), Guarded(streams[1], strict=False)
    sys.stdout, sys.stderr = guarded  # whatever a stream has, the guard passes on
    try:
        yield
    finally:
        with suppress(CannotPrint):
            guarded[0].flush()
        guarded[1].flush()
        for stream, guard in zip(streams, guarded, strict=True):
            guard.take_off(stream)
            if guard.lost:
                _give_up(stream)
        sys.stdout, sys.stderr = before


def say(text: str) -> None:
    """Print a line of a command that is not for its output: it goes on where nobody can read it."""
    with suppress(CannotPrint):
        print(text, flush=True)


def _open_descriptors() -> None:
    """Put /dev/null where a standard descriptor is closed: what is opened next would get its number, and its output."""
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
    """Let the interpreter's own last flush succeed."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
