"""Recordings: one stream's messages, a JSON document a line, appended to files that survive a kill. Never pixels.

Each line goes to the kernel in one write before the next message is made. So a program that is killed loses at most the
line it was writing, and readers leave out a line that breaks off (``recording.reader``). A power cut may lose what the
kernel had not written to the disk yet.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.streaming.wire.messages import AnyMessage, HelloMessage

SUFFIX = ".jsonl"
# Pause between a failed write (a full disk) and the next attempt.
RETRY_S = 10.0
# Interval of checks that the open file is still in its folder; and how long status reports that it was gone.
LOOK_S = 0.5
_SAID_S = 3.0
_STAMP_AND_RUN = r"\d{8}T\d{6}Z-[0-9a-f]{8}"
_NAME = re.compile(rf"(?P<stream>.+?)-(?P<number>\d{{6,}})-{_STAMP_AND_RUN}{re.escape(SUFFIX)}")
_NAME_ONCE = re.compile(rf"(?P<stream>.+?)-{_STAMP_AND_RUN}-\d{{4,}}{re.escape(SUFFIX)}")
_log = logging.getLogger("mar_edge.record")


@dataclass(frozen=True)
class RecordConfig:
    """Where recordings go, and when a new file begins.

    folder: created if needed. most_mb, most_hours: limits of one file. keep: number of files to keep of each stream,
    without the oldest; None keeps all.

    Raises:
        MarEdgeError: a value out of range.
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


def age_order(path: Path) -> tuple[str, int, str]:
    """Return a sort key of recordings: by stream, in the order in which they were begun, whatever the wall clock said.

    Files are numbered throughout their folder. Earlier versions began at 1 with each run; their files come first, by
    name.
    """
    if (match := _NAME.fullmatch(path.name)) is not None:
        return match["stream"], int(match["number"]), path.name
    once = _NAME_ONCE.fullmatch(path.name)
    return path.name if once is None else once["stream"], 0, path.name


class Recorder:
    """Appends one stream's messages. A context manager; used from one thread.

    ``written`` counts lines and ``lost`` those that could not be written; ``error`` says why, while it lasts. A full
    disk never stops the stream: the recorder tries again every ``RETRY_S``. A file that is removed or replaced while it
    is written is noticed within a second, and another one begins; ``lost`` counts the lines written to it since.

    Args:
        config: where, and when a new file begins.
        stream, run: of the messages; both are parts of the files' names.
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
        self._look_s = 0.0
        self._unseen = 0  # lines since the file was last seen in its folder
        self._said_s = 0.0

    def write(self, encoded: EncodedMessage[AnyMessage]) -> None:
        """Append one message, unless it is a status. Errors of the disk are counted, never raised."""
        self._look()
        if encoded.message.kind == "status":
            return
        line = encoded.json + b"\n"
        if isinstance(encoded.message, HelloMessage):
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
        self._unseen += 1
        if self.error is not None and self._clock() >= self._said_s:
            _log.warning("recording again, after %d lost lines", self.lost)
            self.error = None

    def _look(self) -> None:
        """Check that the open file is still in its folder; begin another one where it is not."""
        if self._file is None or self._clock() < self._look_s:
            return
        self._look_s = self._clock() + LOOK_S
        assert self.path is not None
        try:
            there, ours = self.path.stat(), os.fstat(self._file)
            if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
                self._unseen = 0
                return
            reason = "replaced"
        except OSError:
            reason = "removed"
        self.error = f"{self.path.name} was {reason} while it was written"
        self._said_s = self._clock() + _SAID_S
        self.lost += self._unseen
        _log.error("recording %s was %s while it was written; a new file begins", self.path, reason)
        self._abandon()

    def _abandon(self) -> None:
        """Continue with another file, at once."""
        self._unseen, self._retry_s = 0, 0.0
        try:
            self._close()
            self._next_file()
            if self._hello is not None:
                self._append(self._hello)
        except OSError as error:
            self._fail(error)

    def _append(self, line: bytes) -> None:
        assert self._file is not None
        done = os.write(self._file, line)
        if done != len(line):  # as much as a full disk took
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._bytes += done

    def _fail(self, error: OSError) -> None:
        reason = error.strerror or str(error)
        if self.error != reason:
            _log.error("cannot record to %s: %s; trying again every %.0f s", self._config.folder, reason, RETRY_S)
        self.error, self._said_s = reason, 0.0
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
        folder = self._config.folder
        folder.mkdir(parents=True, exist_ok=True)
        self._number = 1 + max([self._number, *(age_order(path)[1] for path in self._own_files())])
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        path = folder / f"{self._stream}-{self._number:06d}-{stamp}-{self._run[:8]}{SUFFIX}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o640)
        self.path, self._bytes, self._opened_s, self._unseen = path, 0, self._clock(), 0
        self._look_s = self._clock() + LOOK_S
        self._forget_oldest()

    def _own_files(self) -> list[Path]:
        """Return the stream's recordings in the folder, oldest first."""
        found = (path for path in self._config.folder.iterdir() if age_order(path)[0] == self._stream)
        return sorted(found, key=age_order)

    def _forget_oldest(self) -> None:
        if self._config.keep is None:
            return
        others = [path for path in self._own_files() if path != self.path]
        for path in others[: max(0, len(others) + 1 - self._config.keep)]:
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
            self._next_file()
        except OSError as error:
            raise MarEdgeError(f"cannot record to {self._config.folder}: {error.strerror}") from None
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._close()
        except OSError as error:
            _log.error("the recording %s may be incomplete: %s", self.path, error.strerror)


class StreamRecorders:
    """Recordings of any number of streams, each run of a sender in its own files. A context manager.

    ``written`` and ``lost`` count lines, ``skeletons`` those among the messages that hold one.

    Raises:
        MarEdgeError: on entering, the folder cannot be written to.
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
        """Append one message to its stream's recording. Errors of the disk are counted, never raised."""
        self.skeletons += message.kind == "skeleton"
        run, recorder = self._open.get(message.stream, ("", None))
        if recorder is None or run != message.run:
            self._close(message.stream)
            # Not entered: a sender that starts again while the disk is full must not end the recording of the others.
            recorder = Recorder(self._config, message.stream, message.run)
            self._open[message.stream] = message.run, recorder
        recorder.write(EncodedMessage(message))

    def _close(self, stream: str) -> None:
        _, recorder = self._open.pop(stream, ("", None))
        if recorder is not None:
            recorder.__exit__(None, None, None)
            self._counts[0] += recorder.written
            self._counts[1] += recorder.lost

    def __enter__(self) -> StreamRecorders:
        try:
            self._config.folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self._config.folder).close()
        except OSError as error:
            raise MarEdgeError(f"cannot record to {self._config.folder}: {error.strerror}") from None
        return self

    def __exit__(self, *exc_info: object) -> None:
        for stream in list(self._open):
            self._close(stream)
