"""Names that options of streaming choose among. Imports nothing, so that ``--help`` lists them at no cost."""

from __future__ import annotations

from typing import Literal

Kind = Literal["hello", "label", "event", "skeleton", "profile", "status", "end"]
"""Kinds of messages."""
Encoding = Literal["json", "msgpack"]
"""Encodings of messages."""
RtspTransport = Literal["tcp", "udp"]
