"""Several whole numbers in one option: sizes of inferences, as ``bench`` and ``build`` take them; people."""

from __future__ import annotations

from edge.errors import MarEdgeError


def batch_sizes(text: str, option: str = "--batch") -> list[int]:
    """``1,4,8`` -> [1, 4, 8], ascending, each once. ``option`` is what the user called it.

    Raises:
        MarEdgeError: it is anything else.
    """
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise MarEdgeError(f"{option} are whole numbers of at least 1, as 1,4,8; not '{text}'")
    return sorted({int(part) for part in parts})
