"""LSL of a service: follows its streams as an observer does, and collects markers for them.

Each message about an event has the wall-clock time of its movement and is about a frame, whose capture is known on the
monotonic clock. So the time of the movement is known there too, and with it on LSL's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.lsl.config import LslConfig
from mar_edge.streaming.lsl.library import load_pylsl
from mar_edge.streaming.lsl.marker_inlets import Marker, MarkerInlets
from mar_edge.streaming.lsl.outlets import marker_text, source_ids
from mar_edge.streaming.lsl.sender import OutletsOfStreams
from mar_edge.streaming.wire.messages import (
    AnyMessage,
    EncodedMessage,
    EventMessage,
    HelloMessage,
    SkeletonMessage,
    StatusMessage,
)


class _FrameTimes(NamedTuple):
    """The times of a stream's newest frame, on three clocks."""

    t_mono_ns: int
    t_capture_ns: int
    media_ns: int


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
        self._times: dict[str, _FrameTimes] = {}
        self._stack = ExitStack()

    @property
    def lost(self) -> int:
        """Samples that were not sent, and markers that were not taken in."""
        return sum(part.lost for part in (self._outlets, self._inlets) if part is not None)

    def take_markers(self, stream: str) -> Sequence[Marker]:
        """Return what other programs sent since the last call for ``stream``."""
        return () if self._inlets is None else self._inlets.take(stream)

    def on_frame(self, frame: Frame, skeletons: Sequence[EncodedMessage[SkeletonMessage]]) -> None:
        """Take a frame with the skeletons in it, whether or not there is anybody."""
        people = [skeleton.message for skeleton in skeletons]
        self._times[people[0].stream] = _FrameTimes(frame.t_mono_ns, frame.t_capture_ns, frame.media_ns)
        if self._outlets is not None:
            self._outlets.send_people(people, frame.t_mono_ns)

    def on_message(self, message: AnyMessage) -> None:
        """Take a message that was sent. One about an event follows its frame."""
        if self._outlets is None:
            return
        if isinstance(message, HelloMessage):
            self._outlets.open(message)
        elif isinstance(message, StatusMessage):
            self._outlets.look_after()
        elif isinstance(message, EventMessage) and message.phase != "update":
            # At the onset or offset itself, however long ago the model found it.
            frame = self._times[message.stream]
            t_ns = message.t_start_ns if message.t_end_ns is None else message.t_end_ns
            text = marker_text(message, frame.t_capture_ns - frame.media_ns, self._config.marker_format)
            self._outlets.send_marker(message.stream, text, frame.t_mono_ns + t_ns - frame.t_capture_ns)

    def __enter__(self) -> LslStreams:
        for part in (self._outlets, self._inlets):
            if part is not None:
                self._stack.enter_context(part)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()
