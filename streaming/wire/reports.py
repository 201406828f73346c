"""What the service says on the wire, from what its parts know. Builds messages; sends none."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence

import av
import cv2
import numpy as np
import zmq
from numpy.typing import NDArray

from mar_edge import __version__
from mar_edge.edge.data import Skeleton
from mar_edge.edge.labels import Label
from mar_edge.edge.recognizer import Recognizer
from mar_edge.edge.visibility import needs
from mar_edge.streaming.capture.frames import NS, Frame, FrameSource
from mar_edge.streaming.observer import StreamObserver
from mar_edge.streaming.recognition.events import EventChange
from mar_edge.streaming.recognition.pipeline import Inference, Pipeline
from mar_edge.streaming.recording.recorder import Recorder
from mar_edge.streaming.timing import Timer
from mar_edge.streaming.wire.messages import (
    NO_PERSON,
    EventMessage,
    HelloMessage,
    LabelMessage,
    Latency,
    Quantiles,
    ScoredLabel,
    SkeletonMessage,
    StatusMessage,
)

MonotonicNs = Callable[[], int]
# Frames counted over less say nothing about their rate.
_LEAST_SPAN_S = 0.2


def wall_ns(frame: Frame, t_s: float) -> int:
    """Wall clock of a moment of the capture clock, as ``frame``'s own two clocks stand to each other."""
    return frame.t_capture_ns + round((t_s - frame.media_s) * NS)


def hello(
    camera: FrameSource,
    pose: str,
    recognizer: Recognizer,
    stride_s: float,
    pipeline: Pipeline,
    *,
    size: tuple[int, int],
) -> HelloMessage:
    """Who we are. ``size``: of the pictures from here on."""
    metadata, thresholds = recognizer.metadata, pipeline.thresholds
    return HelloMessage(
        t_capture_ns=camera.t_zero_ns,
        source=camera.source.description,
        size=size,
        fps=camera.fps,
        t_zero_ns=camera.t_zero_ns,
        model=metadata.name,
        precision=metadata.precision,
        layout=metadata.layout,
        joints=recognizer.layout.joints,
        labels=metadata.labels,
        background=metadata.background,
        window_s=metadata.window_s,
        stride_s=stride_s,
        on_thresholds=_finite(thresholds.on),
        off_thresholds=_finite(thresholds.off),
        pose=pose,
        runtime=recognizer.runtime.name,
        prior=pipeline.prior.name,
        activation=metadata.activation,
        needs=tuple(needs(label) for label in metadata.labels),
        versions={
            "mar-edge": __version__,
            "python": platform.python_version(),
            "opencv": cv2.__version__,
            "pyav": av.__version__,
            "zeromq": zmq.zmq_version(),
        },
    )


