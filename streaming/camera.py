"""The capture thread: a source -> frames, newest first. Knows nothing of poses, windows or sockets.

Live sources and recordings played in real time follow the newest-frame policy: one slot, and a frame that finds it
taken replaces what is there, counted as dropped. So the age of what is read does not grow, however slow the reader.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from edge.errors import MarEdgeError
from streaming.sources import OPEN_TIMEOUT_S, Reader, Source, open_source, parse_source

NS = 1_000_000_000
# A recorded frame this late is skipped undecoded, as a camera would have gone on without it...
LATE_S = 0.1
# ...but a machine too slow to decode in real time still gets one now and then.
STARVED_S = 0.5
OPEN_SLACK_S = 5.0
JOIN_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Frame:
    """One image and when it was taken.

    seq: its place in the source, from 0; frames that were dropped leave holes.
    t_capture_ns: wall clock. Of a recording: wall clock at its start plus ``media_s``.
    t_mono_ns: ``time.monotonic_ns`` when it became available; latencies count from here.
    media_s: the capture clock, seconds since the start, strictly increasing; windows live on it.
    image: (H, W, 3) BGR uint8, the reader's to keep.
    """

    seq: int
    t_capture_ns: int
    t_mono_ns: int
    media_s: float
    image: NDArray[np.uint8]


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


class Camera:
    """Frames of one source, captured on a thread of its own. A context manager.

    Entering opens the source and decodes its first frame; ``start`` lets time run. Between the two a recording
    stands still and a live source is read and forgotten.

    Args:
        source: a source string (see ``streaming.sources``).
        as_fast_as_possible: of a recording, deliver every frame as soon as it is read, and drop none.
        open_timeout_s: how long opening may take.
        opener: opens the parsed source; another one in tests.

    Raises:
        MarEdgeError: on entering, the source cannot be opened or gives no frame.
    """

    def __init__(
        self,
        source: str,
        as_fast_as_possible: bool = False,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        opener: Callable[[Source, float], Reader] = open_source,
    ) -> None:
        self.source = parse_source(source)
        self.fps: float | None = None
        self.size: tuple[int, int] = (0, 0)
        self.t_zero_ns = 0
        self.frames = 0
        self.dropped = 0
        self.end_reason: str | None = None
        self._every_frame = as_fast_as_possible
        self._open_timeout_s = open_timeout_s
        self._opener = opener
        self._mono_zero_ns = 0
        self._slot: Frame | None = None
        self._failure: Exception | None = None
        self._changed = threading.Condition()
        self._opened, self._started, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    @property
    def state(self) -> str:
        """``connecting``, ``live``, ``ended`` or ``lost``."""
        if self.end_reason is not None:
            return "lost" if self.end_reason.startswith("camera lost") else "ended"
        return "live" if self._opened.is_set() else "connecting"

    @property
    def ended(self) -> bool:
        """No frame is left and none will come; ``end_reason`` says why."""
        return self.end_reason is not None and self._slot is None

    def start(self) -> None:
        """Let time run: media time 0 is now."""
        self._mono_zero_ns, self.t_zero_ns = time.monotonic_ns(), time.time_ns()
        self._started.set()

    def elapsed_s(self) -> float:
        """Seconds of real time since ``start``."""
        return (time.monotonic_ns() - self._mono_zero_ns) / NS

    def read(self, timeout_s: float) -> Frame | None:
        """The newest frame that was not read yet, waiting for one if need be.

        Returns:
            None where none came in time, or none will come any more (``ended``).
        """
        with self._changed:
            self._changed.wait_for(lambda: self._slot is not None or self.end_reason is not None, timeout_s)
            frame, self._slot = self._slot, None
            self._changed.notify_all()
        if frame is None and self._failure is not None:
            raise self._failure
        return frame

    def __enter__(self) -> Camera:
        self._thread.start()
        # The thread's own timeouts end a network source; this ends whatever hangs without one (a driver, a pipeline).
        wait_s = self._open_timeout_s + OPEN_SLACK_S
        if not self._opened.wait(wait_s):
            self._stop.set()
            self._started.set()
            raise MarEdgeError(f"{self.source.description} did not open within {wait_s:.0f} s")
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._started.set()
        with self._changed:
            self._changed.notify_all()
        # A read that hangs in a driver cannot be called back. The thread is a daemon, so the process still ends.
        self._thread.join(JOIN_TIMEOUT_S)

    def _run(self) -> None:
        reason = "stopped"
        try:
            reader = self._opener(self.source, self._open_timeout_s)
            try:
                image = self._first_image(reader)
                self._opened.set()
                reason = self._capture(reader, image)
            finally:
                reader.close()
        except MarEdgeError as error:
            # Before it opened, the caller's error; afterwards the way this source ended.
            reason = f"camera lost: {error}"
            self._failure = None if self._opened.is_set() else error
        except Exception as error:  # noqa: BLE001 - a bug on this thread is raised where frames are read
            self._failure = error
        finally:
            with self._changed:
                self.end_reason = reason
                self._changed.notify_all()
            self._opened.set()

    def _first_image(self, reader: Reader) -> NDArray[np.uint8]:
        if self._every_frame and not reader.recorded:
            raise MarEdgeError(
                f"{self.source.description} is live and sets its own pace; 'as fast as possible' needs a video file"
            )
        if not reader.grab():
            raise MarEdgeError(f"{self.source.description} opens, but gives no frame that can be decoded")
        image = reader.retrieve()
        self.fps, self.size = reader.fps, (image.shape[1], image.shape[0])
        return image

    def _capture(self, reader: Reader, first: NDArray[np.uint8]) -> str:
        """Deliver until stopped or at the end; returns why it ended."""
        for frame in self._recorded(reader, first) if reader.recorded else self._live(reader):
            self._offer(frame)
        return "stopped" if self._stop.is_set() else reader.end_reason()

    def _live(self, reader: Reader) -> Iterator[Frame]:
        while not self._started.is_set():
            if not reader.grab():
                return
        while not self._stop.is_set() and reader.grab():
            t_mono_ns, t_capture_ns = time.monotonic_ns(), time.time_ns()
            media_s = (t_mono_ns - self._mono_zero_ns) / NS
            yield Frame(self._next_seq(), t_capture_ns, t_mono_ns, media_s, reader.retrieve())

    def _recorded(self, reader: Reader, first: NDArray[np.uint8]) -> Iterator[Frame]:
        self._started.wait()
        pacer = Pacer(self._mono_zero_ns)
        image: NDArray[np.uint8] | None = first
        while not self._stop.is_set():
            seq, media_s = self._next_seq(), reader.media_s()
            if not self._every_frame and pacer.skips(media_s, time.monotonic_ns()):
                self.dropped += 1
            else:
                image = reader.retrieve() if image is None else image
                if not self._every_frame:
                    self._stop.wait(max(pacer.early_s(media_s, time.monotonic_ns()), 0.0))
                yield Frame(seq, self.t_zero_ns + round(media_s * NS), time.monotonic_ns(), media_s, image)
            image = None
            if not reader.grab():
                return

    def _next_seq(self) -> int:
        self.frames += 1
        return self.frames - 1

    def _offer(self, frame: Frame) -> None:
        with self._changed:
            if self._every_frame:
                self._changed.wait_for(lambda: self._slot is None or self._stop.is_set())
            elif self._slot is not None:
                self.dropped += 1
            self._slot = frame
            self._changed.notify_all()
