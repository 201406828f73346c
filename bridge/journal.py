"""The journal of a bridge: messages on disk until a sink has them. Bounded; survives the death of the process.

SQLite keeps it, with a write-ahead log: what ``add`` has written survives ``kill -9``. A power cut may cost the newest
messages, but never the file.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mar_edge.bridge.sinks.base import Entry
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.encoding import encode
from mar_edge.streaming.wire.messages import AnyMessage

# Changes with the tables; a journal of another version is refused.
_VERSION = 1
# What a message takes in addition to its body: names, numbers and SQLite's index.
_OVERHEAD_BYTES = 200
# Of messages in memory, however long they are.
_MOST_AT_ONCE_BYTES = 4 << 20
_COLUMNS = (
    "position INTEGER PRIMARY KEY AUTOINCREMENT",
    "stream TEXT NOT NULL",
    "run TEXT NOT NULL",
    "seq INTEGER NOT NULL",
    "kind TEXT NOT NULL",
    "added_s REAL NOT NULL",  # wall clock: it must outlive the process
    "body BLOB NOT NULL",
    "UNIQUE (stream, run, seq)",
)


@dataclass
class Dropped:
    """Messages of one run that were dropped: how many, and the lowest and highest of their numbers."""

    count: int
    first_seq: int
    last_seq: int


class Journal:
    """Messages that wait for a sink, oldest first. A context manager; any thread may use it.

    Attributes:
        dropped: Messages that were dropped because the journal was full, by stream and run.
        failed: Messages that could not be written.
        last_failure: Why not; None if all could.

    Args:
        path: file; made if it is missing, readable by its owner only.
        most_bytes: size of all messages above which the oldest are dropped.

    Raises:
        MarEdgeError: it cannot be opened, is no journal, or another bridge uses it.
    """

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.dropped: dict[tuple[str, str], Dropped] = {}
        self.failed = 0
        self.last_failure: str | None = None
        self._path, self._most_bytes = path, most_bytes
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        # Position of the last message that a sink may be sending: it must not be dropped meanwhile.
        self._lent = 0
        self._newest: dict[str, tuple[str, int]] = {}
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, timeout=0.0, isolation_level=None, check_same_thread=False)
        except OSError as error:
            raise MarEdgeError(f"cannot open the journal {path}: {error.strerror}") from None
        with self._readable():
            self._count, self._bytes = self._set_up()

    def _set_up(self) -> tuple[int, int]:
        # One process only: it is locked until the connection closes or the process dies.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchone()
        if version != _VERSION and (version or tables):
            self._db.close()
            raise MarEdgeError(f"{self._path} is a database of something else; name another file with --journal")
        self._db.execute(f"CREATE TABLE IF NOT EXISTS entries ({', '.join(_COLUMNS)})")
        self._db.execute(f"PRAGMA user_version = {_VERSION}")
        query = f"SELECT count(*), coalesce(sum(length(body) + {_OVERHEAD_BYTES}), 0) FROM entries"
        count, total_bytes = self._db.execute(query).fetchone()
        return count, total_bytes

    @property
    def waiting(self) -> int:
        """Messages in the journal."""
        return self._count

    def oldest_age_s(self) -> float:
        """Return for how long the oldest message has been waiting, seconds; 0 if none is."""
        with self._lock, self._readable():
            row = self._db.execute("SELECT added_s FROM entries ORDER BY position LIMIT 1").fetchone()
        return 0.0 if row is None else max(0.0, time.time() - row[0])

    def add(self, message: AnyMessage) -> None:
        """Write a message, and drop the oldest ones if there is no room. One that came before is left out."""
        run, seq = self._newest.get(message.stream, ("", -1))
        if message.run == run and message.seq <= seq:  # it came by a second route, and may have left already
            return
        self._newest[message.stream] = message.run, message.seq
        body = encode(message)
        row = message.stream, message.run, message.seq, message.kind, time.time(), body
        with self._lock:
            try:
                self._make_room(len(body) + _OVERHEAD_BYTES)
                added = self._db.execute(
                    "INSERT OR IGNORE INTO entries (stream, run, seq, kind, added_s, body) VALUES (?, ?, ?, ?, ?, ?)",
                    row,
                ).rowcount
            except sqlite3.Error as error:  # the disk is full, or fails
                self.failed += 1
                self.last_failure = f"cannot write the journal {self._path}: {error}"
                return
            self._count += added
            self._bytes += added * (len(body) + _OVERHEAD_BYTES)
            self._filled.notify()

    def _make_room(self, wanted_bytes: int) -> None:
        while self._bytes + wanted_bytes > self._most_bytes:
            row = self._db.execute(
                "SELECT position, stream, run, seq, length(body) FROM entries WHERE position > ? "
                "ORDER BY position LIMIT 1",
                (self._lent,),
            ).fetchone()
            if row is None:
                return
            position, stream, run, seq, body_bytes = row
            self._db.execute("DELETE FROM entries WHERE position = ?", (position,))
            self._count -= 1
            self._bytes -= body_bytes + _OVERHEAD_BYTES
            known = self.dropped.setdefault((stream, run), Dropped(0, seq, seq))
            known.count += 1
            known.last_seq = max(known.last_seq, seq)

    def oldest(self, most: int, wait_s: float) -> list[Entry]:
        """Return the oldest messages, at most ``most``, after waiting for one. They are not dropped until ``settle``.

        Raises:
            MarEdgeError: the journal cannot be read.
        """
        with self._lock, self._readable():
            if not self._count:
                self._filled.wait(wait_s)
            entries: list[Entry] = []
            held_bytes = 0
            query = "SELECT position, stream, run, seq, kind, body FROM entries ORDER BY position LIMIT ?"
            for row in self._db.execute(query, (most,)):
                entries.append(Entry(*row))
                held_bytes += len(entries[-1].body)
                if held_bytes > _MOST_AT_ONCE_BYTES:
                    break
            self._lent = entries[-1].position if entries else 0
            return entries

    def settle(self, done: Sequence[Entry]) -> None:
        """Remove messages that arrived, or were refused; all that ``oldest`` returned may be dropped again.

        Raises:
            MarEdgeError: the journal cannot be written.
        """
        with self._lock, self._readable():
            self._lent = 0
            if done:
                self._db.execute("DELETE FROM entries WHERE position <= ?", (done[-1].position,))
                self._count -= len(done)
                self._bytes -= sum(len(entry.body) + _OVERHEAD_BYTES for entry in done)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            busy = "locked" in str(error)
            why = "another bridge uses it; give each its own --journal" if busy else f"{error}; move the file away"
            raise MarEdgeError(f"cannot use the journal {self._path}: {why}") from None

    def close(self) -> None:
        """Close the file; what waits stays in it."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
