"""Logs on standard error: a line for people on a terminal, a JSON document a line for machines elsewhere.

Elsewhere what other libraries log, warn of or write to the descriptor becomes JSON lines too. They are written in the
background: who logs never waits for a disk or a pipe.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from datetime import datetime, timezone
from typing import TextIO

import msgspec

from mar_edge.streaming.operations.background_printer import BackgroundPrinter

LOGGER = "mar_edge"
_log = logging.getLogger(LOGGER)


class JsonLines(logging.Formatter):
    """``{"time": ..., "level": ..., "logger": ..., "thread": ..., "message": ...}``, with the traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, one line."""
        document = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        # A file name may hold bytes that are no text.
        document = {key: str(value).encode(errors="backslashreplace").decode() for key, value in document.items()}
        return msgspec.json.encode(document).decode()


class BackgroundHandler(logging.Handler):
    """Writes records to a stream, on a thread of its own. ``lost`` counts those that could not be written."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._printer = BackgroundPrinter("log")

    @property
    def lost(self) -> int:
        """Records that could not be written."""
        return self._printer.lost

    def emit(self, record: logging.LogRecord) -> None:
        """Have one record written."""
        text = self.format(record)
        self._printer.later(lambda: self._write(text))

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def flush(self) -> None:
        """Wait a moment for what is not written yet."""
        self._printer.settle()

    def close(self) -> None:
        """Write what waits, for a moment."""
        self._printer.close()
        super().close()


class _ForeignLines:
    """Makes log records of what C and C++ libraries write to the descriptor of standard error.

    ``stream`` is where standard error really leads. What does not fit into the pipe is lost, and so may be what a crash
    says last.
    """

    def __init__(self) -> None:
        real = os.dup(2)
        self.stream = os.fdopen(real, "w", encoding="utf-8", errors="backslashreplace")
        reading, writing = os.pipe()
        os.set_blocking(writing, False)  # who writes may hold what the reading thread needs
        os.dup2(writing, 2)
        os.close(writing)
        self._lines = os.fdopen(reading, "rb")
        threading.Thread(target=self._read, name="stderr", daemon=True).start()

    def _read(self) -> None:
        log = logging.getLogger("stderr")
        while line := self._lines.readline(_LONGEST_LINE):
            text = _COLOURS.sub("", line.decode("utf-8", "replace")).strip()
            if text:
                log.warning("%s", text)


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST_LINE = 8192
_foreign: list[_ForeignLines] = []
"""The one of this process: its descriptor is redirected once."""


def _catch_foreign_lines() -> None:
    """Begin, where the command line's own prints can be kept out of it."""
    redirect = getattr(sys.stderr, "redirect", None)
    if redirect is None or _foreign:
        return
    try:
        sys.stderr.flush()
        _foreign.append(_ForeignLines())
    except OSError:  # no descriptor is left: the lines stay as they are
        return
    redirect(_foreign[0].stream)


def set_up_logs() -> None:
    """Send our log to standard error; for machines, whatever is written there by others, as JSON lines."""
    if not sys.stderr.isatty():
        _catch_foreign_lines()
    handler = BackgroundHandler(sys.stderr)
    root, ours = logging.getLogger(), logging.getLogger(LOGGER)
    if sys.stderr.isatty():
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s: %(message)s", "%H:%M:%S"))
        # What others log on a terminal is left alone.
        ours.propagate = False
        _replace(ours, handler)
    else:
        handler.setFormatter(JsonLines())
        ours.propagate = True
        _replace(ours, None)
        _replace(root, handler)
        logging.captureWarnings(True)
        threading.excepthook = _log_thread_failure
    ours.setLevel(logging.INFO)


def _replace(logger: logging.Logger, handler: logging.Handler | None) -> None:
    for old in [each for each in logger.handlers if isinstance(each, BackgroundHandler)]:
        logger.removeHandler(old)
        old.close()
    if handler is not None:
        logger.addHandler(handler)


def _log_thread_failure(failure: threading.ExceptHookArgs) -> None:
    """A bug on a thread, with its traceback in one line."""
    if failure.exc_value is None or failure.exc_type is SystemExit:
        return
    name = failure.thread.name if failure.thread is not None else "a thread"
    info = failure.exc_type, failure.exc_value, failure.exc_traceback
    _log.error("%s failed: %s", name, failure.exc_value, exc_info=info)
