"""The clock of a recording: when each frame was taken, and when it is due. Reads nothing, waits for nothing."""

from __future__ import annotations

import numpy as np

from streaming.frames import NS

FALLBACK_FPS = 30.0
# A recording may rest (screen capture), but no camera waits this long between frames: beyond it the stamp is broken.
MAX_STEP_S = 10.0
# A recorded frame this late is skipped undecoded, as a camera would have gone on without it...
LATE_S = 0.1
# ...but a machine too slow to decode in real time still gets one now and then.
STARVED_S = 0.5


class MediaClock:
    """Frame times of a recording from the stamps its container gives, mended where they are broken.

    Args:
        fps: the container's own rate; used for steps without a usable stamp, where it is between 1 and 240.
    """

    def __init__(self, fps: float) -> None:
        self.step_s = 1.0 / (fps if 1.0 <= fps <= 240.0 else FALLBACK_FPS)
        self._offset_s: float | None = None
        self._last_s = 0.0

    def next(self, stamp_ms: float) -> float:
        """Seconds from the first frame; strictly increasing whatever the stamps do."""
        stamp_s = stamp_ms / 1000.0 if np.isfinite(stamp_ms) else -1.0
        if self._offset_s is None:
            self._offset_s = max(stamp_s, 0.0)
            return 0.0
        media_s = stamp_s - self._offset_s
        if not self._last_s < media_s <= self._last_s + MAX_STEP_S:
            media_s = self._last_s + self.step_s
            if stamp_s - self._offset_s > media_s:  # a leap: go on from here at the stamps' own pace
                self._offset_s = stamp_s - media_s
        self._last_s = media_s
        return media_s


class Pacer:
    """When each frame of a recording is due, if it is to pass like a camera's. ``start_ns``: monotonic."""

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self._shown_s = 0.0

    def early_s(self, media_s: float, now_ns: int) -> float:
        """Seconds until the frame is due; negative where it is late."""
        return media_s - (now_ns - self._start_ns) / NS

    def skips(self, media_s: float, now_ns: int) -> bool:
        """Whether the frame comes too late to be shown at all. Asked once a frame, in order."""
        skip = self.early_s(media_s, now_ns) < -LATE_S and media_s - self._shown_s < STARVED_S
        if not skip:
            self._shown_s = media_s
        return skip
