"""Where what took long to compute is kept. Everything in it can be made again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """The folder for one kind of thing: under ``MAR_EDGE_CACHE``, else under the user's cache folder. May not exist."""
    own = os.environ.get("MAR_EDGE_CACHE")
    if own:
        return Path(own) / kind
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mar-edge" / kind
