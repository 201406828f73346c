"""Progress of long work, on standard error: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mar_edge.edge.progress import Progress

_LINE_EVERY_S = 10.0


@contextmanager
def showing_progress() -> Iterator[Progress]:
    """Where progress is shown while the context lasts."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield show


def _lines() -> Progress:
    told_s = time.monotonic()

    def show(what: str, done: int, total: int) -> None:
        nonlocal told_s
        if time.monotonic() - told_s >= _LINE_EVERY_S or done == total:
            told_s = time.monotonic()
            print(f"{what}: {done} of {total}", file=sys.stderr, flush=True)

    return show
