from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_messages import MESSAGES, changed, stamped

from mar_edge.streaming.choices import Encoding
from mar_edge.streaming.wire.answer_message import AnswerMessage
from mar_edge.streaming.wire.display import message_line
from mar_edge.streaming.wire.encoding import MAX_BYTES, decode, encode, topic
from mar_edge.streaming.wire.messages import (
    KINDS,
    TYPE_OF,
    AnyMessage,
    MalformedMessage,
    StatusMessage,
    UnknownMessage,
    UnknownSchema,
)
from mar_edge.streaming.wire.profile_message import ProfileMessage


@pytest.mark.parametrize("message", MESSAGES, ids=KINDS)
@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_every_kind_decodes_to_what_was_encoded(message: AnyMessage, encoding: Encoding) -> None:
    assert decode(encode(stamped(message), encoding)) == stamped(message)
    assert TYPE_OF[message.kind] is type(message)


def test_every_payload_holds_the_header() -> None:
    for message in MESSAGES:
        payload = json.loads(encode(stamped(message)))
        head = {"kind", "schema", "stream", "run", "seq", "kind_seq", "t_capture_ns", "t_publish_ns", "frame"}
        assert head <= payload.keys()
        assert payload["kind"] == message.kind


def test_a_topic_ends_in_its_delimiter() -> None:
    assert topic("cam1", "label") == b"mar/cam1/label/"
    assert not topic("cam10", "label").startswith(b"mar/cam1/")


def test_fields_of_later_versions_are_skipped_and_kinds_recognized_as_unknown() -> None:
    assert decode(changed(mood="good")) == stamped(MESSAGES[2])
    unknown = decode(changed(kind="heartbeat"))
    assert isinstance(unknown, UnknownMessage)
    assert (unknown.kind, unknown.seq) == ("heartbeat", 3)


def test_only_the_head_of_other_kinds_is_read() -> None:
    payload = changed(score="no number")
    head = decode(payload, {"label", "end"})
    assert isinstance(head, UnknownMessage)
    assert (head.kind, head.seq) == ("event", 3)
    with pytest.raises(MalformedMessage, match="score"):
        decode(payload, {"event"})


@pytest.mark.parametrize(
    "wrong",
    [{"scores": {"nodding": 1.5}}, {"scores": {"nodding": -0.1}}, {"scores": [0.5]}, {"t_media_end_ns": 10**400}],
)
def test_an_answer_out_of_range_is_no_message(wrong: dict[str, Any]) -> None:
    (answer,) = (message for message in MESSAGES if isinstance(message, AnswerMessage))
    payload = json.loads(encode(stamped(answer))) | wrong
    with pytest.raises(MalformedMessage):
        decode(json.dumps(payload).encode())


def test_an_answer_in_one_line() -> None:
    (answer,) = (message for message in MESSAGES if isinstance(message, AnswerMessage))
    assert message_line(answer).endswith("answer   person 0  pictures: nodding 0.50  (3 ms)")


def test_a_profile_in_one_line() -> None:
    (profile,) = (message for message in MESSAGES if isinstance(message, ProfileMessage))
    assert message_line(profile).endswith("of 1e-09 s, per minute: all 3.0 (baseline 1.0), head 3.0 (baseline 1.0)")


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
def test_malformed_messages_are_refused(payload: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode(payload)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=50).map(lambda b: encode(stamped(MESSAGES[1]))[:-1] + b)))
def test_any_bytes_give_a_message_or_malformed_message(payload: bytes) -> None:
    with contextlib.suppress(MalformedMessage, UnknownSchema):
        decode(payload)


@pytest.mark.parametrize(
    ("change", "behind"),
    [
        ({"fps_out": 14.0, "dropped": 16}, True),
        ({"fps_out": 16.0, "dropped": 14}, False),
        ({"fps_out": 14.0}, False),  # a file is read ahead of its processing
        ({"fps_out": 0.0, "fps_in": 0.0, "dropped": 9}, False),
        ({"fps_out": 14.0, "dropped": 16, "camera": "lost"}, False),
    ],
)
def test_a_stream_that_drops_more_than_half_is_behind(change: dict[str, Any], behind: bool) -> None:
    status = next(message for message in MESSAGES if isinstance(message, StatusMessage))
    status = msgspec.structs.replace(status, **change)
    assert status.behind == behind
    assert ("too slow" in message_line(status)) == behind
