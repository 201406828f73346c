"""Messages on the wire: their kinds and fields. Knows no bytes and no sockets.

Times are wall-clock nanoseconds since 1970. ``null`` means that a number is unknown; NaN is never sent.
Fields and kinds may be added without a new ``SCHEMA``; a receiver skips those it does not know.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.streaming.choices import Kind, Phase
from mar_edge.streaming.wire.answer_message import AnswerMessage, PictureStatus
from mar_edge.streaming.wire.message import Message
from mar_edge.streaming.wire.profile_message import ProfileMessage

STATUS_PERIOD_S = 1.0
"""Seconds between two ``status`` messages. A subscriber that misses three in a row reports the sender as silent."""

NO_PERSON = -1
LONGEST_MARKER = 1000
"""Characters of a marker's text."""


class MalformedMessage(MarEdgeError):
    """Bytes that are not a message of mar-edge."""


class UnknownSchema(MarEdgeError):
    """A message of a schema that this version does not read."""


class HelloMessage(Message, frozen=True, kw_only=True, tag="hello"):
    """Description of the sender: at start, after each new subscription, and when camera, event rules or labels changed.

    Attributes:
        source: The camera or file, without credentials.
        size: Width and height of its pictures, px.
        fps: Frame rate that the source states, frames/s; null if unknown.
        t_zero_ns: Wall-clock capture time of media time 0.
        model: Description of the model.
        precision: Number format of the model file: ``fp32``, ``fp16`` or ``int8``.
        layout: Name of the skeleton layout.
        joints: Names of the joints, in the order of ``joints`` in ``skeleton`` messages.
        labels: All labels of the model, in output order.
        background: Id of the label that means "no action"; null if the model has none.
        window_s: Duration of the window that the network receives.
        stride_s: Time between two inferences.
        on_thresholds: Per label, the smoothed probability at which its event begins; null if it is never an event.
        off_thresholds: Per label, the smoothed probability below which its event ends; null as above.
        pose: Pose stage and its runtime.
        runtime: Runtime of the model.
        versions: Version of each program involved.
        prior: Name of the label frequencies that scores assume (``--prior``).
        activation: ``softmax`` for a network of one label per window, ``sigmoid`` for one of several.
        needs: Per label, the regions of the body that must be visible; otherwise its score is 0.
        model_sha256: Hash of the model file. If a later ``hello`` of the run has another one, labels were taught or
            removed there: the messages after it are of that model.
        picture_model: Description of the model that looks at pictures: another one, or ``model`` itself; empty if
            none does.
        picture_weight: Share of that model in the scores of labels that both have; null if there is none.
    """

    source: str
    size: tuple[int, int]
    fps: float | None
    t_zero_ns: int
    model: str
    precision: str
    layout: str
    joints: tuple[str, ...]
    labels: tuple[Label, ...]
    background: int | None
    window_s: float
    stride_s: float
    on_thresholds: tuple[float | None, ...]
    off_thresholds: tuple[float | None, ...]
    pose: str
    runtime: str
    versions: dict[str, str]
    prior: str = ""
    activation: str = "softmax"
    needs: tuple[tuple[str, ...], ...] = ()
    model_sha256: str = ""
    picture_model: str = ""
    picture_weight: float | None = None


class ScoredLabel(msgspec.Struct, frozen=True):
    """A label and its probability.

    Attributes:
        id: Id of the label.
        name: Name of the label.
        body: Body group of the label.
        score: Probability in [0, 1].
    """

    id: int
    name: str
    body: str
    score: float


class Latency(msgspec.Struct, frozen=True):
    """Time that a label message took, stage by stage.

    Attributes:
        pose_ms: Pose estimation.
        window_ms: Resampling and the motion gate.
        infer_ms: Inference.
        total_ms: From the frame becoming available to the message being sent.
        wait_ms: Waiting for the pose stage and then for the recognizer.
    """

    pose_ms: float
    window_ms: float
    infer_ms: float
    total_ms: float
    wait_ms: float = 0.0


class ModelLabels(msgspec.Struct, frozen=True):
    """What one of two models says of a window.

    Attributes:
        family: Kind of the model: ``mmn`` looks at skeletons, ``manet`` at pictures.
        top: Its own labels with the highest scores, best first.
        age_ms: How much older the newest that it saw is than the end of the window.
    """

    family: str
    top: tuple[ScoredLabel, ...]
    age_ms: float


class LabelMessage(Message, frozen=True, kw_only=True, tag="label"):
    """Scores of one window: every stride, for each person.

    Attributes:
        person: Id of the person.
        top: Labels with the highest scores, best first. Scores are independent, so they need not sum to 1.
        gated: True if nothing moved, so that no inference ran and ``top`` is empty. It is empty as well while a model
            of pictures that is alone has not answered.
        t_start_ns: Wall-clock start of the window.
        t_end_ns: Wall-clock end of the window.
        latency: Time that this message took.
        visible: Regions of the body that the window shows.
        models: What each model says, where one looks at pictures; ``top`` then holds the scores of all together.
    """

    person: int
    top: tuple[ScoredLabel, ...]
    gated: bool
    t_start_ns: int
    t_end_ns: int
    latency: Latency
    visible: tuple[str, ...] = ()
    models: tuple[ModelLabels, ...] = ()


class EventMessage(Message, frozen=True, kw_only=True, tag="event"):
    """An event: an action begins, continues (every 0.5 s) or ends.

    Attributes:
        event_id: Number of the event in its stream and run.
        person: Id of the person.
        label: The action.
        phase: ``begin``, ``update`` or ``end``.
        t_start_ns: Wall-clock onset of the movement.
        t_end_ns: Wall-clock offset of the movement; null until it ended.
        score: Highest smoothed probability of the event so far.
    """

    event_id: int
    person: int
    label: Label
    phase: Phase
    t_start_ns: int
    t_end_ns: int | None
    score: float


