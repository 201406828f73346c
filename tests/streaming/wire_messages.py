"""One message of each kind, for tests."""

from __future__ import annotations

import json

import msgspec

from mar_edge.edge.labels import Label
from mar_edge.streaming.wire.answer_message import AnswerMessage
from mar_edge.streaming.wire.encoding import encode
from mar_edge.streaming.wire.messages import (
    AnyMessage,
    EndMessage,
    EventMessage,
    HelloMessage,
    LabelMessage,
    Latency,
    MarkerMessage,
    Quantiles,
    ScoredLabel,
    SkeletonMessage,
    StatusMessage,
)
from mar_edge.streaming.wire.profile_message import Activity, Comparison, ProfileMessage

NOD = Label(9, "nodding", "head")


def activity(name: str, body: str, *, in_view_s: float = 60.0, rate_per_min: float | None = 3.0) -> Activity:
    """Return three events of a minute, against one a minute before."""
    base = Comparison(
        count=5,
        duration_s=4.0,
        in_view_s=300.0,
        rate_per_min=1.0,
        ratio=3.0,
        ratio_low=0.5,
        ratio_high=14.0,
        difference_per_min=2.0,
    )
    count = 3 if rate_per_min else 0
    return Activity(
        name=name,
        body=body,
        count=count,
        duration_s=2.5,
        in_view_s=in_view_s,
        rate_per_min=rate_per_min,
        baseline=base,
    )


MESSAGES: tuple[AnyMessage, ...] = (
    HelloMessage(
        source="demo:",
        size=(640, 480),
        fps=None,
        t_zero_ns=1,
        model="tiny",
        precision="fp32",
        layout="ma52",
        joints=("nose",),
        labels=(NOD,),
        background=None,
        window_s=2.0,
        stride_s=0.2,
        on_thresholds=(0.5, None),
        off_thresholds=(0.3, None),
        pose="scripted",
        runtime="none",
        versions={"mar-edge": "0"},
    ),
    LabelMessage(
        person=0,
        top=(ScoredLabel(9, "nodding", "head", 0.9),),
        gated=False,
        t_start_ns=1,
        t_end_ns=2,
        latency=Latency(1.0, 2.0, 3.0, 6.0),
    ),
    EventMessage(event_id=1, person=0, label=NOD, phase="begin", t_start_ns=1, t_end_ns=None, score=0.9),
    SkeletonMessage(person=0, joints=((1.5, 2.5), None), scores=(0.9, 0.0)),
    AnswerMessage(person=0, scores={"nodding": 0.5}, t_media_start_ns=1, t_media_end_ns=2, infer_ms=3.0),
    ProfileMessage(
        person=0,
        t_start_ns=1,
        t_end_ns=2,
        total=activity("", ""),
        bodies=(activity("head", "head"), activity("hands", "hands", in_view_s=0.0, rate_per_min=None)),
        actions=(),
        baseline_s=300.0,
        baseline_complete=True,
    ),
    MarkerMessage(text="stimulus 7", source="PsychoPy", t_marker_ns=2),
    StatusMessage(
        camera="live",
        fps_in=30.0,
        fps_out=30.0,
        frames=1,
        dropped=0,
        latency_ms={"total": Quantiles(1.0, 2.0, 3.0)},
        runtime="none",
        model="tiny",
        subscribers=1,
        inferences=1,
        gated=0,
        invalid=0,
        resets=0,
        people=1,
        events=0,
        uptime_s=1.0,
    ),
    EndMessage(
        last_seq=5, reason="end of file", sent={"hello": 1}, frames=1, dropped=0, inferences=1, gated=0, events=0
    ),
)


def stamped(message: AnyMessage) -> AnyMessage:
    return msgspec.structs.replace(message, stream="cam", run="r", seq=3, kind_seq=1, t_publish_ns=7)


def changed(**fields: object) -> bytes:
    payload = json.loads(encode(stamped(MESSAGES[2])))
    payload.update(fields)
    return json.dumps({key: value for key, value in payload.items() if value is not ...}).encode()
