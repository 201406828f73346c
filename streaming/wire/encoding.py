"""Messages as bytes, in JSON or MessagePack: the only encoder and decoder of them. Knows no sockets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import msgspec

from mar_edge.streaming.choices import Encoding
from mar_edge.streaming.wire.message import SCHEMA
from mar_edge.streaming.wire.messages import TYPE_OF, AnyMessage, MalformedMessage, UnknownMessage, UnknownSchema

MAX_BYTES = 1 << 20

_to_json = msgspec.json.Encoder().encode
_to_msgpack = msgspec.msgpack.Encoder().encode
_json_head = msgspec.json.Decoder(UnknownMessage).decode
_msgpack_head = msgspec.msgpack.Decoder(UnknownMessage).decode
_from_json = {kind: msgspec.json.Decoder(struct).decode for kind, struct in TYPE_OF.items()}
_from_msgpack = {kind: msgspec.msgpack.Decoder(struct).decode for kind, struct in TYPE_OF.items()}


def topic(stream: str, kind: str) -> bytes:
    """Return the topic of a message. It ends in its delimiter, since a subscription also matches every longer topic."""
    return f"mar/{stream}/{kind}/".encode()


M = TypeVar("M", bound=AnyMessage)
M_co = TypeVar("M_co", bound=AnyMessage, covariant=True)


@dataclass(frozen=True)
class EncodedMessage(Generic[M_co]):
    """A message with its bytes. They are encoded once: wire, recording and page share them."""

    message: M_co

    @cached_property
    def json(self) -> bytes:
        """One JSON document, without a line break."""
        return encode(self.message)

    def payload(self, encoding: Encoding) -> bytes:
        """Return the bytes that go over the wire."""
        return self.json if encoding == "json" else encode(self.message, encoding)


def encode(message: AnyMessage, encoding: Encoding = "json") -> bytes:
    """Return the bytes of a message. It must not hold NaN: use None, or leave the joint out."""
    return _to_json(message) if encoding == "json" else _to_msgpack(message)


def decode(payload: bytes, kinds: Collection[str] = TYPE_OF) -> AnyMessage | UnknownMessage:
    """Decode a message, in JSON or MessagePack according to its first byte.

    Args:
        kinds: kinds to read in full. Of others only the head is read, which is several times faster for skeletons.

    Raises:
        MalformedMessage: it is not a message of mar-edge, or longer than ``MAX_BYTES``.
        UnknownSchema: it has another schema.
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
        if head.kind not in kinds or head.kind not in TYPE_OF:
            return head
        message: AnyMessage = (_from_json if as_json else _from_msgpack)[head.kind](payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(f"not a message of mar-edge: {error}") from None
    return message
