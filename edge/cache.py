"""Where what took long to compute is kept. Everything in it can be made again."""

from __future__ import annotations

import os
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError


def cache_folder(kind: str) -> Path:
    """The folder for one kind of thing: under ``MAR_EDGE_CACHE``, else under the user's cache folder. May not exist.

    Raises:
        MarEdgeError: the user has no home folder, as in a container.
    """
    own = os.environ.get("MAR_EDGE_CACHE")
    if own:
        return Path(own) / kind
    return Path(os.environ.get("XDG_CACHE_HOME") or home() / ".cache") / "mar-edge" / kind


def home() -> Path:
    """The user's home folder.

    Raises:
        MarEdgeError: there is none.
    """
    try:
        return Path.home()
    except RuntimeError:
        raise MarEdgeError(
            "the user has neither HOME nor an entry in the system's list of users, so there is no folder for a cache; "
            "set XDG_CACHE_HOME to a folder that may be written"
        ) from None
