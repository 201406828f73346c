"""The clock of a recording: the time of each frame, and when it is due. Reads nothing, waits for nothing."""

from __future__ import annotations

from mar_edge.streaming.capture.frames import NS

FALLBACK_FPS = 30.0
# Frames further apart do not show one movement: motion-triggered recording, time lapse, still screen.
GAP_S = 1.0
# Timestamps may go back slightly where frames were reordered. By more, another recording begins.
_DISORDER_S = 1.0
# In real time, a frame this late is skipped without decoding it...
LATE_S = 0.1
# ...except that a machine too slow to decode all frames still gets one this often.
STARVED_S = 0.5


class MediaClock:
    """Frame times of a recording: its own timestamps, except where they are invalid.

    ``segment`` counts continuous stretches. A gap of more than ``GAP_S`` and timestamps that restart earlier begin
    another one.

    Args:
        fps: Frame rate of the container. If it is between 1 and 240, it gives the step for frames without a timestamp.
    """

    def __init__(self, fps: float) -> None:
        self.step_s = 1.0 / (fps if 1.0 <= fps <= 240.0 else FALLBACK_FPS)
        self.segment = 0
        self._offset_s = 0.0
        self._last_s: float | None = None

    def next(self, stamp_s: float | None, following_s: float | None = None) -> float:
        """Return the time of the next frame: seconds from the start of the recording, strictly increasing.

        Args:
            stamp_s: Its timestamp; None if it has none.
            following_s: Timestamp of the frame after it. A large step forward counts only if that frame confirms it.
        """
        last_s = self._last_s
        expected_s = 0.0 if last_s is None else last_s + self.step_s
        media_s = expected_s if stamp_s is None else stamp_s + self._offset_s
        leaps = media_s - (last_s or 0.0) > GAP_S
        if leaps and following_s is not None and following_s + self._offset_s < media_s - GAP_S:
            media_s = expected_s
        elif last_s is None:
            media_s = max(media_s, 0.0)
        elif leaps:
            self.segment += 1
        elif media_s <= last_s:
            if last_s - media_s > _DISORDER_S:  # continue from here, with the steps of the timestamps
                self._offset_s += expected_s - media_s
                self.segment += 1
            media_s = expected_s
        self._last_s = media_s
        return media_s


class Pacer:
    """Due times of frames of a recording that plays in real time. ``start_ns``: start on the monotonic clock."""

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self._shown_s = 0.0

    def early_s(self, media_s: float, now_ns: int) -> float:
        """Return the seconds until the frame is due; negative if it is late."""
        return media_s - (now_ns - self._start_ns) / NS

    def skips(self, media_s: float, now_ns: int) -> bool:
        """Return whether the frame is too late and must be skipped. To be called once for each frame, in order."""
        skip = self.early_s(media_s, now_ns) < -LATE_S and media_s - self._shown_s < STARVED_S
        if not skip:
            self._shown_s = media_s
        return skip