class SkeletonMessage(Message, frozen=True, kw_only=True, tag="skeleton"):
    """One person in one frame; sent with ``--skeletons``.

    Attributes:
        person: Id of the person; -1, without joints, for a frame in which no person was detected.
        joints: x and y of each joint, px from the top left corner of the picture; null if not seen.
        scores: Confidence of each joint, in [0, 1].
        t_media_ns: Time of the frame on the media clock of the source; null if unknown.
        segment: Number of the continuous stretch of the source. Two segments never share a movement.
    """

    person: int
    joints: tuple[tuple[float, float] | None, ...]
    scores: tuple[float, ...]
    t_media_ns: int | None = None
    segment: int = 0


class MarkerMessage(Message, frozen=True, kw_only=True, tag="marker"):
    """A marker of another program, received over the Lab Streaming Layer (``--lsl-markers``).

    Attributes:
        text: Its text, at most 1000 characters; the values of several channels are separated by blanks.
        source: Name of the LSL stream that it came from.
        t_marker_ns: Wall-clock time of the marker, corrected for the clock of its sender.
    """

    text: Annotated[str, msgspec.Meta(max_length=LONGEST_MARKER)]
    source: str
    t_marker_ns: int


class Quantiles(msgspec.Struct, frozen=True):
    """Quantiles over the recent past, in milliseconds.

    Attributes:
        p50: Median.
        p95: 95th percentile.
        p99: 99th percentile.
    """

    p50: float
    p95: float
    p99: float


class StatusMessage(Message, frozen=True, kw_only=True, tag="status"):
    """State of the sender: every second, and after each new subscription.

    Attributes:
        camera: ``connecting``, ``live``, ``stalled`` (no frame for too long), ``lost`` or ``ended``.
        fps_in: Frames received per second since the last status.
        fps_out: Frames processed per second since the last status.
        frames: Frames processed.
        dropped: Frames not processed because a newer one was available.
        latency_ms: Quantiles of ``total`` (frame available to label sent) and of each stage.
        runtime: Runtime of the model.
        model: Description of the model.
        subscribers: Subscribers connected now.
        inferences: Inferences that ran.
        gated: Windows in which nothing moved, so that no inference ran.
        invalid: Inferences with a result that is not a number.
        resets: Windows emptied because of a gap in the source.
        people: People currently detected.
        events: Events so far.
        uptime_s: Time since the stream started.
        camera_error: Last error of the camera; null if there was none.
        connections: Times that the camera was opened.
        stalls: Times that the camera gave no frame for too long.
        corrupt: Frames that could not be decoded.
        clock_jumps: Jumps of the wall clock, counted.
        frame_age_s: Age of the newest frame; null before the first.
        recorded: Lines written to the recording.
        record_lost: Lines that could not be written.
        record_error: Reason why nothing is recorded now; null if there is none.
        page_failures: Times that the server of the live page failed; the streams go on without it.
        lsl_lost: Samples that could not be sent over LSL, and markers that were refused or cut.
        model_changes: Times that labels were taught or removed while the stream ran.
        pictures: State of the model of pictures; null if there is none, or in a replay.
    """

    camera: str
    fps_in: float
    fps_out: float
    frames: int
    dropped: int
    latency_ms: dict[str, Quantiles]
    runtime: str
    model: str
    subscribers: int
    inferences: int
    gated: int
    invalid: int
    resets: int
    people: int
    events: int
    uptime_s: float
    camera_error: str | None = None
    connections: int = 0
    stalls: int = 0
    corrupt: int = 0
    clock_jumps: int = 0
    frame_age_s: float | None = None
    recorded: int = 0
    record_lost: int = 0
    record_error: str | None = None
    page_failures: int = 0
    lsl_lost: int = 0
    model_changes: int = 0
    pictures: PictureStatus | None = None

    @property
    def behind(self) -> bool:
        """Whether less than half of the frames that came lately were processed: events are missed."""
        return self.camera == "live" and self.dropped > 0 and self.fps_out < self.fps_in / 2


class EndMessage(Message, frozen=True, kw_only=True, tag="end"):
    """The end of the stream: end of file, Ctrl-C or SIGTERM.

    Attributes:
        last_seq: ``seq`` of this message; no message follows it.
        reason: Why the stream ended.
        sent: Messages of each kind sent before this one.
        frames: Frames processed.
        dropped: Frames not processed because a newer one was available.
        inferences: Inferences that ran.
        gated: Windows in which nothing moved, so that no inference ran.
        events: Events in total.
    """

    last_seq: int
    reason: str
    sent: dict[str, int]
    frames: int
    dropped: int
    inferences: int
    gated: int
    events: int


AnyMessage = (
    HelloMessage
    | LabelMessage
    | EventMessage
    | SkeletonMessage
    | AnswerMessage
    | ProfileMessage
    | MarkerMessage
    | StatusMessage
    | EndMessage
)

TYPE_OF: dict[Kind, type[AnyMessage]] = {
    "hello": HelloMessage,
    "label": LabelMessage,
    "event": EventMessage,
    "skeleton": SkeletonMessage,
    "answer": AnswerMessage,
    "profile": ProfileMessage,
    "marker": MarkerMessage,
    "status": StatusMessage,
    "end": EndMessage,
}
KINDS: tuple[Kind, ...] = tuple(TYPE_OF)


class UnknownMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a message of which nothing else was read: its kind was added by a later version, or is not wanted."""

    schema: int
    kind: str
    stream: str = ""
    run: str = ""
    seq: int = -1
    kind_seq: int = -1
