"""The option ``--participants``: names with commas between them."""

from __future__ import annotations

from mar_edge.edge.errors import MarEdgeError


def participant_names(text: str) -> tuple[str, ...]:
    """Return ``P01,P02`` as names, each once.

    Raises:
        MarEdgeError: it holds no name.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise MarEdgeError(f"--participants takes names, such as P01,P02; not '{text}'")
    return names
