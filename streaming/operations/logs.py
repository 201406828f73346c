"""Logs on standard error: text on a terminal, JSON lines elsewhere.

JSON lines include what other libraries log, warn about or write to the descriptor. They are written in the background,
so that no thread that logs waits for a disk or a pipe.
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

from mar_edge.streaming.operations.background_calls import BackgroundCalls

LOGGER = "mar_edge"
_log = logging.getLogger(LOGGER)


class JsonLines(logging.Formatter):
    """``{"time": ..., "level": ..., "logger": ..., "thread": ..., "message": ...}``; with a traceback, if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line for a record."""
        document = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        # A file name may hold bytes that are not text.
        document = {key: str(value).encode(errors="backslashreplace").decode() for key, value in document.items()}
        return msgspec.json.encode(document).decode()


class BackgroundHandler(logging.Handler):
    """Writes records to a file on its own thread. ``lost`` counts those that could not be written."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._printer = BackgroundCalls("log")

    @property
    def lost(self) -> int:
        """Records that could not be written."""
        return self._printer.lost

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one record."""
        text = self.format(record)
        self._printer.submit(lambda: self._write(text))

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def flush(self) -> None:
        """Wait up to a second for records that are not written yet."""
        self._printer.flush()

    def close(self) -> None:
        """Write what is queued, for a second at most."""
        self._printer.close()
        super().close()


class _StderrCapture:
    """Turns what C and C++ libraries write to the descriptor of standard error into log records.

    ``stream`` is the real standard error. What does not fit into the pipe is lost; the last output of a crash may be
    lost too.
    """

    def __init__(self) -> None:
        real = os.dup(2)
        self.stream = os.fdopen(real, "w", encoding="utf-8", errors="backslashreplace")
        reading, writing = os.pipe()
        os.set_blocking(writing, False)  # a blocked writer may hold a lock that the reading thread needs
        os.dup2(writing, 2)
        os.close(writing)
        self._lines = os.fdopen(reading, "rb")
        threading.Thread(target=self._read, name="stderr", daemon=True).start()

    def _read(self) -> None:
        log = logging.getLogger("stderr")
        while line := self._lines.readline(_LONGEST_LINE):
            text = _COLORS.sub("", line.decode("utf-8", "replace")).strip()
            if text:
                log.warning("%s", text)


_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST_LINE = 8192
_capture: list[_StderrCapture] = []
"""The one of this process: its descriptor is redirected once."""


def _capture_stderr() -> None:
    """Redirect the descriptor, if the command line's own output can be kept out of it."""
    redirect = getattr(sys.stderr, "redirect", None)
    if redirect is None or _capture:
        return
    try:
        sys.stderr.flush()
        _capture.append(_StderrCapture())
    except OSError:  # no descriptor is left: output stays as it is
        return
    redirect(_capture[0].stream)


def set_up_logs() -> None:
    """Log to standard error; unless it is a terminal, as JSON lines, including the output of other libraries."""
    if not sys.stderr.isatty():
        _capture_stderr()
    handler = BackgroundHandler(sys.stderr)
    root, ours = logging.getLogger(), logging.getLogger(LOGGER)
    if sys.stderr.isatty():
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s: %(message)s", "%H:%M:%S"))
        # Logs of other libraries stay as they are on a terminal.
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
    """Log a bug on a thread, with its traceback in one line."""
    if failure.exc_value is None or failure.exc_type is SystemExit:
        return
    name = failure.thread.name if failure.thread is not None else "a thread"
    info = failure.exc_type, failure.exc_value, failure.exc_traceback
    _log.error("%s failed: %s", name, failure.exc_value, exc_info=info)
