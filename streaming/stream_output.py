"""Where a stream's messages go: the wire, a recording, observers in this process. Builds none but skeletons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from mar_edge.edge.data import Skeleton
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.choices import Kind
from mar_edge.streaming.message_builders import skeleton_messages
from mar_edge.streaming.observer import StreamObserver
from mar_edge.streaming.recording.recorder import Recorder
from mar_edge.streaming.wire.messages import AnyMessage, EncodedMessage, M, SkeletonMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

OnMessage = Callable[[AnyMessage], None]


class Output(Protocol):
    """What a stream's loop sends to: ``StreamOutput``, or a file of the analysis of a video."""

    recorder: Recorder | None
    observer: StreamObserver | None

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
        """Take everybody's joints in a frame; send them if ``publish`` says so."""
        ...


class StreamOutput:
    """Passes each message on, encoded once for everything that takes it.

    Args:
        publisher: numbers and sends messages.
        socket: what it sends through.
        recorder: gets every message that a recording holds.
        on_message: gets each message as it was sent.
        observer: gets each frame with its skeletons, sent or not.
    """

    def __init__(
        self,
        publisher: Publisher,
        socket: PublishSocket,
        recorder: Recorder | None = None,
        on_message: OnMessage | None = None,
        observer: StreamObserver | None = None,
    ) -> None:
        self.recorder, self.observer = recorder, observer
        self._publisher, self._socket, self._on_message = publisher, socket, on_message

    @property
    def stream(self) -> str:
        """Name of the stream."""
        return self._publisher.stream

    @property
    def sent(self) -> Mapping[Kind, int]:
        """Number of messages sent, by kind."""
        return self._publisher.sent

    @property
    def next_seq(self) -> int:
        """The number of the next message."""
        return self._publisher.next_seq

    @property
    def subscribers(self) -> int:
        """How many are connected now."""
        return self._socket.subscribers

    def send(self, message: M) -> EncodedMessage[M]:
        """Send a message, and give it to the recorder and ``on_message``."""
        sent = self._publisher.publish(message)
        if self.recorder is not None:
            self.recorder.write(sent)
        if self._on_message is not None:
            self._on_message(sent.message)
        return sent

    def show_people(self, frame: Frame, people: Sequence[Skeleton], *, publish: bool) -> None:
        """Give everybody's joints to the recorder and the observer, and send them if ``publish`` says so."""
        if not publish and self.recorder is None and self.observer is None:
            return
        shown = [self._show(message, publish) for message in skeleton_messages(frame, people)]
        if self.observer is not None:
            self.observer.on_frame(frame, shown)

    def _show(self, skeleton: SkeletonMessage, publish: bool) -> EncodedMessage[SkeletonMessage]:
        if publish:
            return self.send(skeleton)
        prepared = self._publisher.prepare(skeleton)
        if self.recorder is not None:
            self.recorder.write(prepared)
        return prepared
