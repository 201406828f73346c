"""An index of a recording: where each stretch of it begins, and its events. Knows no browsers.

A file is read once from end to end, to find where each stretch of ``CHUNK_S`` begins; what stays in memory are those
places and the events. Skeletons and labels are read from the file again when somebody comes to them.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.errors import MarEdgeError
from streaming.messages import (
    MAX_BYTES,
    NOBODY,
    EndMessage,
    EventMessage,
    HelloMessage,
    MalformedMessage,
    UnknownSchema,
    decode,
)

CHUNK_S = 5
# What one answer may hold: far more than that many seconds of a roomful of people.
MOST_CHUNK_BYTES = 64_000_000
_MOST_CHUNKS = 1_000_000
_NS = 1_000_000_000


class _Head(msgspec.Struct):
    """As much of a line as finding one's way takes; the rest is read where it matters."""

    kind: str
    run: str
    t_capture_ns: int
    frame: int = 0
    segment: int = 0
    person: int = NOBODY


@dataclass(frozen=True)
class IndexedRecording:
    """Where things stand in a recording.

    path: the file. hello: its first line. start_ns, end_ns: capture times of its first and last frame, wall clock.
    frames, dropped: how many were processed, and how many were not. people: everybody seen. reason: why the stream
    ended, if it did. events: of each, its first message and its newest, as lines of the file. offsets: byte at which
    each chunk begins, and where the last one ends.
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
    offsets: array[int]

    @property
    def chunks(self) -> int:
        """How many stretches of ``CHUNK_S`` there are."""
        return len(self.offsets) - 1

    def summary(self) -> bytes:
        """What the page must know before it shows anything, as JSON; messages as they stand in the file."""
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
        return fields[:-1] + b',"hello":' + self.hello + b',"events":[' + b",".join(self.events) + b"]}"

    def chunk(self, number: int) -> bytes:
        """The messages of one stretch, as a JSON array.

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
        return b"[" + b",".join(line for line in lines if line.strip()) + b"]"


def index_recording(path: Path) -> IndexedRecording:
    """Read a recording through, once.

    Raises:
        MarEdgeError: it cannot be read, a line is no message or of another run (the message names the line), or it
            lacks the ``hello`` that says of what it is, or has no skeleton.
    """
    indexer = _Indexer()
    position = number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(MAX_BYTES + 1):
                number += 1
                try:
                    if line.strip():
                        indexer.take(line.strip(), position)
                except (msgspec.DecodeError, UnicodeDecodeError, MalformedMessage) as error:
                    if line.endswith(b"\n") or len(line) > MAX_BYTES:
                        raise MarEdgeError(f"{path}, line {number}: not a message of mar-edge ({error})") from None
                    break  # how a recording ends whose program was killed
                except (_Unfitting, UnknownSchema) as error:
                    raise MarEdgeError(f"{path}, line {number}: {error}") from None
                position += len(line)
    except OSError as error:
        raise MarEdgeError(f"cannot read recording {path}: {error.strerror}") from None
    return indexer.result(path, position)


class _Unfitting(Exception):
    """A line that does not go with those before it."""


class _Indexer:
    """Takes the lines of a recording in order."""

    def __init__(self) -> None:
        self._hello: bytes | None = None
        self._run = ""
        self._frame: tuple[int, int] | None = None
        self._first_frame = 0
        self._dropped: int | None = None
        self._frames = self._start_ns = self._end_ns = 0
        self._people: set[int] = set()
        self._reason: str | None = None
        self._events: dict[int, list[bytes]] = {}
        self._offsets = array("q")

    def take(self, line: bytes, position: int) -> None:
        head = msgspec.json.decode(line, type=_Head)
        if self._hello is None:
            if not isinstance(decode(line), HelloMessage):
                raise _Unfitting(
                    f"a {head.kind} before the 'hello' that says of what the recording is; record with "
                    "'mar-edge serve --record FOLDER' or 'mar-edge record'"
                )
            self._hello, self._run = line, head.run
        if head.run != self._run:
            raise _Unfitting("another run of the sender begins; a recording holds one")
        if head.kind == "skeleton":
            self._take_skeleton(head, position)
        elif head.kind in ("event", "end"):
            message = decode(line)
            if isinstance(message, EventMessage):
                first, *_ = self._events.setdefault(message.event_id, [line])
                self._events[message.event_id] = [first] if first is line else [first, line]
            elif isinstance(message, EndMessage):
                self._reason, self._dropped = message.reason, message.dropped

    def _take_skeleton(self, head: _Head, position: int) -> None:
        if not self._offsets:
            self._start_ns, self._first_frame = head.t_capture_ns, head.frame
        self._end_ns = max(self._end_ns, head.t_capture_ns)
        chunk = (self._end_ns - self._start_ns) // (CHUNK_S * _NS)
        if chunk > _MOST_CHUNKS:
            raise _Unfitting(f"captured {chunk * CHUNK_S / 86400:.0f} days after the first; did a clock jump?")
        # Stretches in which nothing was seen begin where the next one does.
        self._offsets.extend([position] * (chunk + 1 - len(self._offsets)))
        self._frames += self._frame != (head.segment, head.frame)
        self._frame = head.segment, head.frame
        if head.person != NOBODY:
            self._people.add(head.person)

    def result(self, path: Path, position: int) -> IndexedRecording:
        """What was found; the file ends at byte ``position``."""
        if self._hello is None or not self._offsets:
            raise MarEdgeError(f"{path} holds no skeleton; record with 'mar-edge serve --record FOLDER'")
        # Where the sender was killed, or the file is a part, the holes in the frames' numbers tell.
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
            events=tuple(line for lines in self._events.values() for line in lines),
            offsets=array("q", [*self._offsets, position]),
        )
