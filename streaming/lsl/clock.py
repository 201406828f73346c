"""LSL's clock and the monotonic clock of this process.

Both are steady, and on Linux they are the same. Elsewhere they have different origins and may drift apart. So their
distance is measured, again and again, and never assumed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mar_edge.streaming.capture.frames import NS

# The shortest of these readings counts: a thread that is interrupted between two clocks reads a false distance.
_READINGS = 9


class LslClock:
    """Converts between the two clocks. Measures once when constructed.

    Args:
        local_clock: LSL's clock in seconds (``pylsl.local_clock``).
        mono_ns: Monotonic nanoseconds; a fake clock in tests.
    """

    def __init__(self, local_clock: Callable[[], float], mono_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._local_clock, self._mono_ns = local_clock, mono_ns
        self._apart_s = 0.0
        self.measure()

    def measure(self) -> None:
        """Measure the distance again; to be called every second or so."""
        self._apart_s = min(self._reading() for _ in range(_READINGS))[1]

    def lsl_s(self, t_mono_ns: int) -> float:
        """Convert monotonic nanoseconds to LSL's seconds."""
        return t_mono_ns / NS + self._apart_s

    def mono_ns(self, lsl_s: float) -> int:
        """Convert LSL's seconds to monotonic nanoseconds."""
        return round((lsl_s - self._apart_s) * NS)

    def _reading(self) -> tuple[int, float]:
        """Return how long a reading took, and the distance that it found."""
        before_ns = self._mono_ns()
        lsl_s = self._local_clock()
        after_ns = self._mono_ns()
        return after_ns - before_ns, lsl_s - (before_ns + after_ns) / (2 * NS)
