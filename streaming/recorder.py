"""Recordings: one stream's messages, a JSON document a line, appended to files that survive a kill. Never pixels.

Each line goes to the kernel whole, in one write, before the next message is made: a program that is killed loses at
most the line it was writing, and ``edge.recording`` leaves out a line that breaks off. A power cut may take what the
kernel had not written to the disk yet.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType

from edge.errors import MarEdgeError
from streaming.messages import AnyMessage, HelloMessage, encode

SUFFIX = ".jsonl"
# After a failed write (a full disk), so long passes until the next try.
RETRY_S = 10.0
_log = logging.getLogger("mar_edge.record")


@dataclass(frozen=True)
class RecordConfig:
    """Where recordings go, and when a new file begins.

    folder: made if need be. most_mb, most_hours: of one file. keep: of each stream, the oldest are removed beyond so
    many files; None keeps all.

    Raises:
        MarEdgeError: a value that makes no sense.
    """

    folder: Path
    most_mb: float = 256.0
    most_hours: float = 24.0
    keep: int | None = None

    def __post_init__(self) -> None:
        if not 0.001 <= self.most_mb <= 1e6:
            raise MarEdgeError(f"--record-mb is 0.001 to 1000000, not {self.most_mb}")
        if not 0.0 < self.most_hours <= 1e4:
            raise MarEdgeError(f"--record-hours is more than 0 and at most 10000, not {self.most_hours}")
        if self.keep is not None and self.keep < 1:
            raise MarEdgeError(f"--record-keep is at least 1, not {self.keep}")


class Recorder:
    """Appends one stream's messages. A context manager; used from one thread.

    ``written`` counts lines and ``lost`` those that could not be written; ``error`` says why, while it lasts. A disk
    that is full never stops the stream: it is tried again every ``RETRY_S``.

    Args:
        config: where, and when a new file begins.
        stream, run: of the messages; both stand in the files' names.
        clock: monotonic seconds; another one in tests.

    Raises:
        MarEdgeError: on entering, the folder cannot be written to.
    """

    def __init__(
        self, config: RecordConfig, stream: str, run: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.written = 0
        self.lost = 0
        self.error: str | None = None
        self.path: Path | None = None
        self._config, self._stream, self._run, self._clock = config, stream, run, clock
        self._file: int | None = None
        self._bytes = 0
        self._opened_s = 0.0
        self._retry_s = 0.0
        self._number = 0
        self._hello: bytes | None = None

    def write(self, message: AnyMessage) -> None:
        """Append one message, unless it is a status; never raises what a disk may do."""
        if message.kind == "status":
            return
        line = encode(message) + b"\n"
        if isinstance(message, HelloMessage):
            self._hello = line
        if self.error is not None and self._clock() < self._retry_s:
            self.lost += 1
            return
        try:
            if self._file is None or self._is_full(len(line)):
                self._next_file()
                if self._hello is not None and self._hello is not line:
                    self._append(self._hello)  # each file can be read on its own
            self._append(line)
        except OSError as error:
            self._fail(error)
            return
        self.written += 1
        if self.error is not None:
            _log.warning("recording again, after %d lost lines", self.lost)
            self.error = None

    def _append(self, line: bytes) -> None:
        assert self._file is not None
        done = os.write(self._file, line)
        if done != len(line):  # as much as a full disk took
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._bytes += done

    def _fail(self, error: OSError) -> None:
        reason = error.strerror or str(error)
        if self.error is None:
            _log.error("cannot record to %s: %s; trying again every %.0f s", self._config.folder, reason, RETRY_S)
        self.error = reason
        self.lost += 1
        self._retry_s = self._clock() + RETRY_S
        if self._file is not None:
            try:
                os.ftruncate(self._file, self._bytes)  # no half line before the next whole one
            except OSError:
                self._close()

    def _is_full(self, more: int) -> bool:
        return (
            self._bytes + more > self._config.most_mb * 1e6
            or self._clock() - self._opened_s > self._config.most_hours * 3600
        )

    def _next_file(self) -> None:
        self._close()
        self._number += 1
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        path = self._config.folder / f"{self._stream}-{stamp}-{self._run[:8]}-{self._number:04d}{SUFFIX}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o640)
        self.path, self._bytes, self._opened_s = path, 0, self._clock()
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        if self._config.keep is None:
            return
        name = re.compile(re.escape(self._stream) + r"-\d{8}T\d{6}Z-[0-9a-f]{8}-\d{4,}" + re.escape(SUFFIX))
        mine = sorted(path for path in self._config.folder.iterdir() if name.fullmatch(path.name))
        for path in mine[: -self._config.keep]:
            path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            try:
                os.fsync(file)
            finally:
                os.close(file)

    def __enter__(self) -> Recorder:
        try:
            self._config.folder.mkdir(parents=True, exist_ok=True)
            self._next_file()
        except OSError as error:
            raise MarEdgeError(f"cannot record to {self._config.folder}: {error.strerror}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._close()
        except OSError as error:
            _log.error("the recording %s may be incomplete: %s", self.path, error.strerror)


class StreamRecorders:
    """Recordings of whatever streams come, each run of a sender in files of its own. A context manager.

    ``written`` and ``lost`` count lines, ``skeletons`` those among the messages that hold one.
    """

    def __init__(self, config: RecordConfig) -> None:
        self.skeletons = 0
        self._config = config
        self._counts = [0, 0]
        self._open: dict[str, tuple[str, Recorder]] = {}

    @property
    def written(self) -> int:
        """Lines that were written."""
        return self._counts[0] + sum(recorder.written for _, recorder in self._open.values())

    @property
    def lost(self) -> int:
        """Lines that could not be written."""
        return self._counts[1] + sum(recorder.lost for _, recorder in self._open.values())

    def write(self, message: AnyMessage) -> None:
        """Append one message to its stream's recording.

        Raises:
            MarEdgeError: the folder cannot be written to.
        """
        self.skeletons += message.kind == "skeleton"
        run, recorder = self._open.get(message.stream, ("", None))
        if recorder is None or run != message.run:
            self._close(message.stream)
            recorder = Recorder(self._config, message.stream, message.run).__enter__()
            self._open[message.stream] = message.run, recorder
        recorder.write(message)

    def _close(self, stream: str) -> None:
        _, recorder = self._open.pop(stream, ("", None))
        if recorder is not None:
            recorder.__exit__(None, None, None)
            self._counts[0] += recorder.written
            self._counts[1] += recorder.lost

    def __enter__(self) -> StreamRecorders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in list(self._open):
            self._close(stream)
