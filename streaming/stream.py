"""One stream's loop: posed frames -> windows -> recognizer -> events -> messages. Opens nothing, knows no signals."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.pose.base import PoseEstimator
from mar_edge.edge.recognizer import Recognizer
from mar_edge.streaming.capture.frames import NS, Frame, FrameSource
from mar_edge.streaming.capture.pose_worker import PosedFrame, PoseWorker
from mar_edge.streaming.observer import StreamObserver
from mar_edge.streaming.recognition.pipeline import Pipeline, Step
from mar_edge.streaming.recording.recorder import Recorder
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.timing import Timer
from mar_edge.streaming.wire import reports
from mar_edge.streaming.wire.messages import STATUS_PERIOD_S, AnyMessage, EncodedMessage, EndMessage, M, SkeletonMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

READ_TIMEOUT_S = 0.1

OnMessage = Callable[[AnyMessage], None]
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


class StreamLoop:
    """Everything between a stream's first ``hello`` and its ``end``.

    Args:
        config: what to do.
        source: frames; opened, not started.
        pose: finds people in them, on a thread of its own; None where the source knows them already.
        stop: why to stop, if there is a reason; asked at every turn.
        recorder: is given every message that a recording holds.
        on_message: is shown each message as it was sent.
        observer: is given each frame with its skeletons, sent or not.
    """

    def __init__(
        self,
        config: ServeConfig,
        *,
        stop: Callable[[], str | None],
        publisher: Publisher,
        socket: PublishSocket,
        source: FrameSource,
        recognizer: Recognizer,
        pose: PoseEstimator | None,
        pose_name: str,
        recorder: Recorder | None,
        on_message: OnMessage | None,
        observer: StreamObserver | None = None,
    ) -> None:
        self._config, self._stop, self._publisher, self._socket = config, stop, publisher, socket
        self._source, self._recognizer, self._pose_name = source, recognizer, pose_name
        self._pose_worker = PoseWorker(source, pose)
        self._recorder, self._on_message, self._observer = recorder, on_message, observer
        self._timer = Timer()
        self._pipeline = Pipeline(recognizer, config.pipeline, self._timer)
        self._frames = 0
        self._size = (0, 0)
        self._frame: Frame | None = None
        self._segment = 0
        self._behind = False
        self._changed: ServeConfig | None = None

    def change(self, config: ServeConfig) -> None:
        """Go on by the rules of another configuration, from the loop's next turn on. May be called by any thread."""
        self._changed = config

    def run(self) -> StreamSummary:
        """Serve until there is a reason to end."""
        self._source.start()
        self._size = self._source.size
        self._status = reports.StatusReporter(
            self._source, self._pipeline, self._recognizer, self._timer, period_s=STATUS_PERIOD_S
        )
        self._say_hello()
        self._send_status()
        try:
            with self._pose_worker:
                reason = self._loop()
        except BaseException as error:
            self._end(f"failed: {type(error).__name__}")
            raise
        return self._end(reason)

    def _loop(self) -> str:
        """Frame after frame, until there is a reason to end."""
        while (reason := self._reason_to_stop()) is None:
            if self._changed is not None:
                self._change_rules()
            posed = self._pose_worker.read(READ_TIMEOUT_S)
            if posed is not None:
                if posed.frame.segment != self._segment:
                    self._break_off()
                    self._segment = posed.frame.segment
                    self._size = _size_of(posed.frame) or self._source.size
                    self._say_hello()
                self._take(posed)
            elif self._pose_worker.segment != self._segment:
                self._break_off()  # nobody waits for a lost camera to learn that an event is over
            # Silence is how whoever watches the process learns that pose hangs.
            if self._status.due() and not self._pose_worker.stuck:
                self._send_status()
        if self._frame is not None:
            ran_out = self._stop() is None and (self._source.ran_out or not self._source.ended)
            self._send_step(self._frame, self._pipeline.finish(infer=ran_out))
        return reason

    def _take(self, posed: PosedFrame) -> None:
        frame, people = posed.frame, posed.people
        if posed.pose_s is not None:
            self._timer.record("pose", posed.pose_s)
        self._timer.record("wait", (time.monotonic_ns() - frame.t_mono_ns) / NS - (posed.pose_s or 0.0))
        if self._config.publish_skeletons or self._recorder is not None or self._observer is not None:
            shown = [self._show(message) for message in reports.skeleton_messages(frame, people)]
            if self._observer is not None:
                self._observer.on_frame(frame, shown)
        self._send_step(frame, self._pipeline.push(frame.media_s, people))
        self._frame, self._frames = frame, self._frames + 1

    def _break_off(self) -> None:
        if self._frame is not None:
            self._send_step(self._frame, self._pipeline.break_off())

    def _change_rules(self) -> None:
        config, self._changed = self._changed, None
        assert config is not None
        try:
            step = self._pipeline.change(config.pipeline)
        except MarEdgeError as error:
            _log.error("stream %s goes on as before: %s", self._publisher.stream, error)
            return
        self._config = config
        if self._frame is not None:
            self._send_step(self._frame, step)
        self._say_hello()
        _log.info("stream %s goes by the new configuration", self._publisher.stream)

    def _reason_to_stop(self) -> str | None:
        limit_s = self._config.max_seconds
        stopped = self._stop()
        if stopped is not None:
            return stopped
        if limit_s is not None and self._elapsed_s() >= limit_s:
            return f"time limit of {limit_s:g} s reached"
        return self._source.end_reason if self._pose_worker.ended else None

    def _elapsed_s(self) -> float:
        """Capture time; where frames come at their own pace, also without any."""
        if self._source.every_frame:
            return self._frame.media_s if self._frame else 0.0
        return self._source.elapsed_s()

    def _send_step(self, frame: Frame, step: Step) -> None:
        labels = self._recognizer.metadata.labels
        # "No action" is never an event and always worth showing.
        shown = self._pipeline.thresholds.wanted
        if self._recognizer.metadata.background is not None:
            shown[self._recognizer.metadata.background] = True
        for inference in step.inferences:
            now_ns = time.monotonic_ns()
            self._send(
                reports.label_message(
                    frame,
                    inference,
                    labels,
                    shown=shown,
                    top_k=self._config.top_k,
                    timer=self._timer,
                    now_ns=now_ns,
                )
            )
            self._timer.record("total", (now_ns - frame.t_mono_ns) / NS)
        for change in step.events:
            self._send(reports.event_message(frame, change, labels))

    def _say_hello(self) -> None:
        stride_s = self._config.pipeline.stride_s
        self._send(
            reports.hello(self._source, self._pose_name, self._recognizer, stride_s, self._pipeline, size=self._size)
        )

    def _send_status(self) -> None:
        status = self._status.message(
            self._frame, self._frames, self._socket.subscribers, self._recorder, self._observer
        )
        if status.behind and not self._behind:
            _log.warning(
                "stream %s is too slow: %.1f of %.1f frames a second are processed, the others are dropped, and events "
                "are missed",
                self._publisher.stream,
                status.fps_out,
                status.fps_in,
            )
        self._behind = status.behind
        self._send(status)

    def _show(self, skeleton: SkeletonMessage) -> EncodedMessage[SkeletonMessage]:
        """Send somebody's joints if that is asked for; who records or looks on has them all the same."""
        if self._config.publish_skeletons:
            return self._send(skeleton)
        prepared = self._publisher.prepare(skeleton)
        if self._recorder is not None:
            self._recorder.write(prepared)
        return prepared

    def _send(self, message: M) -> EncodedMessage[M]:
        sent = self._publisher.publish(message)
        if self._recorder is not None:
            self._recorder.write(sent)
        if self._on_message is not None:
            self._on_message(sent.message)
        return sent

    def _end(self, reason: str) -> StreamSummary:
        self._send_status()
        pipeline, frame = self._pipeline, self._frame
        self._send(
            EndMessage(
                t_capture_ns=frame.t_capture_ns if frame else self._source.t_zero_ns,
                frame=frame.seq if frame else 0,
                last_seq=self._publisher.next_seq,
                reason=reason,
                sent={kind: count for kind, count in self._publisher.sent.items() if count},
                frames=self._frames,
                dropped=self._source.dropped,
                inferences=pipeline.inferences,
                gated=pipeline.gated,
                events=pipeline.events,
            )
        )
        return StreamSummary(
            reason=reason,
            frames=self._frames,
            dropped=self._source.dropped,
            inferences=pipeline.inferences,
            gated=pipeline.gated,
            events=pipeline.events,
            last_seq=self._publisher.next_seq - 1,
            report=self._timer.report(),
        )


def _size_of(frame: Frame) -> tuple[int, int] | None:
    """Of this frame's picture: the camera itself may be a few frames ahead. None of a replay, which has no pictures."""
    return (frame.image.shape[1], frame.image.shape[0]) if frame.image.size else None
