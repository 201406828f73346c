"""How long work reports its progress."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""What is being done, how much of it is done, and out of how much; None where that is not known."""


def silent(what: str, done: int, total: int | None) -> None:
    """Report nothing."""
