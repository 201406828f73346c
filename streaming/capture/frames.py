"""What cameras and replays give: frames, and the contract of whoever gives them. Opens and decodes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Skeleton
from mar_edge.streaming.capture.sources import Source

NS = 1_000_000_000

State = Literal["connecting", "live", "stalled", "lost", "ended"]


@dataclass(frozen=True)
class Frame:
    """One image and when it was taken.

    seq: its place in the source, from 0; frames that were dropped leave holes.
    t_capture_ns: wall clock. Of a recording: wall clock at its start plus ``media_s``.
    t_mono_ns: ``time.monotonic_ns`` when it became available; latencies count from here.
    media_s: the capture clock, seconds since the start, whole nanoseconds, strictly increasing; windows live on it.
    image: (H, W, 3) BGR uint8, the reader's to keep, turned as a player shows it; (0, 0, 3) in a replay.
    people: of a replay, whom the frame showed when it was recorded; None where that is for the pose stage to find.
    segment: counts the unbroken stretches of the source. It grows with a new connection, a new size, a jump of the
        clock, a pause in a recording: what lies in two segments is not one movement.
    """

    seq: int
    t_capture_ns: int
    t_mono_ns: int
    media_s: float
    image: NDArray[np.uint8]
    segment: int = 0
    people: tuple[Skeleton, ...] | None = None


class FrameSource(Protocol):
    """Where frames come from: a ``Camera``, or a recording that is replayed. A context manager.

    ``every_frame``: it waits for its reader, so that none is dropped. ``frames`` came, ``dropped`` of them were never
    read; what else is counted, see ``Camera``.
    """

    source: Source
    every_frame: bool
    fps: float | None
    size: tuple[int, int]
    state: State
    segment: int
    t_zero_ns: int
    frames: int
    dropped: int
    connections: int
    stalls: int
    corrupt: int
    clock_jumps: int
    last_error: str | None
    end_reason: str | None

    @property
    def ended(self) -> bool:
        """No frame is left and none will come; ``end_reason`` says why."""
        ...

    @property
    def ran_out(self) -> bool:
        """It came to its own end, rather than being stopped."""
        ...

    def start(self) -> None:
        """Let time run."""
        ...

    def elapsed_s(self) -> float:
        """Seconds of real time since ``start``."""
        ...

    def frame_age_s(self) -> float | None:
        """Seconds since the newest frame came; None where none did."""
        ...

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame for the reader; None where none came in time."""
        ...
