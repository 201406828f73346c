"""An index of a recording: where each stretch of it begins, and its events. Knows no browsers.

A file is read once from end to end, to find where each stretch of ``CHUNK_S`` begins. Only those positions and the
events stay in memory. Skeletons and labels are read from the file again when the page asks for them.

The page gets times of the steady clock: the wall clock at the stream's beginning plus media time.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.reader import Head, Recorded, of_one_run, read_messages
from mar_edge.streaming.recording.steady_time import SteadyTime
from mar_edge.streaming.wire.encoding import decode, encode
from mar_edge.streaming.wire.messages import (
    NO_PERSON,
    EndMessage,
    EventMessage,
    HelloMessage,
    LabelMessage,
    MarkerMessage,
    SkeletonMessage,
)
from mar_edge.streaming.wire.profile_message import ProfileMessage

CHUNK_S = 5
# Limit of one answer: far more than that many seconds of a room full of people.
MOST_CHUNK_BYTES = 64_000_000
_MOST_CHUNKS = 1_000_000
_NS = 1_000_000_000


@dataclass(frozen=True)
class IndexedRecording:
    """The places of things in a recording.

    path: the file. hello: its first line.
    start_ns, end_ns: times of its first and last frame, on the steady clock.
    frames, dropped: how many were processed, and how many were not.
    people: ids of the people seen.
    reason: why the stream ended, if it did.
    events: the first and the newest message of each, as JSON. markers: of other programs, as JSON.
    offsets: position of the byte at which each chunk begins, and of the end of the last one.
    zero_ns: the wall clock of media time 0.
    has_profiles: whether activity profiles were recorded.
    """

    path: Path
    hello: bytes
    start_ns: int
    end_ns: int
    frames: int
    dropped: int
    people: tuple[int, ...]
    reason: str | None
    events: tuple[bytes, ...]
    markers: tuple[bytes, ...]
    offsets: array[int]
    zero_ns: int
    steady: SteadyTime
    has_profiles: bool

    @property
    def chunks(self) -> int:
        """How many stretches of ``CHUNK_S`` there are."""
        return len(self.offsets) - 1

    def span(self, number: int) -> tuple[int, int]:
        """Return the times from which and before which one stretch is."""
        start_ns = self.start_ns + number * CHUNK_S * _NS
        return start_ns, start_ns + CHUNK_S * _NS

    def summary(self) -> bytes:
        """Return what the page needs before it shows anything, as JSON. Messages are as in the file."""
        fields = msgspec.json.encode(
            {
                "name": self.path.name,
                "start_ns": self.start_ns,
                "end_ns": self.end_ns,
                "frames": self.frames,
                "dropped": self.dropped,
                "people": self.people,
                "chunk_s": CHUNK_S,
                "chunks": self.chunks,
                "reason": self.reason,
            }
        )
        lists = ((b"events", self.events), (b"markers", self.markers))
        listed = b"".join(b',"' + name + b'":[' + b",".join(messages) + b"]" for name, messages in lists)
        return fields[:-1] + b',"hello":' + self.hello + listed + b"}"

    def chunk(self, number: int) -> bytes:
        """Return the messages of one stretch, as a JSON array.

        Raises:
            MarEdgeError: there is no such stretch, it holds too much, or the file cannot be read any more.
        """
        if not 0 <= number < self.chunks:
            raise MarEdgeError(f"{self.path.name} has {self.chunks} parts; there is no part {number}")
        first, after = self.offsets[number], self.offsets[number + 1]
        if after - first > MOST_CHUNK_BYTES:
            raise MarEdgeError(f"{self.path.name}: {CHUNK_S} s of it are {after - first} bytes; no page shows that")
        try:
            with self.path.open("rb") as file:
                file.seek(first)
                lines = file.read(after - first).splitlines()
        except OSError as error:
            raise MarEdgeError(f"cannot read recording {self.path}: {error.strerror}") from None
        lines = [line for line in lines if line.strip()]
        return b"[" + b",".join(_steadied(lines, self.steady, self.zero_ns)) + b"]"


def index_recording(path: Path) -> IndexedRecording:
    """Read a recording once, from end to end.

    Raises:
        MarEdgeError: it cannot be read, or a line is not a message or of another run (the error names the line). Also
            where it has no ``hello`` or no skeleton.
    """
    indexer = _Indexer()
    for recorded in of_one_run(read_messages([path], heads_of=("skeleton", "label"))):
        indexer.take(recorded)
    return indexer.result(path)


_Timed = LabelMessage | EventMessage | ProfileMessage | MarkerMessage
_TIMES = ("t_capture_ns", "t_start_ns", "t_end_ns", "t_marker_ns")


def _steadied(lines: Sequence[bytes], steady: SteadyTime, zero_ns: int) -> list[bytes]:
    """Return the messages on the steady clock; unchanged where the wall clock was steady itself."""
    if steady.is_even(zero_ns):
        return list(lines)
    shown = []
    apart_ns: tuple[int, int | None] = (-1, None)  # of wall clock and media time, at a frame
    for line in lines:
        message = decode(line)
        if isinstance(message, SkeletonMessage) and message.t_media_ns is not None:
            apart_ns = message.frame, message.t_capture_ns - message.t_media_ns
            shown.append(encode(msgspec.structs.replace(message, t_capture_ns=zero_ns + message.t_media_ns)))
        elif isinstance(message, _Timed):
            known = apart_ns[1] if apart_ns[0] == message.frame else None
            shown.append(encode(_steady_message(message, steady, zero_ns, known)))
        else:
            shown.append(line)
    return shown


def _steady_message(message: _Timed, steady: SteadyTime, zero_ns: int, apart_ns: int | None) -> _Timed:
    def at(t_ns: int) -> int:
        media_ns = steady.media_ns(t_ns, message.frame, apart_ns)
        return t_ns if media_ns is None else max(zero_ns + media_ns, 0)

    times = {name: at(t_ns) for name in _TIMES if (t_ns := getattr(message, name, None)) is not None}
    return msgspec.structs.replace(message, **times)


class _Indexer:
    """Takes the lines of a recording in order."""

    def __init__(self) -> None:
        self._hello: bytes | None = None
        self._frame: tuple[int, int] | None = None
        self._first_frame = 0
        self._dropped: int | None = None
        self._frames = self._start_ns = self._end_ns = 0
        self._people: set[int] = set()
        self._reason: str | None = None
        self._events: dict[int, list[bytes]] = {}
        self._markers: list[bytes] = []
        self._offsets = array("q")
        self._zero_ns = self._end = 0
        self._steady = SteadyTime()
        self._has_profiles = False

    def take(self, recorded: Recorded) -> None:
        message, line = recorded.message, recorded.line
        if self._hello is None:
            if not isinstance(message, HelloMessage):
                raise recorded.error(
                    f"a {message.kind} before the 'hello' that says of what the recording is; record with "
                    "'mar-edge serve --record FOLDER' or 'mar-edge record'"
                )
            self._hello, self._zero_ns = line.content, message.t_zero_ns
        if isinstance(message, Head) and message.kind == "skeleton":
            self._take_skeleton(recorded, message)
        elif isinstance(message, EventMessage):
            first, *_ = self._events.setdefault(message.event_id, [line.content])
            self._events[message.event_id] = [first] if first is line.content else [first, line.content]
        elif isinstance(message, MarkerMessage):
            self._markers.append(line.content)
        elif isinstance(message, ProfileMessage):
            self._has_profiles = True
        elif isinstance(message, EndMessage):
            self._reason, self._dropped = message.reason, message.dropped
        self._end = line.start + len(line.content)

    def _take_skeleton(self, recorded: Recorded, head: Head) -> None:
        self._steady.see(head.frame, head.t_capture_ns, head.t_media_ns)
        t_ns = head.t_capture_ns if head.t_media_ns is None else self._zero_ns + head.t_media_ns
        if not self._offsets:
            self._start_ns, self._first_frame = t_ns, head.frame
        self._end_ns = max(self._end_ns, t_ns)
        chunk = (self._end_ns - self._start_ns) // (CHUNK_S * _NS)
        if chunk > _MOST_CHUNKS:
            raise recorded.error(f"captured {chunk * CHUNK_S / 86400:.0f} days after the first; did a clock jump?")
        # Stretches in which nothing was seen begin where the next one does.
        self._offsets.extend([recorded.line.start] * (chunk + 1 - len(self._offsets)))
        self._frames += self._frame != (head.segment, head.frame)
        self._frame = head.segment, head.frame
        if head.person != NO_PERSON:
            self._people.add(head.person)

    def result(self, path: Path) -> IndexedRecording:
        """Return what was found."""
        if self._hello is None or not self._offsets:
            raise MarEdgeError(f"{path} holds no skeleton; record with 'mar-edge serve --record FOLDER'")
        # Where the sender was killed, or the file is a part, gaps in the frame numbers say how many are missing.
        _, last_frame = self._frame or (0, 0)
        missing = max(last_frame - self._first_frame + 1 - self._frames, 0)
        return IndexedRecording(
            path=path,
            hello=self._hello,
            start_ns=self._start_ns,
            end_ns=self._end_ns,
            frames=self._frames,
            dropped=missing if self._dropped is None else self._dropped,
            people=tuple(sorted(self._people)),
            reason=self._reason,
            events=tuple(
                line for lines in self._events.values() for line in _steadied(lines, self._steady, self._zero_ns)
            ),
            markers=tuple(_steadied(self._markers, self._steady, self._zero_ns)),
            offsets=array("q", [*self._offsets, self._end]),
            zero_ns=self._zero_ns,
            steady=self._steady,
            has_profiles=self._has_profiles,
        )
