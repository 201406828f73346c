"""How long-running work reports its progress."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""Called with the name of the work, the number of steps done, and the number of steps in total, None if unknown."""


def silent(what: str, done: int, total: int | None) -> None:
    """Report nothing."""
