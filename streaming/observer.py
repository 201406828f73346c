"""Who looks on from within the process, without a place on the wire: the live page. Only what it must bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.wire.messages import AnyMessage, EncodedMessage, SkeletonMessage

Answer = Callable[[], tuple[int, str, bytes]]
"""What HTTP answers: status, content type, body."""


class StreamObserver(Protocol):
    """Is shown what streams do, by their own threads: nothing here may wait."""

    def on_message(self, message: AnyMessage) -> None:
        """Take note of a message that was sent."""

    def on_frame(self, frame: Frame, skeletons: Sequence[EncodedMessage[SkeletonMessage]]) -> None:
        """Take note of a frame and who is in it, whether or not skeletons are sent."""

    def answers(self, address: str, answers: Mapping[str, Answer]) -> bool:
        """Answer HTTP at these paths, if ``address`` is where the observer does; whether it is."""
