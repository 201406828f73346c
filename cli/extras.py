"""Optional packages: asked for before they are imported, so that their absence is one clear line."""

from __future__ import annotations

from importlib.util import find_spec

from mar_edge.edge.errors import MissingExtra


def require(extra: str, *packages: str) -> None:
    """Raise MissingExtra, with the install command, unless all ``packages`` of the role ``extra`` are installed."""
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtra(package, extra)