def _finite(values: NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(round(float(value), 4) if np.isfinite(value) else None for value in values)


def label_message(
    frame: Frame,
    inference: Inference,
    labels: tuple[Label, ...],
    *,
    shown: NDArray[np.bool_],
    top_k: int,
    timer: Timer,
    now_ns: int,
) -> LabelMessage:
    """What the network said of one window: the ``top_k`` best of the labels that are ``shown`` (K,), their
    probabilities among all. ``now_ns`` is ``time.monotonic_ns``.
    """
    probs, window = inference.probs, inference.window
    top: tuple[ScoredLabel, ...] = ()
    if probs is not None:
        best = np.argsort(np.where(shown, -probs, np.inf), kind="stable")[: min(top_k, int(shown.sum()))]
        top = tuple(_scored(labels[i], float(probs[i])) for i in best)
    return LabelMessage(
        frame=frame.seq,
        t_capture_ns=frame.t_capture_ns,
        person=window.person,
        top=top,
        gated=probs is None,
        visible=inference.visible,
        t_start_ns=wall_ns(frame, float(window.times_s[0])),
        t_end_ns=wall_ns(frame, float(window.times_s[-1])),
        latency=Latency(
            pose_ms=timer.last_ms("pose"),
            window_ms=timer.last_ms("window"),
            infer_ms=0.0 if probs is None else timer.last_ms("infer"),
            total_ms=(now_ns - frame.t_mono_ns) / 1e6,
            wait_ms=timer.last_ms("wait"),
        ),
    )


def event_message(frame: Frame, change: EventChange, labels: tuple[Label, ...]) -> EventMessage:
    """What happened to an event."""
    return EventMessage(
        frame=frame.seq,
        t_capture_ns=frame.t_capture_ns,
        event_id=change.event_id,
        person=change.person,
        label=labels[change.label],
        phase=change.phase,
        t_start_ns=wall_ns(frame, change.t_start_s),
        t_end_ns=None if change.t_end_s is None else wall_ns(frame, change.t_end_s),
        score=change.score,
    )


def rounded(skeleton: Skeleton) -> Skeleton:
    """Joints to a hundredth of a pixel, as they are sent: a recording of them is what the pipeline saw, to the bit."""
    joints = skeleton.joints.astype(np.float64).round(2).astype(np.float32)
    return Skeleton(joints, skeleton.scores, skeleton.person)


def skeleton_messages(frame: Frame, people: Sequence[Skeleton]) -> list[SkeletonMessage]:
    """Everybody in the frame; where nobody is, a message that says so."""
    if people:
        return [skeleton_message(frame, skeleton) for skeleton in people]
    return [_skeleton_message(frame, NO_PERSON, (), ())]


def skeleton_message(frame: Frame, skeleton: Skeleton) -> SkeletonMessage:
    """One person's joints, to a hundredth of a pixel."""
    seen = np.all(np.isfinite(skeleton.joints), axis=1).tolist()
    places = skeleton.joints.astype(np.float64).round(2).tolist()
    scores = np.nan_to_num(skeleton.scores.astype(np.float64)).round(3).tolist()
    joints = tuple((x, y) if there else None for there, (x, y) in zip(seen, places, strict=True))
    return _skeleton_message(frame, skeleton.person, joints, tuple(scores))


def _skeleton_message(
    frame: Frame, person: int, joints: tuple[tuple[float, float] | None, ...], scores: tuple[float, ...]
) -> SkeletonMessage:
    return SkeletonMessage(
        frame=frame.seq,
        t_capture_ns=frame.t_capture_ns,
        person=person,
        joints=joints,
        scores=scores,
        t_media_ns=round(frame.media_s * NS),
        segment=frame.segment,
    )


class StatusReporter:
    """Makes a status message each ``period_s`` (``due``), and whenever one is wanted (``message``).

    Args:
        period_s: seconds between two.
        clock: monotonic nanoseconds; another one in tests.
    """

    def __init__(
        self,
        camera: FrameSource,
        pipeline: Pipeline,
        recognizer: Recognizer,
        timer: Timer,
        *,
        period_s: float,
        clock: MonotonicNs = time.monotonic_ns,
    ) -> None:
        self._camera, self._pipeline, self._recognizer, self._timer = camera, pipeline, recognizer, timer
        self._period_ns = round(period_s * NS)
        self._clock = clock
        self._start_ns = self._last_ns = clock()
        self._next_ns = self._start_ns + self._period_ns
        self._taken = self._done = 0
        self._fps = (0.0, 0.0)

    def due(self) -> bool:
        """Whether it is time; a clock that was held up does not make up for it in a burst."""
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
    ) -> StatusMessage:
        """How we are, now. ``frames`` were processed so far, ``frame`` the last of them."""
        now_ns = self._clock()
        span_s = (now_ns - self._last_ns) / NS
        if span_s >= _LEAST_SPAN_S:
            taken = self._camera.frames
            self._fps = round((taken - self._taken) / span_s, 2), round((frames - self._done) / span_s, 2)
            self._last_ns, self._taken, self._done = now_ns, taken, frames
        pipeline, camera = self._pipeline, self._camera
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
            inferences=pipeline.inferences,
            gated=pipeline.gated,
            invalid=pipeline.invalid,
            resets=pipeline.resets,
            people=pipeline.people,
            events=pipeline.events,
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
        )


def _scored(label: Label, score: float) -> ScoredLabel:
    return ScoredLabel(label.id, label.name, label.body, round(score, 6))
