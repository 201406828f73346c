"""The contract of an observer: it follows streams from within the process, as the live page does, not over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.streaming.wire.messages import AnyMessage, SkeletonMessage

HttpHandler = Callable[[], tuple[int, str, bytes]]
"""Makes an HTTP response: status, content type, body."""


class StreamObserver(Protocol):
    """Receives what streams do, on their own threads. No method may block."""

    @property
    def failures(self) -> int:
        """How often it failed since the start; the streams go on without it."""
        ...

    def on_message(self, message: AnyMessage) -> None:
        """Take a message that was sent."""
        ...

    def on_frame(self, frame: Frame, skeletons: Sequence[EncodedMessage[SkeletonMessage]]) -> None:
        """Take a frame with the skeletons in it, whether or not skeletons are sent."""
        ...

    def serves_http(self, address: str, handlers: Mapping[str, HttpHandler]) -> bool:
        """Answer HTTP requests for these paths, if ``address`` is the observer's own.

        Returns:
            Whether it is.
        """
        ...
