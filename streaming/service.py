"""The process around the streams: binds, opens cameras and models, runs each stream on a thread, ends all in order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from mar_edge.edge.errors import MarEdgeError, about
from mar_edge.edge.layout import Layout
from mar_edge.edge.model_file import ModelVersion
from mar_edge.edge.pose.base import PoseEstimator
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.lsl.streams import LslStreams
from mar_edge.streaming.observer import StreamObserver
from mar_edge.streaming.operations.monitoring import Monitoring
from mar_edge.streaming.operations.stop_signals import StopSignals
from mar_edge.streaming.pictures.choice import picture_stage
from mar_edge.streaming.pictures.live import PictureModel
from mar_edge.streaming.recognition.batching import BatchingRecognizer
from mar_edge.streaming.recognition.tally import Tally
from mar_edge.streaming.recording.profile_follower import ProfileFollower
from mar_edge.streaming.recording.profiles import baseline_of, read_observed
from mar_edge.streaming.recording.recorder import Recorder
from mar_edge.streaming.recording.replay import Replay
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.stream import StreamLoop
from mar_edge.streaming.stream_output import OnMessage, StreamOutput
from mar_edge.streaming.stream_state import StreamSummary
from mar_edge.streaming.wire.file_limit import raise_file_limit
from mar_edge.streaming.wire.messages import AnyMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

# Seconds between two looks at subscribers, signals and keys.
_TURN_S = 0.02
# From a subscriber's handshake to its subscriptions: messages in between do not reach it.
_SETTLE_S = 0.2
# A stream that is stopped finishes its frame and sends its end; one that takes longer hangs.
STOP_S = 5.0
_log = logging.getLogger("mar_edge.service")


@dataclass(frozen=True)
class ServeSummary:
    """How it went, all streams together.

    signal: number of the one that stopped it. report: the timing tables, for people. streams: each stream, by name.
    """

    reason: str
    signal: int | None
    frames: int
    dropped: int
    inferences: int
    gated: int
    events: int
    last_seq: int
    report: str
    streams: dict[str, StreamSummary]


def serve(
    config: ServeConfig,
    open_pose: Callable[[], PoseEstimator],
    open_recognizer: Callable[[], WindowRecognizer],
    on_message: OnMessage | None = None,
    reread: Callable[[], ServeConfig] | None = None,
    *,
    observer: StreamObserver | None = None,
    new_model: Callable[[], ModelVersion | None] | None = None,
    open_pictures: Callable[[], WindowRecognizer] | None = None,
) -> ServeSummary:
    """Serve until every stream has ended, a signal comes or the time is up.

    The addresses are bound first, so that subscribers can join while models load. The cameras are opened second, so
    that faults of either are known at once. The cameras' clocks start last. A stream that fails does not affect the
    others; its error is raised when they have ended.

    Args:
        config: what to do.
        open_pose, open_recognizer: open the stages, a pose stage for each stream; ``serve`` closes them.
        open_pictures: opens a model of pictures next to that of skeletons; None for one model, of either kind.
        on_message: gets each message as it was sent, one at a time.
        reread: reads the configuration again, after a SIGHUP.
        observer: follows the streams from within the process.
        new_model: returns a file that was taught from the model, once; None where there is nothing new.

    Raises:
        MarEdgeError: address, camera or models cannot be used, or do not fit each other.
    """
    raise_file_limit()
    baseline = _baseline(config)
    with ExitStack() as stack:
        stop = stack.enter_context(StopSignals(rereads=reread is not None))
        names = [name for name, _ in config.streams]
        monitoring = stack.enter_context(Monitoring(config.http, names, config.insecure, observer))
        socket = stack.enter_context(
            PublishSocket((config.address, *config.more_addresses), config.keys, config.insecure)
        )
        publishers = [Publisher(stream, socket, config.encoding) for stream, _ in config.streams]
        lsl = None
        if config.lsl is not None:
            lsl = stack.enter_context(LslStreams(config.lsl, names, skeletons=config.publish_skeletons))
        recorders = _recorders(config, publishers, stack)
        sources = _sources(config)
        for source in sources:
            stack.enter_context(source)
        recognizer = stack.enter_context(open_recognizer())
        seeing = stack.enter_context(open_pictures()) if open_pictures is not None else recognizer
        model = None if seeing.family.pictures is None else stack.enter_context(PictureModel(seeing))
        shared = BatchingRecognizer(recognizer) if len(sources) > 1 else recognizer
        observers = [each.on_message for each in (observer, lsl) if each is not None]
        seen = _Serially([monitoring.on_message, *observers, *([] if on_message is None else [on_message])])
        loops = []
        for source, publisher, recorder in zip(sources, publishers, recorders, strict=True):
            pose: PoseEstimator | None = None
            if isinstance(source, Replay):
                name, layout = source.hello.pose, source.layout
            else:
                pose = stack.enter_context(open_pose())
                name, layout = pose.name, pose.layout
            check_fit(recognizer, name, layout)
            profile = None if config.profile is None else ProfileFollower(config.profile, baseline)
            loops.append(
                StreamLoop(
                    config,
                    stop=lambda: stop.reason,
                    source=source,
                    pose=pose,
                    pose_name=name,
                    recognizer=shared,
                    output=StreamOutput(publisher, socket, recorder, seen, observer, profile=profile, lsl=lsl),
                    pictures=picture_stage(model, source),
                )
            )
        _wait_for_subscribers(config.wait_subscribers, socket, stop)
        threads = [_StreamThread(loop, publisher.stream) for loop, publisher in zip(loops, publishers, strict=True)]
        for thread in threads:
            thread.start()
        monitoring.ready()

        def take_news() -> None:
            if reread is not None and stop.take_hangup():
                with monitoring.reloading():
                    _reload(threads, reread)
            if new_model is not None and (version := new_model()) is not None:
                retaught = shared.retaught(version)
                for thread in threads:
                    thread.loop.change(retaught)

        _attend(threads, socket, stop, monitoring, take_news)
        monitoring.stopping()
        return _summarise({thread.name: thread.result() for thread in threads}, stop.signal)


def _attend(
    threads: Sequence[_StreamThread],
    socket: PublishSocket,
    stop: StopSignals,
    monitoring: Monitoring,
    take_news: Callable[[], None],
) -> None:
    """Serve subscribers, signals and monitoring while the streams run; at the end, do not wait for those that hang."""
    stopping_s: float | None = None
    while any(thread.is_alive() for thread in threads):
        if stop.reason is not None:
            stopping_s = stopping_s or time.monotonic()
            if time.monotonic() - stopping_s > STOP_S:
                return
        socket.poll()
        monitoring.ping_watchdog()
        take_news()
        time.sleep(_TURN_S)
    socket.poll()


def _reload(threads: Sequence[_StreamThread], reread: Callable[[], ServeConfig]) -> None:
    try:
        config = reread()
    except MarEdgeError as error:
        _log.error("the configuration was not reloaded, everything continues as before: %s", error)
        return
    for thread in threads:
        thread.loop.change(config)


class _StreamThread(threading.Thread):
    """Runs one stream's loop, and keeps its result."""

    def __init__(self, loop: StreamLoop, stream: str) -> None:
        super().__init__(name=stream, daemon=True)
        self.loop = loop
        self._summary: StreamSummary | None = None
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._summary = self.loop.run()
        except BaseException as error:  # noqa: BLE001 - raised in ``result``
            _log.error("stream %s failed: %s: %s", self.name, type(error).__name__, error)
            self._failure = error

    def result(self) -> StreamSummary:
        """Return how it went.

        Raises:
            MarEdgeError: it has not ended.
            Exception: what the loop raised.
        """
        if self.is_alive():
            raise MarEdgeError(f"stream {self.name} hangs and was left behind; its camera, pose stage or network does")
        if self._failure is not None:
            raise self._failure
        assert self._summary is not None
        return self._summary


