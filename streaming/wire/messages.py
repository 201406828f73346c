"""What goes over the wire: six kinds of messages, and the only way in and out of bytes. Knows no sockets.

Times are wall-clock nanoseconds since 1970. ``null`` stands wherever a number is not known; NaN is never sent.
Fields may be added without a new ``SCHEMA``; a receiver skips those it does not know.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label

SCHEMA = 1
MAX_BYTES = 1 << 20
STATUS_PERIOD_S = 1.0
"""How often ``status`` comes; a subscriber that misses three in a row may call the sender silent."""

NO_PERSON = -1

Kind = Literal["hello", "label", "event", "skeleton", "status", "end"]
Encoding = Literal["json", "msgpack"]

_Count = Annotated[int, msgspec.Meta(ge=0)]


class MalformedMessage(MarEdgeError):
    """Bytes that are no message of ours."""


class UnknownSchema(MarEdgeError):
    """A message of a version this program does not read."""


class Message(msgspec.Struct, kw_only=True, frozen=True, tag_field="kind", tag=""):
    """The head of every message. The publisher fills in all but ``t_capture_ns`` and ``frame``.

    stream: the camera's name. run: id of this start of the sender; a new one means that it restarted.
    seq: counts every message of the stream and run, from 0, without gaps. kind_seq: likewise within its kind.
    t_capture_ns: when the newest frame it speaks of was taken. t_publish_ns: when it was sent.
    frame: number of that frame in the source.
    """

    schema: _Count = SCHEMA
    stream: str = ""
    run: str = ""
    seq: int = -1
    kind_seq: int = -1
    t_capture_ns: _Count = 0
    t_publish_ns: _Count = 0
    frame: _Count = 0

    @property
    def kind(self) -> Kind:
        """Which of the six it is."""
        return KIND_OF[type(self)]


class HelloMessage(Message, frozen=True, kw_only=True, tag="hello"):
    """Who sends: at start, and again whenever somebody subscribes.

    source: the camera, without credentials. size: width and height of its pictures. t_zero_ns: capture time of media
    time 0. joints: names in the order of ``SkeletonMessage.joints``. on_thresholds, off_thresholds: per label, the
    smoothed probability at which its event begins and below which it ends; None where the label is never an event.
    prior: name of the label frequencies that scores assume. activation: "softmax" for a network of one label a window,
    "sigmoid" for one of several. needs: per label, the regions of the body without which it is not said.
    versions: of the programs involved.
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


class ScoredLabel(msgspec.Struct, frozen=True):
    """A label and its probability in [0, 1]."""

    id: int
    name: str
    body: str
    score: float


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds a message took: in each stage, waiting for pose and then for the recogniser, and from its frame
    becoming available to its being sent.
    """

    pose_ms: float
    window_ms: float
    infer_ms: float
    total_ms: float
    wait_ms: float = 0.0


class LabelMessage(Message, frozen=True, kw_only=True, tag="label"):
    """What the network says of one window: each stride, for each person.

    top: the k labels of the highest scores, best first; empty where ``gated``: nothing moved, so nothing was asked.
    Each score is of its own: several may be high, and they need not sum to 1. visible: regions of the body that the
    window shows; a label that needs another one has the score 0.
    """

    person: int
    top: tuple[ScoredLabel, ...]
    gated: bool
    t_start_ns: int
    t_end_ns: int
    latency: Latency
    visible: tuple[str, ...] = ()


class EventMessage(Message, frozen=True, kw_only=True, tag="event"):
    """A label begins, lasts or ends. ``score``: its highest smoothed probability so far."""

    event_id: int
    person: int
    label: Label
    phase: Literal["begin", "update", "end"]
    t_start_ns: int
    t_end_ns: int | None
    score: float


class SkeletonMessage(Message, frozen=True, kw_only=True, tag="skeleton"):
    """One person in one frame: joints in pixels, null where not seen, and their scores in [0, 1].

    person: ``NO_PERSON``, with no joints, for a frame in which nobody was seen. t_media_ns: the frame's place on the
    capture clock. segment: counts the unbroken stretches of the source; across two of them nobody moved.
    """

    person: int
    joints: tuple[tuple[float, float] | None, ...]
    scores: tuple[float, ...]
    t_media_ns: int | None = None
    segment: int = 0


class Quantiles(msgspec.Struct, frozen=True):
    """Of the recent past, in milliseconds."""

    p50: float
    p95: float
    p99: float


class StatusMessage(Message, frozen=True, kw_only=True, tag="status"):
    """How the sender is: each second, and again whenever somebody subscribes.

    fps_in, fps_out: frames taken and processed per second since the last status. dropped: frames that were not
    processed. latency_ms: ``total`` (frame available to label sent) and each stage. invalid: inferences whose result
    was not a number. resets: windows emptied by a gap. people: how many are seen now.
    camera: connecting, live, stalled (it gave no frame for too long), lost or ended. camera_error: what was wrong with
    it last. connections: how often it was opened; stalls, corrupt frames and jumps of the wall clock are counted.
    frame_age_s: how old the newest frame is. recorded, record_error: lines written, and why none are.
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

    @property
    def behind(self) -> bool:
        """Whether less than half of the frames that came lately were processed: events are missed."""
        return self.camera == "live" and self.dropped > 0 and self.fps_out < self.fps_in / 2


