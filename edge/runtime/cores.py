"""How many processor cores this process may use, and how many of them one inference."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Return the number of cores; a container or ``taskset`` may allow fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share_of_cores(threads: int, users: int) -> int:
    """Return the threads of one inference if ``users`` run at once; ``threads`` of 0 shares the cores among them.

    With a thread per core for each of them, their threads wait for each other: two 1080p cameras on two cores then
    took a fifth more processor time and dropped three times as many frames (benchmarks/cameras.py).
    """
    return threads or max(usable_cores() // users, 1)
