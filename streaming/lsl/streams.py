"""LSL of a service: follows its streams as an observer does, and collects markers for them.

Events and markers pass between LSL's clock and media time, by way of the monotonic clock. ``_StreamClock`` knows the
last step. So an onset has its own time, however late the model found it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.lsl.config import LslConfig
from mar_edge.streaming.lsl.library import load_pylsl
from mar_edge.streaming.lsl.marker_inlets import MarkerInlets
from mar_edge.streaming.lsl.outlets import marker_text, source_ids
from mar_edge.streaming.lsl.sender import OutletsOfStreams
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.streaming.wire.messages import AnyMessage, EventMessage, HelloMessage, SkeletonMessage, StatusMessage


@dataclass(frozen=True)
class MediaMarker:
    """A marker of another program on the media clock of a stream."""

    media_ns: int
    text: str
    source: str


class _StreamClock:
    """Media time of one stream on the monotonic clock, and on the wall clock of its newest frame.

    A frame of a camera is available when it is captured. One of a file is never early, but late where the machine is
    busy. So the least late frame says when media time 0 was.
    """

    def __init__(self, frame: Frame) -> None:
        self._zero_ns = frame.t_mono_ns - frame.media_ns
        self.see(frame)

    def see(self, frame: Frame) -> None:
        """Take note of the newest frame."""
        self._zero_ns = min(self._zero_ns, frame.t_mono_ns - frame.media_ns)
        self._wall_zero_ns = frame.t_capture_ns - frame.media_ns

    def media_ns(self, t_wall_ns: int) -> int:
        """Convert a time in a message about the newest frame."""
        return t_wall_ns - self._wall_zero_ns

    def mono_ns(self, media_ns: int) -> int:
        """Convert media time to the monotonic clock."""
        return self._zero_ns + media_ns

    def media_of_mono_ns(self, t_mono_ns: int) -> int:
        """Convert back."""
        return t_mono_ns - self._zero_ns


class LslStreams:
    """Offers what streams find, and takes markers in. A context manager. Its other methods never block or raise.

    Args:
        config: What is exchanged.
        streams: Names of the streams.
        skeletons: Whether joints are offered.

    Raises:
        MarEdgeError: pylsl or liblsl is missing.
    """

    def __init__(self, config: LslConfig, streams: Sequence[str], *, skeletons: bool) -> None:
        self._config = config
        self._inlets: MarkerInlets | None = None
        self._outlets: OutletsOfStreams | None = None
        pylsl = load_pylsl()
        if config.sends:
            self._outlets = OutletsOfStreams(pylsl, config, skeletons=skeletons)
        if config.markers:
            self._inlets = MarkerInlets(pylsl, config.markers, streams, set(source_ids(streams, config.people)))
        self._clocks: dict[str, _StreamClock] = {}
        self._stack = ExitStack()

    @property
    def lost(self) -> int:
        """Samples that were not sent, and markers that were not taken in."""
        return sum(part.lost for part in (self._outlets, self._inlets) if part is not None)

    def take_markers(self, stream: str) -> Sequence[MediaMarker]:
        """Return what other programs sent since the last call for ``stream``; before its first frame, it waits."""
        if self._inlets is None or stream not in self._clocks:
            return ()
        clock = self._clocks[stream]
        return [
            MediaMarker(clock.media_of_mono_ns(marker.t_mono_ns), marker.text, marker.source)
            for marker in self._inlets.take(stream)
        ]

    def on_frame(self, frame: Frame, skeletons: Sequence[EncodedMessage[SkeletonMessage]]) -> None:
        """Take a frame with the skeletons in it, whether or not there is anybody."""
        people = [skeleton.message for skeleton in skeletons]
        clock = self._clocks.setdefault(people[0].stream, _StreamClock(frame))
        clock.see(frame)
        if self._outlets is not None:
            self._outlets.send_people(people, clock.mono_ns(frame.media_ns))

    def on_message(self, message: AnyMessage) -> None:
        """Take a message that was sent. One about an event follows its frame."""
        if self._outlets is None:
            return
        if isinstance(message, HelloMessage):
            self._outlets.open(message)
        elif isinstance(message, StatusMessage):
            self._outlets.look_after()
        elif isinstance(message, EventMessage) and message.phase != "update":
            clock = self._clocks[message.stream]
            onset_ns = clock.media_ns(message.t_start_ns)
            offset_ns = None if message.t_end_ns is None else clock.media_ns(message.t_end_ns)
            text = marker_text(message, onset_ns, offset_ns, self._config.marker_format)
            at_ns = onset_ns if offset_ns is None else offset_ns
            self._outlets.send_marker(message.stream, text, clock.mono_ns(at_ns))

    def __enter__(self) -> LslStreams:
        for part in (self._outlets, self._inlets):
            if part is not None:
                self._stack.enter_context(part)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()
