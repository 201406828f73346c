"""How many processor cores this process may use, and how many of them one inference."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Return the number of cores; a container or ``taskset`` may allow fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share_of_cores(threads: int, users: int) -> int:
    """Return the threads of one inference if ``users`` run at once; ``threads`` of 0 shares the cores among them.

    With a thread per core for each of them, their threads wait for each other. On two cores, two 1080p cameras then
    dropped more frames and took a sixth more processor time (benchmarks/cameras.py).
    """
    return threads or max(usable_cores() // users, 1)
