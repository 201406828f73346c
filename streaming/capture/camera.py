"""A source -> frames, newest first, for as long as it takes. Knows nothing of poses, windows or sockets.

Live sources and recordings played in real time follow the newest-frame policy: one slot, and a frame that finds it
taken replaces what is there, counted as dropped. So the age of what is read does not grow, however slow the reader.
Of any other recording every frame is read: it waits for the reader.

A live source that ends, hangs or does not open is opened again, for ever, by a thread that watches the one that reads
(``_Link``): a read that hangs in a driver cannot be called back, only left behind.
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
# A network read that we gave up ends by itself this much later, so that its thread does not stay.
_READ_SLACK_S = 2.0
_WATCH_S = 0.1
# Reads that hang in a driver; beyond so many no more are begun until one returns.
MOST_HUNG = 4
# Between two frames the wall clock may be slewed, but not by so much.
CLOCK_JUMP_S = 0.5

Opener = Callable[[Source, float, float], Reader]
_log = logging.getLogger("mar_edge.camera")


@dataclass
class _Link:
    """One connection to the source, and how it fares. Its thread writes, the watching one reads."""

    begun_ns: int
    live_ns: int | None = None
    sign_ns: int = 0
    recorded: bool = False
    reason: str = ""
    failure: Exception | None = None
    left: bool = False
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def lasted_s(self) -> float:
        """How long it gave frames."""
        return 0.0 if self.live_ns is None else (self.sign_ns - self.live_ns) / NS


class Camera:
    """Frames of one source, captured on threads of its own. A context manager.

    Entering opens the source and decodes its first frame; ``start`` lets time run. Between the two a recording
    stands still and a live source is read and forgotten. A source that is lost later is opened again.

    ``every_frame``: it waits for its reader, and drops nothing. ``frames`` were captured and ``dropped`` of them never
    read; ``connections`` were made, ``stalls`` ended some of
    them, ``corrupt`` frames could not be decoded, ``clock_jumps`` is how often the wall clock leapt; ``last_error``
    says what was wrong last, without credentials.

    Args:
        source: a source string (see ``streaming.capture.sources``).
        realtime: of a recording, give each frame when it is due, and drop those for which the reader is too slow.
        mode: what is asked of the camera.
        stall_s: a live source that gives no frame for so long is opened anew.
        patient: entering does not wait for the source; one that does not open is tried again like one that was lost.
        open_timeout_s: how long opening may take.
        backoff: how long to wait before each new try.
        opener: opens the parsed source; another one in tests.

    Raises:
        MarEdgeError: on entering, the source cannot be opened or gives no frame, and is not waited for.
    """

    def __init__(
        self,
        source: str,
        realtime: bool = False,
        *,
        mode: CaptureMode | None = None,
        stall_s: float = STALL_S,
        patient: bool = False,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        backoff: Backoff | None = None,
        opener: Opener = open_source,
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
        self._patient = patient
        self._open_timeout_s = open_timeout_s
        self._backoff = backoff or Backoff()
        self._opener = opener
        self._mono_zero_ns = 0
        self._sign_ns: int | None = None
        self._clock_offset_ns: int | None = None
        self._slot: Frame | None = None
        self._failure: Exception | None = None
        self._hung: list[_Link] = []
        self._changed = threading.Condition()
        self._opened, self._started, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    @property
    def ended(self) -> bool:
        """No frame is left and none will come; ``end_reason`` says why."""
        return self.end_reason is not None and self._slot is None

    @property
    def ran_out(self) -> bool:
        """It came to its own end, rather than being stopped."""
        return self.end_reason not in (None, _STOPPED)

    def frame_age_s(self) -> float | None:
        """Seconds since the newest frame came; None where none did."""
        return None if self._sign_ns is None else (time.monotonic_ns() - self._sign_ns) / NS

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
        if self._patient and self.source.kind != "file":
            return self
        self._opened.wait()  # or given up: what hangs while opening is left behind after a while
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._started.set()
        with self._changed:
            self._changed.notify_all()
        # A read that hangs in a driver cannot be called back. The threads are daemons, so the process still ends.
        self._thread.join(JOIN_TIMEOUT_S)

    def _run(self) -> None:
        """Connect, watch, and connect again, until stopped or at the end of a recording."""
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
        """One connection, from opening to its end.

        Returns:
            Why the camera has ended; None where it is to be connected again, after the pause that is due.
        """
        link = _Link(time.monotonic_ns())
        reader = threading.Thread(target=self._read, args=(link,), name="camera reader", daemon=True)
        reader.start()
        stalled = self._watch(link)
        if self._stop.is_set():
            reader.join(JOIN_TIMEOUT_S)
            return _STOPPED
        failed = isinstance(link.failure, MarEdgeError)
        if link.failure is not None and not failed:
            raise link.failure
        if link.recorded and link.live_ns is not None:
            return f"camera lost: {link.reason}" if failed else link.reason
        if not self._opened.is_set() and (link.recorded or not self._patient):
            raise link.failure or MarEdgeError(link.reason)
        self._lost(link, stalled=stalled)
        return None

    def _watch(self, link: _Link) -> bool:
        """Until the link ends, or is left because no frame came for too long (True)."""
        while not link.done.wait(_WATCH_S):
            now_ns = time.monotonic_ns()
            if self._stop.is_set():
                break
            if link.live_ns is None:
                limit_s = self._open_timeout_s + OPEN_SLACK_S
                if now_ns - link.begun_ns > limit_s * NS:
                    link.reason = f"{self.source.description} did not open within {limit_s:.0f} s"
                    return self._leave(link)
            elif not link.recorded and now_ns - link.sign_ns > self._stall_s * NS:
                link.reason = f"{self.source.description} gave no frame for {self._stall_s:g} s"
                self.stalls += 1
                return self._leave(link)
        return False

    def _leave(self, link: _Link) -> bool:
        with self._changed:
            link.left = True
        self._hung.append(link)
        return True

    def _lost(self, link: _Link, *, stalled: bool) -> None:
        """Say so, and wait as long as is due."""
        with self._changed:
            self.state = "stalled" if stalled and link.live_ns is not None else "lost"
            self.last_error = link.reason
            self.segment += 1
        pause_s = self._backoff.after(link.lasted_s)
        _log.warning("camera %s: %s; trying again in %.1f s", self.state, link.reason, pause_s)
        self._stop.wait(pause_s)
        while not self._stop.is_set():
            self._hung = [hung for hung in self._hung if not hung.done.is_set()]
            if len(self._hung) < MOST_HUNG:
                return
            self.last_error = f"{len(self._hung)} reads of {self.source.description} hang and cannot be called back"
            self._stop.wait(_WATCH_S)

    def _read(self, link: _Link) -> None:
        """The link's thread: open, deliver, close."""
        try:
            reader = self._opener(self.source, self._open_timeout_s, self._stall_s + _READ_SLACK_S)
            try:
                link.recorded = reader.recorded
                self.every_frame = reader.recorded and not self._realtime
                image = self._first_image(link, reader)
                self._go_live(link, reader, image)
                for frame in self._recorded(link, reader, image) if reader.recorded else self._live(link, reader):
                    self._offer(link, frame)
                link.reason = link.reason or reader.end_reason()
            finally:
                reader.close()
        except MarEdgeError as error:
            link.reason, link.failure = link.reason or str(error), error
        except Exception as error:  # noqa: BLE001 - a bug on this thread is raised where frames are read
            link.failure = error
        finally:
            link.done.set()

    def _first_image(self, link: _Link, reader: Reader) -> NDArray[np.uint8]:
        while not self._stop.is_set() and not link.left and reader.grab():
            if (image := self._image(reader)) is not None:
                return image
        raise MarEdgeError(f"{self.source.description} opens, but gives no frame that can be decoded")

    def _image(self, reader: Reader) -> NDArray[np.uint8] | None:
        """The frame that was grabbed; where it cannot be decoded None, and one more is counted."""
        try:
            return reader.retrieve()
        except MarEdgeError as error:
            self.corrupt += 1
            self.last_error = str(error)
            return None

    def _go_live(self, link: _Link, reader: Reader, image: NDArray[np.uint8]) -> None:
        with self._changed:
            if link.left:
                return
            if self.connections:
                _log.info("camera live again: %s", self.source.description)
            elif self._started.is_set():
                self.segment += 1  # what it is like was not known when time began
            self.connections += 1
            self.fps, self.size = reader.fps, (image.shape[1], image.shape[0])
            link.live_ns = link.sign_ns = self._sign_ns = time.monotonic_ns()
            self.state = "live"
        self._opened.set()

    def _live(self, link: _Link, reader: Reader) -> Iterator[Frame]:
        while not self._stop.is_set() and not link.left and reader.grab():
            t_mono_ns, t_capture_ns = time.monotonic_ns(), time.time_ns()
            if not self._started.is_set():
                link.sign_ns = t_mono_ns
                continue
            if (image := self._image(reader)) is None:
                continue
            with self._changed:
                if link.left:
                    return
                link.sign_ns = self._sign_ns = t_mono_ns
                self._notice_size(image)
                self._notice_clock(t_capture_ns - t_mono_ns)
                media_s = (t_mono_ns - self._mono_zero_ns) / NS
                frame = Frame(self._next_seq(), t_capture_ns, t_mono_ns, media_s, image, self.segment)
            yield frame

    def _notice_size(self, image: NDArray[np.uint8]) -> None:
        """A new size begins a new segment."""
        size = (image.shape[1], image.shape[0])
        if size != self.size:
            _log.warning("camera: pictures are %dx%d now, were %dx%d", *size, *self.size)
            self.size = size
            self.segment += 1

    def _notice_clock(self, clock_offset_ns: int) -> None:
        """A leap of the wall clock begins a new segment; so does a sleep of the machine, which leaps."""
        before_ns, self._clock_offset_ns = self._clock_offset_ns, clock_offset_ns
        if before_ns is not None and abs(clock_offset_ns - before_ns) > CLOCK_JUMP_S * NS:
            _log.warning("the wall clock jumped by %+.1f s", (clock_offset_ns - before_ns) / NS)
            self.clock_jumps += 1
            self.segment += 1

    def _recorded(self, link: _Link, reader: Reader, first: NDArray[np.uint8]) -> Iterator[Frame]:
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
                self._notice_size(image)
                if self._realtime:
                    self._stop.wait(max(pacer.early_s(media_s, time.monotonic_ns()), 0.0))
                self._sign_ns = time.monotonic_ns()
                yield Frame(seq, self.t_zero_ns + media_ns, self._sign_ns, media_s, image, self.segment)
            image = None
            if not reader.grab():
                return
        link.reason = _STOPPED

    def _next_seq(self) -> int:
        self.frames += 1
        return self.frames - 1

    def _offer(self, link: _Link, frame: Frame) -> None:
        with self._changed:
            if self.every_frame:
                self._changed.wait_for(lambda: self._slot is None or self._stop.is_set())
            if link.left:
                self.dropped += 1
                return
            if self._slot is not None:
                self.dropped += 1
            self._slot = frame
            self._changed.notify_all()


_STOPPED = "stopped"
