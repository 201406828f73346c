"""Names that options of streaming choose among. Imports nothing, so that ``--help`` lists them at no cost."""

from __future__ import annotations

from typing import Literal

Kind = Literal["hello", "label", "event", "skeleton", "answer", "profile", "marker", "status", "end"]
"""Kinds of messages."""
Encoding = Literal["json", "msgpack"]
"""Encodings of messages."""
Phase = Literal["begin", "update", "end"]
"""Phases of events."""
MarkerFormat = Literal["json", "text"]
"""Formats of events as markers of the Lab Streaming Layer."""
RtspTransport = Literal["tcp", "udp"]
