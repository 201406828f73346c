"""Options that are lists of whole numbers: ``--batch``, ``--depths``, ``--people``."""

from __future__ import annotations

import re

from mar_edge.edge.errors import MarEdgeError


def whole_numbers(option: str, text: str, example: str) -> list[int]:
    """Return ``1,4,8`` as [1, 4, 8].

    Raises:
        MarEdgeError: the text is no such list.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"0*[1-9]\d{0,5}", part, re.ASCII) for part in parts):
        raise MarEdgeError(f"{option} takes whole numbers of at least 1, such as {example}; not '{text}'")
    return [int(part) for part in parts]


def batch_sizes(text: str) -> list[int]:
    """Return batch sizes, ascending, each once.

    Raises:
        MarEdgeError: the text is no list of them.
    """
    return sorted(set(whole_numbers("--batch", text, "1,4,8")))
