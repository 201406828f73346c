"""Results that take long to compute, kept between runs in pytest's cache.

``make clean`` and ``pytest --cache-clear`` remove them.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from mar_edge.edge.files.outputs import write_whole

ROOT = Path(__file__).parents[1]
_UNUSED_S = 30 * 24 * 3600


class Kept:
    """Results in a folder, one file each, which begins with the SHA-256 of the rest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str, inputs: Iterable[str | bytes], make: Callable[[], bytes]) -> bytes:
        """Return what ``make`` returns; call it only if nothing, or something damaged, is kept for these inputs.

        Args:
            name: beginning of the file's name.
            inputs: everything that the result depends on.
        """
        path = self._folder / f"{name}-{_digest(inputs).hex()}"
        with _locked(path.with_suffix(".lock")):
            content = _read(path)
            if content is None:
                content = make()
                write_whole(path, hashlib.sha256(content).digest() + content)
                self._remove_unused()
            os.utime(path)
        return content

    def _remove_unused(self) -> None:
        for path in self._folder.iterdir():
            if time.time() - path.stat().st_mtime > _UNUSED_S:
                path.unlink(missing_ok=True)


def code(*folders: str) -> Iterator[bytes]:
    """Yield the content of all Python files in these folders of the repository."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.read_bytes()


def versions(*distributions: str) -> str:
    """Return the versions of installed packages."""
    return " ".join(f"{name} {version(name)}" for name in distributions)


def _digest(parts: Iterable[str | bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.digest()


def _read(path: Path) -> bytes | None:
    try:
        stored = path.read_bytes()
    except FileNotFoundError:
        return None
    content = stored[32:]
    return content if hashlib.sha256(content).digest() == stored[:32] else None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process in at a time. Systems without ``fcntl`` compute some results twice."""
    with path.open("w") as lock:
        try:
            import fcntl
        except ImportError:  # Windows
            pass
        else:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
