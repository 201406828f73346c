"""The head that every message has. Knows none of the kinds."""

from __future__ import annotations

from typing import Annotated, cast

import msgspec

from mar_edge.streaming.choices import Kind

SCHEMA = 1

_Count = Annotated[int, msgspec.Meta(ge=0)]


class Message(msgspec.Struct, kw_only=True, frozen=True, tag_field="kind", tag=""):
    """The head of every message. The publisher fills in all but ``t_capture_ns`` and ``frame``.

    Attributes:
        schema: Version of the format, ``SCHEMA``. Fields and kinds may be added without a new one.
        stream: Name of the stream, one for each camera.
        run: Random id of this start of the sender. A new one means that the sender restarted.
        seq: Number of the message in its stream and run, from 0, without gaps over all kinds.
        kind_seq: Number of the message among those of its kind, from 0, without gaps.
        t_capture_ns: Wall-clock time at which the newest frame of this message was captured, since 1970.
        t_publish_ns: Wall-clock time at which the message was sent, since 1970.
        frame: Number of that newest frame in the source, from 0.
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
        """Which kind it is."""
        return cast("Kind", type(self).__struct_config__.tag)
