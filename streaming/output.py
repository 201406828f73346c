"""The contract of an output: what the loop of a stream sends to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from mar_edge.edge.data import Skeleton
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.choices import Kind
from mar_edge.streaming.lsl.streams import LslStreams
from mar_edge.streaming.observer import StreamObserver
from mar_edge.streaming.recording.recorder import Recorder
from mar_edge.streaming.wire.encoding import EncodedMessage, M


class Output(Protocol):
    """Numbers a stream's messages and passes them on: ``StreamOutput`` of a service, ``FileOutput`` of a study.

    recorder, observer, lsl: those that it passes messages to, for the status.
    """

    recorder: Recorder | None
    observer: StreamObserver | None
    lsl: LslStreams | None

    @property
    def stream(self) -> str:
        """Name of the stream."""
        ...

    @property
    def sent(self) -> Mapping[Kind, int]:
        """Number of messages sent, by kind."""
        ...

    @property
    def next_seq(self) -> int:
        """The number of the next message."""
        ...

    @property
    def subscribers(self) -> int:
        """How many are connected now."""
        ...

    def send(self, message: M) -> EncodedMessage[M]:
        """Number a message and send it."""
        ...

    def show_people(self, frame: Frame, people: Sequence[Skeleton], *, publish: bool) -> None:
        """Begin a frame and take everybody's joints in it; send them if ``publish`` says so."""
        ...

    def send_markers(self) -> None:
        """Send the markers that other programs set since the last call."""
        ...

    def send_last_profiles(self) -> None:
        """Send the profiles of the end of the stream, before its end."""
        ...
