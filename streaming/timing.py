"""One timer for the whole run: named sections, percentiles over the recent past, a report at the end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

RECENT = 600


@dataclass(frozen=True)
class Percentiles:
    """Percentiles of the recent samples of one section, in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


class Timer:
    """Durations by name. Memory is bounded: the last ``recent`` samples of each section and its totals.

    Args:
        recent: samples that percentiles look back on.
        clock: seconds; another one in tests.
    """

    def __init__(self, recent: int = RECENT, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._recent = recent
        self._samples: dict[str, deque[float]] = {}
        self._totals: dict[str, tuple[int, float]] = {}

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Time the block, also where it raises."""
        start = self._clock()
        try:
            yield
        finally:
            self.record(name, self._clock() - start)

    def record(self, name: str, seconds: float) -> None:
        """Add a duration that was measured elsewhere."""
        self._samples.setdefault(name, deque(maxlen=self._recent)).append(seconds)
        count, total_s = self._totals.get(name, (0, 0.0))
        self._totals[name] = (count + 1, total_s + seconds)

    def last_ms(self, name: str) -> float:
        """Return the section's latest duration; 0 where there is none."""
        samples = self._samples.get(name)
        return samples[-1] * 1000.0 if samples else 0.0

    def percentiles(self) -> dict[str, Percentiles]:
        """Return those of every section that has samples."""
        return {
            name: Percentiles(*(float(ms) for ms in np.percentile(samples, (50, 95, 99)) * 1000.0))
            for name, samples in self._samples.items()
        }

    def report(self) -> str:
        """Return a table for people: a line for each section, in the order of their first samples."""
        lines = [f"{'stage':<12}{'count':>8}{'mean ms':>10}{'p50':>8}{'p95':>8}{'p99':>8}"]
        for name, p in self.percentiles().items():
            count, total_s = self._totals[name]
            mean_ms = total_s / count * 1000.0
            lines.append(f"{name:<12}{count:>8}{mean_ms:>10.2f}{p.p50_ms:>8.2f}{p.p95_ms:>8.2f}{p.p99_ms:>8.2f}")
        return "\n".join(lines)
