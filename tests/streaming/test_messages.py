from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.labels import Label
from streaming.display import line
from streaming.messages import (
    KINDS,
    MAX_BYTES,
    TYPE_OF,
    AnyMessage,
    Encoding,
    EndMessage,
    EventMessage,
    HelloMessage,
    LabelMessage,
    Latency,
    MalformedMessage,
    Quantiles,
    ScoredLabel,
    SkeletonMessage,
    StatusMessage,
    UnknownMessage,
    UnknownSchema,
    decode,
    encode,
    topic,
)

NOD = Label(9, "nodding", "head")
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


@pytest.mark.parametrize("message", MESSAGES, ids=KINDS)
@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_every_kind_comes_back_as_it_went(message: AnyMessage, encoding: Encoding) -> None:
    assert decode(encode(stamped(message), encoding)) == stamped(message)
    assert TYPE_OF[message.kind] is type(message)


def test_the_head_stands_in_every_payload() -> None:
    for message in MESSAGES:
        payload = json.loads(encode(stamped(message)))
        head = {"kind", "schema", "stream", "run", "seq", "kind_seq", "t_capture_ns", "t_publish_ns", "frame"}
        assert head <= payload.keys()
        assert payload["kind"] == message.kind


def test_a_topic_ends_in_its_delimiter() -> None:
    assert topic("cam1", "label") == b"mar/cam1/label/"
    assert not topic("cam10", "label").startswith(b"mar/cam1/")


def changed(**fields: object) -> bytes:
    payload = json.loads(encode(stamped(MESSAGES[2])))
    payload.update(fields)
    return json.dumps({key: value for key, value in payload.items() if value is not ...}).encode()


def test_fields_of_later_versions_are_skipped_and_kinds_of_later_versions_known_as_such() -> None:
    assert decode(changed(mood="good")) == stamped(MESSAGES[2])
    unknown = decode(changed(kind="heartbeat"))
    assert isinstance(unknown, UnknownMessage)
    assert (unknown.kind, unknown.seq) == ("heartbeat", 3)


def test_another_schema_is_named() -> None:
    with pytest.raises(UnknownSchema, match="schema 2, this version reads 1"):
        decode(changed(schema=2))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"\x93\x01\x02\x03",
        b"\xff" * 100,
        b'{"schema": 1}',
        b"{" + b'"a":{' * 100_000,
        b" " * (MAX_BYTES + 1),
        changed(seq=...),
        changed(seq=-1),
        changed(run=""),
        changed(stream=...),
        changed(phase="middle"),
        changed(label=...),
        changed(score="high"),
        changed(t_capture_ns=-5),
        changed(event_id=1.5),
        changed(label={"id": 1}),
    ],
)
def test_what_is_no_message(payload: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode(payload)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=50).map(lambda b: encode(stamped(MESSAGES[1]))[:-1] + b)))
def test_no_bytes_do_anything_worse(payload: bytes) -> None:
    with contextlib.suppress(MalformedMessage, UnknownSchema):
        decode(payload)


@pytest.mark.parametrize(
    ("change", "behind"),
    [
        ({"fps_out": 14.0, "dropped": 16}, True),
        ({"fps_out": 16.0, "dropped": 14}, False),
        ({"fps_out": 14.0}, False),  # a file that is read ahead of its processing
        ({"fps_out": 0.0, "fps_in": 0.0, "dropped": 9}, False),
        ({"fps_out": 14.0, "dropped": 16, "camera": "lost"}, False),
    ],
)
def test_a_stream_is_behind_that_drops_more_than_half(change: dict[str, Any], behind: bool) -> None:
    status = next(message for message in MESSAGES if isinstance(message, StatusMessage))
    status = msgspec.structs.replace(status, **change)
    assert status.behind == behind
    assert ("too slow" in line(status)) == behind
