"""The loop that joins the stages: camera -> pose -> windows -> recogniser -> events -> wire."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.errors import MarEdgeError
from edge.pose.base import PoseEstimator
from edge.recognizer import Recognizer
from streaming import reports
from streaming.address import DEFAULT_ADDRESS
from streaming.bus import Publisher
from streaming.camera import NS, Camera, Frame
from streaming.messages import STATUS_PERIOD_S, AnyMessage, Encoding, EndMessage
from streaming.pipeline import Pipeline, PipelineRules, Step
from streaming.stopping import StopSignals
from streaming.timing import Timer

READ_TIMEOUT_S = 0.1
# Between a subscriber's handshake and its subscriptions: what is sent in between does not reach it.
_SETTLE_S = 0.2

OnMessage = Callable[[AnyMessage], None]


@dataclass(frozen=True)
class ServeConfig:
    """What ``serve`` does.

    camera: source string (see ``streaming.sources``). address: where to publish. stream: name on the wire.
    pipeline: how skeletons become events. top_k: labels in a label message.
    encoding: of the messages. publish_skeletons: send every frame's joints as well.
    as_fast_as_possible: of a file, process every frame, however long it takes.
    wait_subscribers: start the camera's clock once so many are there. max_seconds: stop after so much capture time.
    insecure: allow an address that other machines reach.

    Raises:
        MarEdgeError: a value that makes no sense.
    """

    camera: str
    address: str = DEFAULT_ADDRESS
    stream: str = "camera"
    pipeline: PipelineRules = field(default_factory=PipelineRules)
    top_k: int = 5
    encoding: Encoding = "json"
    publish_skeletons: bool = False
    as_fast_as_possible: bool = False
    wait_subscribers: int = 0
    max_seconds: float | None = None
    insecure: bool = False

    def __post_init__(self) -> None:
        if self.top_k < 1 or self.wait_subscribers < 0:
            raise MarEdgeError(f"top-k is at least 1 and subscribers to wait for at least 0: {self}")
        if self.max_seconds is not None and not self.max_seconds > 0.0:
            raise MarEdgeError(f"the time limit is more than 0 s, not {self.max_seconds}")


@dataclass(frozen=True)
class ServeSummary:
    """How it went. ``signal``: number of the one that stopped it; ``report``: the timing table, for people."""

    reason: str
    signal: int | None
    frames: int
    dropped: int
    inferences: int
    gated: int
    events: int
    last_seq: int
    report: str


def serve(
    config: ServeConfig,
    open_pose: Callable[[], PoseEstimator],
    open_recognizer: Callable[[], Recognizer],
    on_message: OnMessage | None = None,
) -> ServeSummary:
    """Serve one camera until it ends, a signal comes or the time is up.

    The address is bound first, so that subscribers can join while models load, and the camera opened second, so that
    what is wrong with either is known at once. The camera's clock starts last.

    Args:
        config: what to do.
        open_pose, open_recognizer: make the stages; ``serve`` closes what they give.
        on_message: is shown each message as it was sent.

    Raises:
        MarEdgeError: address, camera or models cannot be used, or do not fit each other.
    """
    with (
        StopSignals() as stop,
        Publisher(config.stream, config.address, config.encoding, config.insecure) as publisher,
        Camera(config.camera, config.as_fast_as_possible) as camera,
        open_recognizer() as recognizer,
        open_pose() as pose,
    ):
        if pose.layout.name != recognizer.layout.name:
            raise MarEdgeError(
                f"a model of another layout: '{recognizer.metadata.name}' takes {recognizer.layout.name} skeletons, "
                f"the pose stage '{pose.name}' gives {pose.layout.name}; choose a model of that layout"
            )
        return _Service(
            config,
            stop=stop,
            publisher=publisher,
            camera=camera,
            recognizer=recognizer,
            pose=pose,
            on_message=on_message,
        ).run()


class _Service:
    """What the loop holds on to."""

    def __init__(
        self,
        config: ServeConfig,
        *,
        stop: StopSignals,
        publisher: Publisher,
        camera: Camera,
        recognizer: Recognizer,
        pose: PoseEstimator,
        on_message: OnMessage | None,
    ) -> None:
        self._config, self._stop, self._publisher, self._camera = config, stop, publisher, camera
        self._recognizer, self._pose, self._on_message = recognizer, pose, on_message
        self._timer = Timer()
        self._pipeline = Pipeline(recognizer, config.pipeline, self._timer)
        # "No action" is never an event and always worth showing.
        self._shown = self._pipeline.thresholds.wanted
        if recognizer.metadata.background is not None:
            self._shown[recognizer.metadata.background] = True
        self._frames = 0
        self._frame: Frame | None = None

    def run(self) -> ServeSummary:
        """Everything between the first ``hello`` and ``end``."""
        self._wait_for_subscribers()
        self._camera.start()
        self._status = reports.StatusReporter(
            self._camera, self._pipeline, self._recognizer, self._timer, period_s=STATUS_PERIOD_S
        )
        stride_s = self._config.pipeline.stride_s
        self._send(reports.hello(self._camera, self._pose, self._recognizer, stride_s, self._pipeline.thresholds))
        self._send_status()
        try:
            reason = self._loop()
        except BaseException as error:
            self._end(f"failed: {type(error).__name__}")
            raise
        return self._end(reason)

    def _loop(self) -> str:
        """Frame after frame, until there is a reason to end."""
        while (reason := self._reason_to_stop()) is None:
            self._publisher.poll()
            frame = self._camera.read(READ_TIMEOUT_S)
            if frame is not None:
                with self._timer.section("pose"):
                    people = self._pose.estimate(frame.image)
                if self._config.publish_skeletons:
                    for skeleton in people:
                        self._send(reports.skeleton_message(frame, skeleton))
                self._send_step(frame, self._pipeline.push(frame.media_s, people))
                self._frame, self._frames = frame, self._frames + 1
            if self._status.due():
                self._send_status()
        if self._frame is not None:
            ran_out = self._stop.reason is None
            self._send_step(self._frame, self._pipeline.finish(infer=ran_out))
        return reason

    def _reason_to_stop(self) -> str | None:
        limit_s = self._config.max_seconds
        if self._stop.reason is not None:
            return self._stop.reason
        if limit_s is not None and self._elapsed_s() >= limit_s:
            return f"time limit of {limit_s:g} s reached"
        return self._camera.end_reason if self._camera.ended else None

    def _elapsed_s(self) -> float:
        """Capture time; where frames come at their own pace, also without any."""
        if self._config.as_fast_as_possible:
            return self._frame.media_s if self._frame else 0.0
        return self._camera.elapsed_s()

    def _send_step(self, frame: Frame, step: Step) -> None:
        labels = self._recognizer.metadata.labels
        for inference in step.inferences:
            now_ns = time.monotonic_ns()
            self._send(
                reports.label_message(
                    frame,
                    inference,
                    labels,
                    shown=self._shown,
                    top_k=self._config.top_k,
                    timer=self._timer,
                    now_ns=now_ns,
                )
            )
            self._timer.record("total", (now_ns - frame.t_mono_ns) / NS)
        for change in step.events:
            self._send(reports.event_message(frame, change, labels))

    def _send_status(self) -> None:
        self._send(self._status.message(self._frame, self._frames, self._publisher.subscribers))

    def _send(self, message: AnyMessage) -> None:
        sent = self._publisher.publish(message)
        if self._on_message is not None:
            self._on_message(sent)

    def _wait_for_subscribers(self) -> None:
        """Until as many as were asked for have connected and said what they want."""
        wanted = self._config.wait_subscribers
        there_since: float | None = None
        while wanted and self._stop.reason is None:
            self._publisher.poll()
            there = min(self._publisher.subscribers, self._publisher.subscriptions) >= wanted
            there_since = (there_since or time.monotonic()) if there else None
            if there_since is not None and time.monotonic() - there_since >= _SETTLE_S:
                return
            time.sleep(0.01)

    def _end(self, reason: str) -> ServeSummary:
        self._send_status()
        pipeline, frame = self._pipeline, self._frame
        self._send(
            EndMessage(
                t_capture_ns=frame.t_capture_ns if frame else self._camera.t_zero_ns,
                frame=frame.seq if frame else 0,
                last_seq=self._publisher.next_seq,
                reason=reason,
                sent={kind: count for kind, count in self._publisher.sent.items() if count},
                frames=self._frames,
                dropped=self._camera.dropped,
                inferences=pipeline.inferences,
                gated=pipeline.gated,
                events=pipeline.events,
            )
        )
        return ServeSummary(
            reason=reason,
            signal=self._stop.signal,
            frames=self._frames,
            dropped=self._camera.dropped,
            inferences=pipeline.inferences,
            gated=pipeline.gated,
            events=pipeline.events,
            last_seq=self._publisher.next_seq - 1,
            report=self._timer.report(),
        )
