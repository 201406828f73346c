"""Locks a folder against other processes. The lock ends with the process, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError


@contextmanager
def locked(path: Path, busy: str | None = None) -> Iterator[None]:
    """Hold the lock file ``path``, which is made in an existing folder and stays there.

    Systems without ``fcntl`` have no lock.

    Args:
        busy: what the error says where another process holds it; None waits until it is free, and does without a lock
            where the file system has none.

    Raises:
        MarEdgeError: another process holds it, or the file cannot be made.
    """
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise MarEdgeError(f"cannot write to {path.parent}: {error.strerror}") from None
    try:
        _lock(lock, path.parent, busy)
        yield
    finally:
        os.close(lock)


def _lock(lock: int, folder: Path, busy: str | None) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if busy is None else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if busy is None:
            return
        if isinstance(error, BlockingIOError):
            raise MarEdgeError(busy) from None
        raise MarEdgeError(f"cannot lock the folder {folder}: {error.strerror}") from None
