"""The one cache folder: downloads and results that take long to compute. All of it can be made again."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

from mar_edge.edge.errors import MarEdgeError

Kind = Literal["models", "engines", "calibration"]


def cache_folder(kind: Kind) -> Path:
    """Return the folder for one kind of thing. It may not exist yet.

    The first of these that is set decides:

    1. ``MAR_EDGE_CACHE``: ``$MAR_EDGE_CACHE/KIND``;
    2. ``XDG_CACHE_HOME``: ``$XDG_CACHE_HOME/mar-edge/KIND``;
    3. the system's own place, ``mar-edge/KIND`` in ``~/.cache`` (Linux), ``~/Library/Caches`` (macOS) or
       ``%LOCALAPPDATA%`` (Windows).

    Raises:
        MarEdgeError: the user has no home folder, as in some containers.
    """
    if own := os.environ.get("MAR_EDGE_CACHE"):
        return Path(own) / kind
    return Path(os.environ.get("XDG_CACHE_HOME") or _user_caches()) / "mar-edge" / kind


def _user_caches() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData/Local")
    return _home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise MarEdgeError(
            "no folder for a cache: HOME is not set and the system does not list this user; "
            "set MAR_EDGE_CACHE to a folder that can be written"
        ) from None
