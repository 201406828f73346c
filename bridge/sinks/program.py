"""A program for each message, with the message as JSON on its standard input. No shell is involved.

Exit status 0 takes the message; 65 (EX_DATAERR of sysexits.h) refuses it; after any other, it is tried again.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence

from mar_edge.bridge.sinks.base import Entry, Refused, Unavailable
from mar_edge.bridge.target import Target
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.choices import Kind

_TIMEOUT_S = 30.0
_REFUSED = 65


class ProgramSink:
    """Messages to a program (see ``Sink``).

    Args:
        target: its path is the command line.
        timeout_s: seconds after which the program and those that it started are killed.

    Raises:
        MarEdgeError: there is no such program.
    """

    kinds: tuple[Kind, ...] = ("event",)
    batch_size = 1

    def __init__(self, target: Target, timeout_s: float = _TIMEOUT_S) -> None:
        try:
            self._command = shlex.split(target.path)
        except ValueError as error:
            raise MarEdgeError(f"--to: {target.shown}: {error}") from None
        if not self._command or shutil.which(self._command[0]) is None:
            raise MarEdgeError(f"--to: no such program: {target.path}; exec: takes a program and its arguments")
        self._timeout_s = timeout_s

    def open(self) -> None:
        """Do nothing: each message starts the program."""

    def send(self, batch: Sequence[Entry]) -> int:
        """Run the program with one message and wait for its end."""
        try:
            # A session of its own: Ctrl-C in the terminal is for the bridge.
            running = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise Unavailable(f"cannot start {self._command[0]}: {error.strerror}") from None
        try:
            running.communicate(batch[0].body + b"\n", self._timeout_s)
        except subprocess.TimeoutExpired:
            _kill(running)
            raise Unavailable(f"{self._command[0]} did not end within {self._timeout_s:g} s") from None
        if running.returncode == _REFUSED:
            raise Refused(f"{self._command[0]} ended with status {_REFUSED}")
        if running.returncode:
            raise Unavailable(f"{self._command[0]} ended with status {running.returncode}")
        return 1

    def close(self) -> None:
        """Do nothing."""


def _kill(running: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(running.pid, signal.SIGKILL)
    else:
        running.kill()
    running.wait()
