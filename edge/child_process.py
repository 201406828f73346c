"""What a process does first that another one of ours started: it ends with it, and leaves Ctrl-C to it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading


def begin_child() -> None:
    """Ignore Ctrl-C, which reaches the whole group, and end when the parent ends, however that happens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
