"""The clock of a recording: when each frame was taken, and when it is due. Reads nothing, waits for nothing."""

from __future__ import annotations

from mar_edge.streaming.capture.frames import NS

FALLBACK_FPS = 30.0
# Frames further apart do not show one movement: a recorder that films only motion, a time lapse, a still screen.
GAP_S = 1.0
# Stamps may go back by a little where frames were reordered; by more, and another recording begins.
_DISORDER_S = 1.0
# A recorded frame this late is skipped undecoded, as a camera would have gone on without it...
LATE_S = 0.1
# ...but a machine too slow to decode in real time still gets one now and then.
STARVED_S = 0.5


class MediaClock:
    """Frame times of a recording: its own stamps, except where they are broken.

    ``segment`` counts the unbroken stretches: it grows with each gap of more than ``GAP_S``, and where stamps begin
    again from an earlier time.

    Args:
        fps: the container's own rate; used for steps without a usable stamp, where it is between 1 and 240.
    """

    def __init__(self, fps: float) -> None:
        self.step_s = 1.0 / (fps if 1.0 <= fps <= 240.0 else FALLBACK_FPS)
        self.segment = 0
        self._offset_s = 0.0
        self._last_s: float | None = None

    def next(self, stamp_s: float | None, following_s: float | None = None) -> float:
        """When the frame is shown, in seconds from the beginning of the recording; strictly increasing.

        Args:
            stamp_s: its stamp; None where it has none.
            following_s: that of the frame after it. A far leap forward is believed only if it is not taken back.
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
            if last_s - media_s > _DISORDER_S:  # go on from here, at the stamps' own pace
                self._offset_s += expected_s - media_s
                self.segment += 1
            media_s = expected_s
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
