"""Messages from what the stages know: hello, labels, events, skeletons, profiles and markers. Sends none."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence

import av
import cv2
import numpy as np
import zmq
from numpy.typing import NDArray

from mar_edge import __version__
from mar_edge.edge.data import Answer, Skeleton
from mar_edge.edge.labels import Label
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.edge.visibility import needs
from mar_edge.streaming.capture.frames import NS, Frame, FrameSource
from mar_edge.streaming.lsl.streams import MediaMarker
from mar_edge.streaming.recognition.events import EventChange
from mar_edge.streaming.recognition.pipeline import Pipeline, Step
from mar_edge.streaming.recognition.probabilities import Inference, Said
from mar_edge.streaming.timing import Timer
from mar_edge.streaming.wire.answer_message import AnswerMessage
from mar_edge.streaming.wire.messages import (
    NO_PERSON,
    EventMessage,
    HelloMessage,
    LabelMessage,
    Latency,
    MarkerMessage,
    ModelLabels,
    ScoredLabel,
    SkeletonMessage,
)


def wall_ns(frame: Frame, t_s: float) -> int:
    """Convert a moment of the capture clock to the wall clock, by the difference of ``frame``'s own two clocks."""
    return frame.t_capture_ns + round((t_s - frame.media_s) * NS)


def hello_message(
    camera: FrameSource, pose: str, recognizer: WindowRecognizer, pipeline: Pipeline, size: tuple[int, int]
) -> HelloMessage:
    """Describe the stream: camera, model, labels and rules. ``size``: of the pictures from here on."""
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
        stride_s=pipeline.stride_s,
        on_thresholds=_finite(thresholds.on),
        off_thresholds=_finite(thresholds.off),
        pose=pose,
        runtime=recognizer.runtime.name,
        prior=pipeline.prior.name,
        activation=metadata.activation,
        needs=tuple(needs(label) for label in metadata.labels),
        model_sha256=recognizer.version.sha256,
        picture_model="" if pipeline.pictures is None else pipeline.pictures.name,
        picture_weight=pipeline.picture_weight,
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


def step_messages(
    frame: Frame,
    step: Step,
    pipeline: Pipeline,
    *,
    top_k: int,
    timer: Timer,
    clock: Callable[[], int] = time.monotonic_ns,
) -> Iterator[LabelMessage | EventMessage]:
    """Yield what a frame led to: the labels of each window, then what happened to events.

    Args:
        top_k: most labels of one message.
        timer: gets ``total``, the time from the frame to its labels.
    """
    shown = pipeline.shown
    for inference in step.inferences:
        now_ns = clock()
        yield label_message(frame, inference, pipeline.labels, shown=shown, top_k=top_k, timer=timer, now_ns=now_ns)
        timer.record("total", (now_ns - frame.t_mono_ns) / NS)
    for change in step.events:
        yield event_message(frame, change, pipeline.labels)


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
    """Describe what the network said of one window: the ``top_k`` best of the labels that are ``shown`` (K,).

    Args:
        now_ns: ``time.monotonic_ns``, for the latency.
    """
    probs, window = inference.probs, inference.window
    top = () if probs is None else _best(labels, probs, shown, top_k)
    return LabelMessage(
        frame=frame.seq,
        t_capture_ns=frame.t_capture_ns,
        person=window.person,
        top=top,
        gated=probs is None and not inference.waiting,
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
        models=tuple(_model_labels(said, top_k) for said in inference.said),
    )


def _model_labels(said: Said, top_k: int) -> ModelLabels:
    everything = np.ones(len(said.labels), np.bool_)
    return ModelLabels(said.family, _best(said.labels, said.probs, everything, top_k), round(said.age_s * 1e3, 3))


def _best(
    labels: tuple[Label, ...], probs: NDArray[np.float32], shown: NDArray[np.bool_], top_k: int
) -> tuple[ScoredLabel, ...]:
    best = np.argsort(np.where(shown, -probs, np.inf), kind="stable")[: min(top_k, int(shown.sum()))]
    return tuple(_scored(labels[i], float(probs[i])) for i in best)


def answer_message(frame: Frame, answer: Answer) -> AnswerMessage:
    """Describe an answer about pictures that counts from ``frame`` on."""
    return AnswerMessage(
        frame=frame.seq,
        t_capture_ns=frame.t_capture_ns,
        person=answer.person,
        scores=dict(answer.scores),
        t_media_start_ns=round(answer.start_s * NS),
        t_media_end_ns=round(answer.end_s * NS),
        infer_ms=round(answer.infer_s * 1e3, 3),
    )


def event_message(frame: Frame, change: EventChange, labels: tuple[Label, ...]) -> EventMessage:
    """Describe what happened to an event."""
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


def skeleton_messages(frame: Frame, people: Sequence[Skeleton]) -> list[SkeletonMessage]:
    """Describe everybody in the frame, once for all who take it; without anybody, one message says so."""
    if people:
        return [skeleton_message(frame, skeleton) for skeleton in people]
    return [_skeleton_message(frame, NO_PERSON, (), ())]


def skeleton_message(frame: Frame, skeleton: Skeleton) -> SkeletonMessage:
    """Describe one person's joints."""
    seen = np.all(np.isfinite(skeleton.joints), axis=1).tolist()
    # To two decimals again: the pose worker's are float32, which has none.
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
        t_media_ns=frame.media_ns,
        segment=frame.segment,
    )


def marker_message(frame: Frame, marker: MediaMarker) -> MarkerMessage:
    """Describe a marker of another program."""
    return MarkerMessage(
        frame=frame.seq,
        t_capture_ns=frame.t_capture_ns,
        text=marker.text,
        source=marker.source,
        t_marker_ns=frame.t_capture_ns + marker.media_ns - frame.media_ns,
    )


def _scored(label: Label, score: float) -> ScoredLabel:
    return ScoredLabel(label.id, label.name, label.body, round(score, 6))
