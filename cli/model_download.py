"""Download a known model, with its license and the progress shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mar_edge.cli.progress import showing_progress
from mar_edge.edge.pose.choice import chosen_mirror

if TYPE_CHECKING:
    from mar_edge.edge.zoo.catalog import KnownModel


def fetch_shown(model: KnownModel, mirror: str | None) -> Path:
    """Return the file of a known model; show the download, if one is needed."""
    from mar_edge.edge.zoo.fetch import address, cached, fetch

    if cached(model) is not None:
        return fetch(model)
    mirror = chosen_mirror(mirror)
    print(f"{model.name} ({model.licence}) from {address(model, mirror)}", file=sys.stderr, flush=True)
    with showing_progress(in_bytes=True) as progress:
        return fetch(model, mirror=mirror, progress=lambda done, total: progress(model.name, done, total))
