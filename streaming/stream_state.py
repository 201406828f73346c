"""How far a stream has come, and the messages about the stream itself: hello, status and end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.frames import Frame, FrameSource
from mar_edge.streaming.message_builders import hello_message
from mar_edge.streaming.output import Output
from mar_edge.streaming.pictures.base import PictureStage
from mar_edge.streaming.recognition.pipeline import Pipeline, Step
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.stream_status import StatusBuilder
from mar_edge.streaming.timing import Timer
from mar_edge.streaming.wire.messages import STATUS_PERIOD_S, EndMessage

_log = logging.getLogger("mar_edge.stream")


@dataclass(frozen=True)
class StreamSummary:
    """How a stream went. ``report``: the timing table, for people."""

    reason: str
    frames: int
    dropped: int
    inferences: int
    gated: int
    events: int
    last_seq: int
    report: str


class StreamState:
    """Counts frames, and sends the messages that frame a stream: a hello, a status each second, an end.

    ``frame`` is the last frame that went through all stages, and ``segment`` the unbroken stretch that the newest one
    belongs to.

    Args:
        source: where frames come from.
        pose: name of the pose stage.
        output: where messages go.
        pictures, recognizer, pipeline, timer: what the stream runs on; its figures.
    """

    def __init__(
        self,
        source: FrameSource,
        pose: str,
        output: Output,
        pictures: PictureStage,
        *,
        recognizer: WindowRecognizer,
        pipeline: Pipeline,
        timer: Timer,
    ) -> None:
        self.frame: Frame | None = None
        self.frames = 0
        self.segment = 0
        self._source, self._pose, self._recognizer = source, pose, recognizer
        self._pipeline, self._timer, self._output, self._pictures = pipeline, timer, output, pictures
        self._size = (0, 0)
        self._behind = False

    def begin(self) -> None:
        """Start the source, and send hello and a first status."""
        self._source.start()
        self._size = self._source.size
        self._status = StatusBuilder(
            self._source,
            self._pipeline,
            self._recognizer,
            self._timer,
            pictures=self._pictures,
            period_s=STATUS_PERIOD_S,
        )
        self.send_hello()
        self.send_status()

    def change(self, new: ServeConfig | WindowRecognizer, send: Callable[[Frame | None, Step], None]) -> bool:
        """Continue with a configuration or with taught labels: ``send`` what ends, and say hello.

        Returns:
            Whether the two fit each other; if not, nothing changes.
        """
        try:
            if isinstance(new, ServeConfig):
                send(self.frame, self._pipeline.change(new.pipeline))
            else:
                self._pipeline.check_model(new)
                # What ends here has a label of the model before. A replay breaks off at the hello.
                send(self.frame, self._pipeline.break_off())
                self._pipeline.change_model(new)
                self._recognizer = new
        except MarEdgeError as error:
            _log.error("stream %s continues as before: %s", self._output.stream, error)
            return False
        what = "configuration" if isinstance(new, ServeConfig) else "taught labels"
        _log.info("stream %s uses the new %s", self._output.stream, what)
        self.send_hello()
        return True

    def done(self, frame: Frame) -> None:
        """Note that a frame went through all stages."""
        self.frame, self.frames = frame, self.frames + 1

    def begin_segment(self, frame: Frame) -> None:
        """Say hello again where frames do not continue those before: their size may be another one."""
        self.segment = frame.segment
        # The camera itself may be a few frames ahead; a replay has no pictures.
        self._size = (frame.image.shape[1], frame.image.shape[0]) if frame.image.size else self._source.size
        self.send_hello()

    def time_is_up(self, limit_s: float | None) -> str | None:
        """Return the reason to end where ``limit_s`` of capture time have passed; None where not, or without a limit.

        Of a source at its own pace, time passes also without frames.
        """
        if self._source.every_frame:
            elapsed_s = self.frame.media_s if self.frame else 0.0
        else:
            elapsed_s = self._source.elapsed_s()
        return None if limit_s is None or elapsed_s < limit_s else f"time limit of {limit_s:g} s reached"

    def send_hello(self) -> None:
        """Describe the stream."""
        message = hello_message(self._source, self._pose, self._recognizer, self._pipeline, self._size)
        self._output.send(message)

    def status_due(self) -> bool:
        """Return whether it is time for a status."""
        return self._status.due()

    def send_status(self) -> None:
        """Describe how the stream is; log once when it falls behind its camera."""
        output = self._output
        output.send_markers()  # also while no frame comes
        status = self._status.message(
            self.frame, self.frames, output.subscribers, output.recorder, output.observer, lsl=output.lsl
        )
        if status.behind and not self._behind:
            _log.warning(
                "stream %s is too slow: %.1f of %.1f frames a second are processed, the others are dropped, and events "
                "are missed",
                output.stream,
                status.fps_out,
                status.fps_in,
            )
        self._behind = status.behind
        output.send(status)

    def end(self, reason: str) -> StreamSummary:
        """Send the last profiles, a last status and the end, and return how the stream went."""
        self._output.send_last_profiles()
        self.send_status()
        counts, frame, output = self._pipeline.counts, self.frame, self._output
        output.send(
            EndMessage(
                t_capture_ns=frame.t_capture_ns if frame else self._source.t_zero_ns,
                frame=frame.seq if frame else 0,
                last_seq=output.next_seq,
                reason=reason,
                sent={kind: count for kind, count in output.sent.items() if count},
                frames=self.frames,
                dropped=self._source.dropped,
                inferences=counts.inferences,
                gated=counts.gated,
                events=counts.events,
            )
        )
        return StreamSummary(
            reason=reason,
            frames=self.frames,
            dropped=self._source.dropped,
            inferences=counts.inferences,
            gated=counts.gated,
            events=counts.events,
            last_seq=output.next_seq - 1,
            report=self._timer.report(),
        )
