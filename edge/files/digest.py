"""SHA-256 of files: computed, and compared with a stated one. Knows nothing of the files' content."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError

_CHUNK = 1 << 18


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in lower case."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def parse_sha256(text: str) -> str:
    """Return a SHA-256 of 64 hexadecimal digits in lower case.

    Raises:
        MarEdgeError: the text is not one.
    """
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise MarEdgeError(f"a SHA-256 is 64 hexadecimal digits, as 'sha256sum FILE' prints it; not '{text[:80]}'")
    return text.lower()


def check_sha256(path: Path, expected: str) -> None:
    """Compare a file with the SHA-256 that is stated for it.

    Raises:
        MarEdgeError: it cannot be read, or has another hash.
    """
    try:
        found = sha256_of(path)
    except OSError as error:
        raise MarEdgeError(f"cannot read {path}: {error.strerror}") from None
    if found != expected.lower():
        raise MarEdgeError(
            f"{path} is not the expected file: its SHA-256 is {found}, stated is {expected}. Get it again, or "
            "state the new hash if you trust the file"
        )