class EndMessage(Message, frozen=True, kw_only=True, tag="end"):
    """The stream is over, and why.

    last_seq: this message's own ``seq``: nothing comes after it. sent: how many of each kind came before it.
    """

    last_seq: int
    reason: str
    sent: dict[str, int]
    frames: int
    dropped: int
    inferences: int
    gated: int
    events: int


AnyMessage = HelloMessage | LabelMessage | EventMessage | SkeletonMessage | StatusMessage | EndMessage

TYPE_OF: dict[Kind, type[AnyMessage]] = {
    "hello": HelloMessage,
    "label": LabelMessage,
    "event": EventMessage,
    "skeleton": SkeletonMessage,
    "status": StatusMessage,
    "end": EndMessage,
}
KINDS: tuple[Kind, ...] = tuple(TYPE_OF)
KIND_OF: dict[type[Message], Kind] = {struct: kind for kind, struct in TYPE_OF.items()}


class UnknownMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The head of any message: all that is read of a kind that a later version of this schema added."""

    schema: int
    kind: str
    stream: str = ""
    run: str = ""
    seq: int = -1
    kind_seq: int = -1


_to_json = msgspec.json.Encoder().encode
_to_msgpack = msgspec.msgpack.Encoder().encode
_json_head = msgspec.json.Decoder(UnknownMessage).decode
_msgpack_head = msgspec.msgpack.Decoder(UnknownMessage).decode
_from_json = {kind: msgspec.json.Decoder(struct).decode for kind, struct in TYPE_OF.items()}
_from_msgpack = {kind: msgspec.msgpack.Decoder(struct).decode for kind, struct in TYPE_OF.items()}


def topic(stream: str, kind: str) -> bytes:
    """What a message is sent under. It ends in its delimiter, since a subscription matches every longer topic too."""
    return f"mar/{stream}/{kind}/".encode()


def encode(message: AnyMessage, encoding: Encoding = "json") -> bytes:
    """The bytes of a message. NaN has no place in one: use None, or leave the joint out."""
    return _to_json(message) if encoding == "json" else _to_msgpack(message)


def decode(payload: bytes) -> AnyMessage | UnknownMessage:
    """The message in ``payload``, JSON or MessagePack as its first byte tells.

    Raises:
        MalformedMessage: it is not one of ours, or longer than ``MAX_BYTES``.
        UnknownSchema: its version is another one.
    """
    if len(payload) > MAX_BYTES:
        raise MalformedMessage(f"a message of {len(payload)} bytes; the longest allowed is {MAX_BYTES}")
    as_json = payload[:1] == b"{"
    try:
        head = _json_head(payload) if as_json else _msgpack_head(payload)
        if head.schema != SCHEMA:
            raise UnknownSchema(
                f"a message of schema {head.schema}, this version reads {SCHEMA}; update the older side of the two"
            )
        if head.seq < 0 or head.kind_seq < 0 or not head.stream or not head.run:
            raise MalformedMessage(f"a message of kind '{head.kind}' without stream, run, seq or kind_seq")
        if head.kind not in TYPE_OF:
            return head
        message: AnyMessage = (_from_json if as_json else _from_msgpack)[head.kind](payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(f"not a message of ours: {error}") from None
    return message
