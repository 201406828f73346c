"""The recording of a video: a stream's messages without anything that depends on when or how fast it was analyzed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO

from msgspec.structs import replace

from mar_edge.edge.data import Skeleton
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.choices import Kind
from mar_edge.streaming.lsl.streams import LslStreams
from mar_edge.streaming.message_builders import skeleton_messages
from mar_edge.streaming.observer import StreamObserver
from mar_edge.streaming.recording.recorder import Recorder
from mar_edge.streaming.wire.answer_message import AnswerMessage
from mar_edge.streaming.wire.encoding import EncodedMessage, M
from mar_edge.streaming.wire.messages import KINDS, HelloMessage, LabelMessage, Latency

OnFrame = Callable[[Frame, Sequence[Skeleton]], None]
_NO_LATENCY = Latency(0.0, 0.0, 0.0, 0.0)


class FileOutput:
    """Writes the messages of one stream to a file (see ``streaming.output``).

    The same video, model and settings give the same bytes. A message counts as sent when its frame was captured, and
    latencies are 0. The states of the sender are left out, as in every recording.

    Attributes:
        hello: The stream's description, once it began.

    Args:
        file: Takes a line for each message.
        stream, run: Of the messages.
        source: Name of the video.
        on_frame: Gets each frame with its people.
    """

    subscribers = 0

    def __init__(self, file: BinaryIO, *, stream: str, run: str, source: str, on_frame: OnFrame) -> None:
        self.recorder: Recorder | None = None
        self.observer: StreamObserver | None = None
        self.lsl: LslStreams | None = None
        self.stream = stream
        self.sent: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self.hello: HelloMessage | None = None
        self._file, self._run, self._source, self._on_frame = file, run, source, on_frame

    @property
    def next_seq(self) -> int:
        """The number of the next message."""
        return sum(self.sent.values())

    def send(self, message: M) -> EncodedMessage[M]:
        """Number a message and write it, unless it is a status."""
        kind = message.kind
        if kind == "status":
            return EncodedMessage(message)
        if isinstance(message, LabelMessage):
            message = replace(message, latency=_NO_LATENCY)
        elif isinstance(message, AnswerMessage):
            message = replace(message, infer_ms=0.0)
        elif isinstance(message, HelloMessage):
            message = replace(message, source=self._source)
            self.hello = self.hello or message
        sent = EncodedMessage(
            replace(
                message,
                stream=self.stream,
                run=self._run,
                seq=self.next_seq,
                kind_seq=self.sent[kind],
                t_publish_ns=message.t_capture_ns,
            )
        )
        self.sent[kind] += 1
        self._file.write(sent.json + b"\n")
        return sent

    def show_people(self, frame: Frame, people: Sequence[Skeleton], *, publish: bool) -> None:
        """Write everybody's joints in a frame."""
        for message in skeleton_messages(frame, people):
            self.send(message)
        self._on_frame(frame, people)

    def send_markers(self) -> None:
        """Send none: nobody sets markers in a file."""

    def send_last_profiles(self) -> None:
        """Send none: profiles are made of recordings (``mar-edge profile``)."""
