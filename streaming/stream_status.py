"""Status messages: when one is due, and what it says. Sends none."""

from __future__ import annotations

import time
from collections.abc import Callable

from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.frames import NS, Frame, FrameSource
from mar_edge.streaming.lsl.streams import LslStreams
from mar_edge.streaming.observer import StreamObserver
from mar_edge.streaming.pictures.base import NO_PICTURES, PictureStage
from mar_edge.streaming.recognition.pipeline import Pipeline
from mar_edge.streaming.recording.recorder import Recorder
from mar_edge.streaming.timing import Timer
from mar_edge.streaming.wire.messages import Quantiles, StatusMessage

MonotonicNs = Callable[[], int]
# Frames counted over less say nothing about their rate.
_LEAST_SPAN_S = 0.2


class StatusBuilder:
    """Makes a status message each ``period_s`` (``due``), and whenever one is wanted (``message``).

    Args:
        period_s: seconds between two.
        clock: monotonic nanoseconds; another one in tests.
    """

    def __init__(
        self,
        camera: FrameSource,
        pipeline: Pipeline,
        recognizer: WindowRecognizer,
        timer: Timer,
        *,
        pictures: PictureStage = NO_PICTURES,
        period_s: float,
        clock: MonotonicNs = time.monotonic_ns,
    ) -> None:
        self._camera, self._pipeline, self._recognizer, self._timer = camera, pipeline, recognizer, timer
        self._pictures = pictures
        self._period_ns = round(period_s * NS)
        self._clock = clock
        self._start_ns = self._last_ns = clock()
        self._next_ns = self._start_ns + self._period_ns
        self._taken = self._done = 0
        self._fps = (0.0, 0.0)

    def due(self) -> bool:
        """Return whether it is time. After a delay, the next one is a whole period later: there are no bursts."""
        now_ns = self._clock()
        if now_ns < self._next_ns:
            return False
        self._next_ns += self._period_ns
        if self._next_ns <= now_ns:
            self._next_ns = now_ns + self._period_ns
        return True

    def message(
        self,
        frame: Frame | None,
        frames: int,
        subscribers: int,
        recorder: Recorder | None = None,
        observer: StreamObserver | None = None,
        *,
        lsl: LslStreams | None = None,
    ) -> StatusMessage:
        """Describe the stream now. ``frames`` were processed so far, ``frame`` is the last of them."""
        now_ns = self._clock()
        span_s = (now_ns - self._last_ns) / NS
        if span_s >= _LEAST_SPAN_S:
            taken = self._camera.frames
            self._fps = round((taken - self._taken) / span_s, 2), round((frames - self._done) / span_s, 2)
            self._last_ns, self._taken, self._done = now_ns, taken, frames
        pipeline, counts, camera = self._pipeline, self._pipeline.counts, self._camera
        age_s = camera.frame_age_s()
        return StatusMessage(
            frame=frame.seq if frame else 0,
            t_capture_ns=frame.t_capture_ns if frame else self._camera.t_zero_ns,
            camera=self._camera.state,
            fps_in=self._fps[0],
            fps_out=self._fps[1],
            frames=frames,
            dropped=self._camera.dropped,
            latency_ms={
                name: Quantiles(round(p.p50_ms, 3), round(p.p95_ms, 3), round(p.p99_ms, 3))
                for name, p in self._timer.percentiles().items()
            },
            runtime=self._recognizer.runtime.name,
            model=self._recognizer.metadata.name,
            subscribers=subscribers,
            inferences=counts.inferences,
            gated=counts.gated,
            invalid=counts.invalid,
            resets=counts.resets,
            people=pipeline.people,
            events=counts.events,
            uptime_s=round((now_ns - self._start_ns) / NS, 3),
            camera_error=camera.last_error,
            connections=camera.connections,
            stalls=camera.stalls,
            corrupt=camera.corrupt,
            clock_jumps=camera.clock_jumps,
            frame_age_s=None if age_s is None else round(age_s, 3),
            recorded=0 if recorder is None else recorder.written,
            record_lost=0 if recorder is None else recorder.lost,
            record_error=None if recorder is None else recorder.error,
            page_failures=0 if observer is None else observer.failures,
            model_changes=counts.model_changes,
            lsl_lost=0 if lsl is None else lsl.lost,
            pictures=self._pictures.status(),
        )
