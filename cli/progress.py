"""The progress bar, on standard error: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mar_edge.edge.progress import Progress

_LINE_EVERY_S = 10.0


@contextmanager
def showing_progress(in_bytes: bool = False) -> Iterator[Progress]:
    """Show progress while the context lasts.

    Args:
        in_bytes: amounts are bytes of a download, which are shown in megabytes with their rate.
    """
    if not sys.stderr.isatty():
        yield _lines(in_bytes)
        return
    from rich import progress as rich
    from rich.console import Console

    amounts = (rich.DownloadColumn(), rich.TransferSpeedColumn()) if in_bytes else (rich.MofNCompleteColumn(),)
    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), *amounts, rich.TimeRemainingColumn())
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def show(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total)

        yield show


def _lines(in_bytes: bool) -> Progress:
    last_s = time.monotonic()
    begun: dict[str, tuple[float, int]] = {}

    def show(what: str, done: int, total: int | None) -> None:
        nonlocal last_s
        if done:  # what comes before the first step says nothing about the others
            begun.setdefault(what, (time.monotonic(), done))
        if time.monotonic() - last_s >= _LINE_EVERY_S or done == total:
            last_s = time.monotonic()
            known = [amount for amount in (done, total) if amount is not None]
            shown = [f"{amount / 1e6:.1f}" if in_bytes else str(amount) for amount in known]
            left = _time_left(*begun[what], done, total) if what in begun else ""
            print(f"{what}: {' of '.join(shown)}{' MB' * in_bytes}{left}", file=sys.stderr, flush=True)

    return show


def _time_left(start_s: float, first: int, done: int, total: int | None) -> str:
    """Return how long the rest takes at the mean rate so far, in words; "" if that is unknown or nothing is left."""
    if total is None or done <= first or done >= total:
        return ""
    left_s = (total - done) * (time.monotonic() - start_s) / (done - first)
    return f", about {timedelta(seconds=round(left_s))} left"
