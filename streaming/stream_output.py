"""Where a stream's messages go: the wire, a recording, observers in this process, and the profile made of them.

Builds none but skeletons, profiles and markers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mar_edge.edge.data import Skeleton
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.choices import Kind
from mar_edge.streaming.lsl.streams import LslStreams
from mar_edge.streaming.message_builders import marker_message, skeleton_messages
from mar_edge.streaming.observer import StreamObserver
from mar_edge.streaming.recognition.activity import PersonProfile
from mar_edge.streaming.recording.profile_follower import ProfileFollower
from mar_edge.streaming.recording.recorder import Recorder
from mar_edge.streaming.wire.encoding import EncodedMessage, M
from mar_edge.streaming.wire.messages import AnyMessage, SkeletonMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

OnMessage = Callable[[AnyMessage], None]


class StreamOutput:
    """Passes each message on, encoded once for everything that takes it.

    Args:
        publisher: numbers and sends messages.
        socket: what it sends through.
        recorder: gets every message that a recording holds.
        on_message: gets each message as it was sent.
        observer: gets each frame with its skeletons, sent or not.
        profile: makes profiles of the messages, which are sent as well.
        lsl: follows the stream as an observer does, and has markers of other programs.
    """

    def __init__(
        self,
        publisher: Publisher,
        socket: PublishSocket,
        recorder: Recorder | None = None,
        on_message: OnMessage | None = None,
        observer: StreamObserver | None = None,
        *,
        profile: ProfileFollower | None = None,
        lsl: LslStreams | None = None,
    ) -> None:
        self.recorder, self.observer, self.lsl = recorder, observer, lsl
        self._publisher, self._socket, self._on_message, self._profile = publisher, socket, on_message, profile
        self._frame: Frame | None = None

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
        """Send a message, and give it to the profile, the recorder and ``on_message``."""
        if self._profile is not None:
            self._profile.take(message)
        sent = self._publisher.publish(message)
        if self.recorder is not None:
            self.recorder.write(sent)
        if self._on_message is not None:
            self._on_message(sent.message)
        return sent

    def show_people(self, frame: Frame, people: Sequence[Skeleton], *, publish: bool) -> None:
        """Begin a frame: send what is due before it, then give everybody's joints to the recorder and observers.

        Args:
            publish: send them as well.
        """
        if self._profile is not None:
            self._send_profiles(self._profile.begin_frame(frame.t_capture_ns, frame.media_ns))
        self._frame = frame
        observers = [observer for observer in (self.observer, self.lsl) if observer is not None]
        if not publish and self.recorder is None and not observers:
            return
        shown = [self._show(message, publish) for message in skeleton_messages(frame, people)]
        for observer in observers:
            observer.on_frame(frame, shown)
        self.send_markers()

    def send_markers(self) -> None:
        """Send the markers that other programs set since the last call; before the first frame, they wait."""
        if self.lsl is not None and self._frame is not None:
            for marker in self.lsl.take_markers(self.stream):
                self.send(marker_message(self._frame, marker))

    def send_last_profiles(self) -> None:
        """Send the profiles of the end of the stream, before its end."""
        if self._profile is not None:
            self._send_profiles(self._profile.finish())

    def _send_profiles(self, profiles: Sequence[PersonProfile]) -> None:
        frame = self._frame
        for profile in profiles:
            assert frame is not None  # there is none before the first frame
            shift_ns = frame.t_capture_ns - frame.media_ns
            self.send(profile.message(shift_ns, frame=frame.seq, t_capture_ns=frame.t_capture_ns))

    def _show(self, skeleton: SkeletonMessage, publish: bool) -> EncodedMessage[SkeletonMessage]:
        if publish:
            return self.send(skeleton)
        prepared = self._publisher.prepare(skeleton)
        if self.recorder is not None:
            self.recorder.write(prepared)
        return prepared
