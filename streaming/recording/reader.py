"""Read recordings: files -> lines -> checked messages. Every use of a recording reads it through here.

The rules are the same for every use. Rotated parts are read one after the other. A last line that breaks off is left
out, and so are NULs at the end: a killed program or a power cut leaves them. Kinds of later versions are passed on as
``UnknownMessage``. Anything else that is not a message is an error, which names the line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.folders import listed
from mar_edge.streaming.choices import Kind
from mar_edge.streaming.recording.recorder import SUFFIX, age_order
from mar_edge.streaming.wire.encoding import MAX_BYTES, decode
from mar_edge.streaming.wire.message import SCHEMA
from mar_edge.streaming.wire.messages import NO_PERSON, AnyMessage, MalformedMessage, UnknownMessage, UnknownSchema

STUDY_FOLDER = "recordings"
"""Folder of the recordings in a folder that ``mar-edge analyze`` wrote."""


class Head(msgspec.Struct, frozen=True):
    """The fields of a skeleton or label message that say when it was, and of which person.

    Reading only these is several times faster than reading all of the message.
    """

    schema: int
    kind: str
    stream: str
    run: str
    t_capture_ns: int
    frame: int = 0
    segment: int = 0
    person: int = NO_PERSON
    t_media_ns: int | None = None


class Line(NamedTuple):
    """One line that is not blank.

    number: from 1. start: position of its first byte in the file. content: without the newline. whole: the newline is
    there. Without it, a last line may be a message or may break off.
    """

    number: int
    start: int
    content: bytes
    whole: bool


class Recorded(NamedTuple):
    """One message of a recording, and its place."""

    path: Path
    line: Line
    message: AnyMessage | UnknownMessage | Head

    def error(self, problem: str) -> MarEdgeError:
        """Return an error that names the message's line."""
        return MarEdgeError(f"{self.path}, line {self.line.number}: {problem}")


def recording_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files that ``paths`` names: these files, or all recordings of one folder, oldest first.

    Raises:
        MarEdgeError: there is none.
    """
    if len(paths) == 1 and paths[0].is_dir():
        files = sorted(recordings_in(paths[0]), key=age_order)
        if not files:
            hint = "'mar-edge serve --record FOLDER' writes them"
            if is_study(paths[0]):
                hint = f"those of the study are in {paths[0] / STUDY_FOLDER}"
            raise MarEdgeError(f"{paths[0]} holds no recording (*{SUFFIX}); {hint}")
        return files
    for path in paths:
        if not path.is_file():
            raise MarEdgeError(f"no recording at {path}; give files of 'mar-edge record', or one folder of them")
    if not paths:
        raise MarEdgeError("no recording named; give files of 'mar-edge record', or one folder of them")
    return list(paths)


def recordings_in(folder: Path) -> list[Path]:
    """Return the recordings in a folder, by name.

    Raises:
        MarEdgeError: it cannot be read.
    """
    return [path for path in listed(folder) if path.name.endswith(SUFFIX)]


def is_study(folder: Path) -> bool:
    """Return whether a folder is one that ``mar-edge analyze`` wrote: its recordings are in a folder in it.

    Raises:
        MarEdgeError: it cannot be read.
    """
    return (folder / STUDY_FOLDER).is_dir() and bool(recordings_in(folder / STUDY_FOLDER))


def read_messages(files: Iterable[Path], heads_of: Collection[Kind] = ()) -> Iterator[Recorded]:
    """Yield the messages of ``files``, in their order.

    Args:
        heads_of: kinds of which only the ``Head`` is read.

    Raises:
        MarEdgeError: a file cannot be read, or a line is not a message of this version. The error names the line.
    """
    for path in files:
        for line in recorded_lines(path):
            try:
                message = _message(line.content, heads_of)
            except (MalformedMessage, UnknownSchema) as error:
                if line.whole or isinstance(error, UnknownSchema):
                    raise MarEdgeError(f"{path}, line {line.number}: {error}") from None
                return  # a line that breaks off is the last one
            yield Recorded(path, line, message)


def of_one_run(recorded: Iterable[Recorded]) -> Iterator[Recorded]:
    """Pass messages on as long as they are of one run of their sender.

    Raises:
        MarEdgeError: another run begins. The error names the line.
    """
    run: str | None = None
    for one in recorded:
        run = one.message.run if run is None else run
        if one.message.run != run:
            raise one.error("another run of the sender begins; a recording holds one")
        yield one


_read_head = msgspec.json.Decoder(Head).decode


def _message(content: bytes, heads_of: Collection[Kind]) -> AnyMessage | UnknownMessage | Head:
    if heads_of:
        try:
            head = _read_head(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return decode(content)  # which says what is wrong
        if head.kind in heads_of and head.schema == SCHEMA and head.stream and head.run:
            return head
    return decode(content)


def recorded_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of one file, without blank ones and without NULs at the end.

    Raises:
        MarEdgeError: the file cannot be read, or a line is longer than the longest message.
    """
    try:
        with path.open("rb") as file:
            number = start = 0
            while content := file.readline(MAX_BYTES + 1):
                number += 1
                if content.endswith(b"\0") and _only_nuls(file):
                    content = content.rstrip(b"\0")
                    if content.strip():
                        yield Line(number, start, content, whole=False)
                    return
                if len(content) > MAX_BYTES:
                    raise MarEdgeError(f"{path}, line {number}: longer than {MAX_BYTES} bytes, the longest message")
                if content.strip():
                    yield Line(number, start, content.strip(), whole=content.endswith(b"\n"))
                start += len(content)
    except OSError as error:
        raise MarEdgeError(f"cannot read recording {path}: {error.strerror}") from None


def _only_nuls(file: BinaryIO) -> bool:
    """Return whether only NULs follow. If something else does, the file stays at its position."""
    here = file.tell()
    while chunk := file.read(MAX_BYTES):
        if chunk.strip(b"\0"):
            file.seek(here)
            return False
    return True
