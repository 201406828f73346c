"""The camera: frames of one source, reconnected as often as needed. Knows nothing of poses, windows or sockets.

Live sources, and recordings in real time, keep only the newest frame. A frame that replaces an unread one counts it as
dropped, so frames do not get older if the reader is slow. Other recordings wait for the reader, which gets every frame.

A live source that ends, hangs or does not open is opened again, without limit. One thread watches another one that
reads (``_Connection``): a read that hangs in a driver cannot be interrupted, only abandoned.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.backoff import Backoff
from mar_edge.streaming.capture.capture_modes import CaptureMode
from mar_edge.streaming.capture.frames import NS, Frame, State
from mar_edge.streaming.capture.pacing import Pacer
from mar_edge.streaming.capture.readers import OPEN_TIMEOUT_S, Reader, open_source
from mar_edge.streaming.capture.sources import Source, parse_source

OPEN_SLACK_S = 5.0
JOIN_TIMEOUT_S = 0.5
STALL_S = 5.0
# An abandoned network read times out this much later, so that its thread ends.
_READ_SLACK_S = 2.0
_WATCH_S = 0.1
# Limit for reads that hang in a driver; no more are started until one returns.
MOST_HUNG = 4
# Larger steps of the wall clock between two frames are jumps, not slewing.
CLOCK_JUMP_S = 0.5

Opener = Callable[[Source, float, float], Reader]
_log = logging.getLogger("mar_edge.camera")


@dataclass
class _Connection:
    """State of one connection to the source. Its thread writes it, the watching thread reads it."""

    start_ns: int
    live_ns: int | None = None
    newest_ns: int = 0
    recorded: bool = False
    reason: str = ""
    failure: Exception | None = None
    abandoned: bool = False
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def lasted_s(self) -> float:
        """Seconds from its first to its newest frame."""
        return 0.0 if self.live_ns is None else (self.newest_ns - self.live_ns) / NS


class Camera:
    """Frames of one source, captured on its own threads. A context manager.

    Entering opens the source and decodes its first frame; ``start`` starts the clock. Between the two, a recording
    waits, and frames of a live source are discarded. A source that is lost later is opened again.

    Attributes:
        every_frame: Whether it waits for its reader, so that no frame is dropped.
        frames: Frames captured.
        dropped: Frames that were never read.
        connections: Times that the source was opened.
        stalls: Connections that ended because no frame came for ``stall_s``.
        corrupt: Frames that could not be decoded.
        clock_jumps: Jumps of the wall clock.
        last_error: Last error of the source, without credentials.

    Args:
        source: A source string (see ``streaming.capture.sources``).
        realtime: Play a recording at its own speed, and drop frames if the reader is too slow.
        mode: Requested capture mode of a camera.
        stall_s: Seconds without a frame after which a live source is opened again.
        wait_for_source: Whether entering returns before the source is open. A source that does not open is then
            retried like one that was lost.
        open_timeout_s: Seconds that opening may take.
        backoff: Delay before each new attempt.
        opener: Opens the parsed source; a fake one in tests.
        zero_ns: Wall clock of media time 0, of a recording whose date is known; None for the time of ``start``.

    Raises:
        MarEdgeError: on entering, the source cannot be opened or gives no frame. Not with ``wait_for_source``.
    """

    def __init__(
        self,
        source: str,
        realtime: bool = False,
        *,
        mode: CaptureMode | None = None,
        stall_s: float = STALL_S,
        wait_for_source: bool = False,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        backoff: Backoff | None = None,
        opener: Opener = open_source,
        zero_ns: int | None = None,
    ) -> None:
        self.source = parse_source(source, mode)
        self.fps: float | None = None
        self.size: tuple[int, int] = (0, 0)
        self.state: State = "connecting"
        self.t_zero_ns = 0
        self.segment = 0
        self.frames = self.dropped = 0
        self.connections = self.stalls = self.corrupt = self.clock_jumps = 0
        self.last_error: str | None = None
        self.end_reason: str | None = None
        self.every_frame = False
        self._realtime = realtime
        self._stall_s = stall_s
        self._wait_for_source = wait_for_source
        self._open_timeout_s = open_timeout_s
        self._backoff = backoff or Backoff()
        self._opener = opener
        self._zero_ns = zero_ns
        self._mono_zero_ns = 0
        self._newest_ns: int | None = None
        self._clock_offset_ns: int | None = None
        self._slot: Frame | None = None
        self._failure: Exception | None = None
        self._hung: list[_Connection] = []
        self._changed = threading.Condition()
        self._opened, self._started, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    @property
    def ended(self) -> bool:
        """Whether no frame is left and none will come. Then ``end_reason`` gives the reason."""
        return self.end_reason is not None and self._slot is None

    @property
    def ran_out(self) -> bool:
        """Whether the source itself ended, and was not stopped."""
        return self.end_reason not in (None, _STOPPED)

    def frame_age_s(self) -> float | None:
        """Return the seconds since the newest frame; None before the first."""
        return None if self._newest_ns is None else (time.monotonic_ns() - self._newest_ns) / NS

    def start(self) -> None:
        """Start the clock: media time 0 is now."""
        self._mono_zero_ns = time.monotonic_ns()
        self.t_zero_ns = time.time_ns() if self._zero_ns is None else self._zero_ns
        self._started.set()

    def elapsed_s(self) -> float:
        """Return the seconds of real time since ``start``."""
        return (time.monotonic_ns() - self._mono_zero_ns) / NS

    def read(self, timeout_s: float) -> Frame | None:
        """Return the newest unread frame, after waiting for one if needed.

        Args:
            timeout_s: Seconds to wait.

        Returns:
            The frame; None if none came in time, or none will come (``ended``).
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
        if self._wait_for_source and self.source.kind != "file":
            return self
        self._opened.wait()  # also set when an attempt that hangs is abandoned
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._started.set()
        with self._changed:
            self._changed.notify_all()
        # A read that hangs in a driver cannot be interrupted. The threads are daemons, so the process can end.
        self._thread.join(JOIN_TIMEOUT_S)

    def _run(self) -> None:
        """Connect, watch and reconnect until stopped, or until a recording ends."""
        reason = _STOPPED
        try:
            while (ended := self._connect()) is None:
                pass
            reason = ended
        except Exception as error:  # noqa: BLE001 - raised where the camera is entered or read
            self._failure = error
            reason = f"failed: {error}"
        finally:
            with self._changed:
                self.end_reason = reason
                self.state = "ended"
                self._changed.notify_all()
            self._opened.set()

    def _connect(self) -> str | None:
        """Run one connection, from opening to its end.

        Returns:
            Why the camera has ended; None to connect again. The delay of the backoff has then passed.
        """
        connection = _Connection(time.monotonic_ns())
        reader = threading.Thread(target=self._read, args=(connection,), name="camera reader", daemon=True)
        reader.start()
        stalled = self._watch(connection)
        if self._stop.is_set():
            reader.join(JOIN_TIMEOUT_S)
            return _STOPPED
        failed = isinstance(connection.failure, MarEdgeError)
        if connection.failure is not None and not failed:
            raise connection.failure
        if connection.recorded and connection.live_ns is not None:
            return f"camera lost: {connection.reason}" if failed else connection.reason
        if not self._opened.is_set() and (connection.recorded or not self._wait_for_source):
            raise connection.failure or MarEdgeError(connection.reason)
        self._wait_to_reconnect(connection, stalled=stalled)
        return None

    def _watch(self, connection: _Connection) -> bool:
        """Wait until the connection ends (False), or is abandoned because no frame came for too long (True)."""
        while not connection.done.wait(_WATCH_S):
            now_ns = time.monotonic_ns()
            if self._stop.is_set():
                break
            if connection.live_ns is None:
                limit_s = self._open_timeout_s + OPEN_SLACK_S
                if now_ns - connection.start_ns > limit_s * NS:
                    connection.reason = f"{self.source.description} did not open within {limit_s:.0f} s"
                    return self._abandon(connection)
            elif not connection.recorded and now_ns - connection.newest_ns > self._stall_s * NS:
                connection.reason = f"{self.source.description} sent no frame for {self._stall_s:g} s"
                self.stalls += 1
                return self._abandon(connection)
        return False

    def _abandon(self, connection: _Connection) -> bool:
        with self._changed:
            connection.abandoned = True
        self._hung.append(connection)
        return True

    def _wait_to_reconnect(self, connection: _Connection, *, stalled: bool) -> None:
        """Report the loss, and wait as long as the backoff requires."""
        with self._changed:
            self.state = "stalled" if stalled and connection.live_ns is not None else "lost"
            self.last_error = connection.reason
            self.segment += 1
        delay_s = self._backoff.after(connection.lasted_s)
        _log.warning("camera %s: %s; trying again in %.1f s", self.state, connection.reason, delay_s)
        self._stop.wait(delay_s)
        while not self._stop.is_set():
            self._hung = [hung for hung in self._hung if not hung.done.is_set()]
            if len(self._hung) < MOST_HUNG:
                return
            self.last_error = f"{len(self._hung)} reads of {self.source.description} hang and cannot be interrupted"
            self._stop.wait(_WATCH_S)

    def _read(self, connection: _Connection) -> None:
        """Open, deliver frames and close; runs on the thread of the connection."""
        try:
            reader = self._opener(self.source, self._open_timeout_s, self._stall_s + _READ_SLACK_S)
            try:
                connection.recorded = reader.recorded
                self.every_frame = reader.recorded and not self._realtime
                image = self._first_image(connection, reader)
                self._go_live(connection, reader, image)
                live = not reader.recorded
                for frame in self._live(connection, reader) if live else self._recorded(connection, reader, image):
                    self._offer(connection, frame)
                connection.reason = connection.reason or reader.end_reason()
            finally:
                reader.close()
        except MarEdgeError as error:
            connection.reason, connection.failure = connection.reason or str(error), error
        except Exception as error:  # noqa: BLE001 - a bug on this thread is raised where frames are read
            connection.failure = error
        finally:
            connection.done.set()

    def _first_image(self, connection: _Connection, reader: Reader) -> NDArray[np.uint8]:
        while not self._stop.is_set() and not connection.abandoned and reader.grab():
            if (image := self._image(reader)) is not None:
                return image
        raise MarEdgeError(f"{self.source.description} opens, but sends no frame that can be decoded")

    def _image(self, reader: Reader) -> NDArray[np.uint8] | None:
        """Return the grabbed frame; None, counted as corrupt, if it cannot be decoded."""
        try:
            return reader.retrieve()
        except MarEdgeError as error:
            self.corrupt += 1
            self.last_error = str(error)
            return None

    def _go_live(self, connection: _Connection, reader: Reader, image: NDArray[np.uint8]) -> None:
        with self._changed:
            if connection.abandoned:
                return
            if self.connections:
                _log.info("camera live again: %s", self.source.description)
            elif self._started.is_set():
                self.segment += 1  # its size was unknown when the clock started
            self.connections += 1
            self.fps, self.size = reader.fps, (image.shape[1], image.shape[0])
            connection.live_ns = connection.newest_ns = self._newest_ns = time.monotonic_ns()
            self.state = "live"
        self._opened.set()

    def _live(self, connection: _Connection, reader: Reader) -> Iterator[Frame]:
        while not self._stop.is_set() and not connection.abandoned and reader.grab():
            t_mono_ns, t_capture_ns = time.monotonic_ns(), time.time_ns()
            if not self._started.is_set():
                connection.newest_ns = t_mono_ns
                continue
            if (image := self._image(reader)) is None:
                continue
            with self._changed:
                if connection.abandoned:
                    return
                connection.newest_ns = self._newest_ns = t_mono_ns
                self._check_size(image)
                self._check_clock(t_capture_ns - t_mono_ns)
                media_s = (t_mono_ns - self._mono_zero_ns) / NS
                frame = Frame(self._next_seq(), t_capture_ns, t_mono_ns, media_s, image, self.segment)
            yield frame

    def _check_size(self, image: NDArray[np.uint8]) -> None:
        """Begin a new segment when the size changes."""
        size = (image.shape[1], image.shape[0])
        if size != self.size:
            _log.warning("camera: the size of pictures changed to %dx%d from %dx%d", *size, *self.size)
            self.size = size
            self.segment += 1

    def _check_clock(self, clock_offset_ns: int) -> None:
        """Begin a new segment when the wall clock jumps, which it also does when the machine sleeps."""
        before_ns, self._clock_offset_ns = self._clock_offset_ns, clock_offset_ns
        if before_ns is not None and abs(clock_offset_ns - before_ns) > CLOCK_JUMP_S * NS:
            _log.warning("the wall clock jumped by %+.1f s", (clock_offset_ns - before_ns) / NS)
            self.clock_jumps += 1
            self.segment += 1

    def _recorded(self, connection: _Connection, reader: Reader, first: NDArray[np.uint8]) -> Iterator[Frame]:
        self._started.wait()
        pacer = Pacer(self._mono_zero_ns)
        image: NDArray[np.uint8] | None = first
        breaks = reader.segment
        while not self._stop.is_set():
            seq, media_ns = self._next_seq(), round(reader.media_s() * NS)
            media_s = media_ns / NS
            if self._realtime and pacer.skips(media_s, time.monotonic_ns()):
                self.dropped += 1
            elif image is not None or (image := self._image(reader)) is not None:
                self.segment += reader.segment - breaks
                breaks = reader.segment
                self._check_size(image)
                if self._realtime:
                    self._stop.wait(max(pacer.early_s(media_s, time.monotonic_ns()), 0.0))
                self._newest_ns = time.monotonic_ns()
                yield Frame(seq, self.t_zero_ns + media_ns, self._newest_ns, media_s, image, self.segment)
            image = None
            if not reader.grab():
                return
        connection.reason = _STOPPED

    def _next_seq(self) -> int:
        self.frames += 1
        return self.frames - 1

    def _offer(self, connection: _Connection, frame: Frame) -> None:
        with self._changed:
            if self.every_frame:
                self._changed.wait_for(lambda: self._slot is None or self._stop.is_set())
            if connection.abandoned:
                self.dropped += 1
                return
            if self._slot is not None:
                self.dropped += 1
            self._slot = frame
            self._changed.notify_all()


_STOPPED = "stopped"
