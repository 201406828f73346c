"""Frames, and the contract of the sources that give them: cameras and replays. Opens and decodes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Answer, Skeleton
from mar_edge.streaming.capture.sources import Source

NS = 1_000_000_000

State = Literal["connecting", "live", "stalled", "lost", "ended"]


@dataclass(frozen=True)
class Frame:
    """One image and the time of its capture.

    Attributes:
        seq: Number in the source, from 0; dropped frames leave gaps.
        t_capture_ns: Wall clock, ns since 1970. In a recording: wall clock at its start plus ``media_s``.
        t_mono_ns: ``time.monotonic_ns`` when it became available; latencies count from here.
        media_s: Capture clock: seconds since the start, in whole nanoseconds, strictly increasing. Windows use it.
        image: (H, W, 3) BGR uint8, not reused, oriented as a player shows it; (0, 0, 3) in a replay.
        segment: Number of the continuous stretch of the source. A new connection, a new size, a jump of the clock and
            a pause in a recording begin another one. Two segments never share a movement.
        people: Skeletons that were recorded, in a replay; None if the pose stage must find them.
        answers: Answers about pictures that count from this frame on, in a replay.
    """

    seq: int
    t_capture_ns: int
    t_mono_ns: int
    media_s: float
    image: NDArray[np.uint8]
    segment: int = 0
    people: tuple[Skeleton, ...] | None = None
    answers: tuple[Answer, ...] = ()

    @property
    def media_ns(self) -> int:
        """The capture clock in whole nanoseconds, as messages have it."""
        return round(self.media_s * NS)


class FrameSource(Protocol):
    """A source of frames: a ``Camera``, or a recording that is replayed. A context manager.

    See ``Camera`` for its attributes.
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
        """Whether no frame is left and none will come. Then ``end_reason`` gives the reason."""
        ...

    @property
    def ran_out(self) -> bool:
        """Whether the source itself ended, and was not stopped."""
        ...

    def start(self) -> None:
        """Start the clock."""
        ...

    def elapsed_s(self) -> float:
        """Return the seconds of real time since ``start``."""
        ...

    def frame_age_s(self) -> float | None:
        """Return the seconds since the newest frame; None before the first."""
        ...

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, after waiting up to ``timeout_s``; None if none came in time."""
        ...
