"""One stream's loop: a frame becomes skeletons, windows, probabilities, events and messages. Opens nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from mar_edge.edge.pose.base import PoseEstimator
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.frames import Frame, FrameSource
from mar_edge.streaming.capture.pose_worker import PosedFrame, PoseWorker
from mar_edge.streaming.message_builders import answer_message, step_messages
from mar_edge.streaming.output import Output
from mar_edge.streaming.pictures.base import NO_PICTURES, PictureStage
from mar_edge.streaming.recognition.pipeline import Pipeline, Step
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.stream_state import StreamState, StreamSummary
from mar_edge.streaming.timing import Timer

READ_TIMEOUT_S = 0.1


class StreamLoop:
    """Everything between a stream's first ``hello`` and its ``end``.

    Args:
        stop: gives the reason to stop, if there is one; asked at every turn.
        source: frames; opened, not started.
        pose, pose_name: finds people in them, on a thread of its own; None where the source knows them already.
        output: where messages go.
        pictures: what is done about pictures, where a model looks at them.
    """

    def __init__(
        self,
        config: ServeConfig,
        *,
        stop: Callable[[], str | None],
        source: FrameSource,
        pose: PoseEstimator | None,
        pose_name: str,
        recognizer: WindowRecognizer,
        output: Output,
        pictures: PictureStage = NO_PICTURES,
    ) -> None:
        self._config, self._stop, self._source, self._output = config, stop, source, output
        self._pictures = pictures
        self._news: deque[ServeConfig | WindowRecognizer] = deque()
        self._timer = Timer()
        self._pose_worker = PoseWorker(source, pose)
        self._pipeline = Pipeline(recognizer, config.pipeline, self._timer, pictures.metadata)
        self._state = StreamState(
            source, pose_name, output, pictures, recognizer=recognizer, pipeline=self._pipeline, timer=self._timer
        )

    def change(self, new: ServeConfig | WindowRecognizer) -> None:
        """Continue with a configuration, or with taught labels, from the loop's next turn on. Any thread may call."""
        self._news.append(new)

    def run(self) -> StreamSummary:
        """Serve until there is a reason to end."""
        self._state.begin()
        try:
            with self._pose_worker:
                reason = self._loop()
        except BaseException as error:
            self._state.end(f"failed: {type(error).__name__}")
            raise
        return self._state.end(reason)

    def _loop(self) -> str:
        """Take frame after frame, and return the reason to end."""
        while (reason := self._reason_to_stop()) is None:
            self._reload()
            posed = self._pose_worker.read(READ_TIMEOUT_S)
            if self._pose_worker.segment != self._state.segment:
                # At once, also without a frame: events of a camera that is lost are over.
                self._send(self._state.frame, self._pipeline.break_off())
                self._pictures.forget()
                if posed is not None:
                    self._state.begin_segment(posed.frame)
            if posed is not None:
                self._take(posed)
            # Silence is the sign, for a process that watches this one, that pose hangs.
            if self._state.status_due() and not self._pose_worker.stuck:
                self._state.send_status()
        ran_out = self._stop() is None and (self._source.ran_out or not self._source.ended)
        self._send(self._state.frame, self._pipeline.finish(infer=ran_out))
        return reason

    def _take(self, posed: PosedFrame) -> None:
        """Take one frame through all stages; the pose worker has found its skeletons."""
        frame, skeletons = posed.frame, posed.people
        posed.record(self._timer)
        for answer in self._pictures.take(frame, skeletons):
            self._output.send(answer_message(frame, answer))
            self._pipeline.hear(answer, frame.media_s)
        self._output.show_people(frame, skeletons, publish=self._config.publish_skeletons)
        windows = self._pipeline.windows(frame.media_s, skeletons)
        probabilities = self._pipeline.probabilities(windows)
        self._pictures.ask(self._pipeline.to_look_at(windows, probabilities), self._config.pipeline.fusion)
        step = self._pipeline.events(windows, probabilities)
        self._send(frame, step)
        self._state.done(frame)

    def _send(self, frame: Frame | None, step: Step) -> None:
        """Send what a frame led to; before the first frame there is nothing."""
        if frame is not None:
            for message in step_messages(frame, step, self._pipeline, top_k=self._config.top_k, timer=self._timer):
                self._output.send(message)

    def _reload(self) -> None:
        while self._news:
            new = self._news.popleft()
            if self._state.change(new, self._send) and isinstance(new, ServeConfig):
                self._config = new

    def _reason_to_stop(self) -> str | None:
        ran_out = self._source.end_reason if self._pose_worker.ended else None
        return self._stop() or self._state.time_is_up(self._config.max_seconds) or ran_out
