"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and out of how much."""


def silent(what: str, done: int, total: int) -> None:
    """Tells nobody."""