class _Serially:
    """Passes messages of several threads on, one at a time."""

    def __init__(self, calls: Sequence[OnMessage]) -> None:
        self._calls = calls
        self._lock = threading.Lock()

    def __call__(self, message: AnyMessage) -> None:
        with self._lock:
            for call in self._calls:
                call(message)


def _sources(config: ServeConfig) -> list[Camera | Replay]:
    if config.replay:
        return [Replay(config.replay, config.realtime)]
    return [
        Camera(
            camera,
            config.realtime,
            mode=config.mode,
            stall_s=config.stall_s,
            wait_for_source=config.wait_camera,
        )
        for _, camera in config.streams
    ]


def _baseline(config: ServeConfig) -> Tally | None:
    if config.profile is None or config.profile_baseline is None:
        return None
    with about("--profile-baseline"):
        return baseline_of(read_observed([config.profile_baseline]))


def _recorders(config: ServeConfig, publishers: Sequence[Publisher], stack: ExitStack) -> list[Recorder | None]:
    if config.record is None:
        return [None] * len(publishers)
    return [stack.enter_context(Recorder(config.record, each.stream, each.run)) for each in publishers]


def check_fit(recognizer: WindowRecognizer, pose: str, layout: Layout) -> None:
    """Raise MarEdgeError unless the pose stage named ``pose`` gives skeletons of the model's layout."""
    if layout.name != recognizer.layout.name:
        raise MarEdgeError(
            f"a model of another layout: '{recognizer.metadata.name}' takes {recognizer.layout.name} skeletons, "
            f"the pose stage '{pose}' gives {layout.name}; choose a model of that layout"
        )


def _wait_for_subscribers(wanted: int, socket: PublishSocket, stop: StopSignals) -> None:
    """Wait until that number of subscribers have connected and subscribed."""
    there_since: float | None = None
    while wanted and stop.reason is None:
        socket.poll()
        there = min(socket.subscribers, socket.subscriptions) >= wanted
        there_since = (there_since or time.monotonic()) if there else None
        if there_since is not None and time.monotonic() - there_since >= _SETTLE_S:
            return
        time.sleep(0.01)


def _summarise(streams: dict[str, StreamSummary], signal: int | None) -> ServeSummary:
    each = list(streams.values())
    return ServeSummary(
        reason=", ".join(dict.fromkeys(one.reason for one in each)),
        signal=signal,
        frames=sum(one.frames for one in each),
        dropped=sum(one.dropped for one in each),
        inferences=sum(one.inferences for one in each),
        gated=sum(one.gated for one in each),
        events=sum(one.events for one in each),
        last_seq=max(one.last_seq for one in each),
        report="\n".join(f"{name}:\n{one.report}" if len(each) > 1 else one.report for name, one in streams.items()),
        streams=streams,
    )
