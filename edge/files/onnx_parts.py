"""Parts of an ONNX file: is it one file, or are its weights in others? And its metadata, replaced.

Reads the protocol buffers by hand, because serving does without the ``onnx`` package. Field numbers are those of
onnx.proto3.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
# Message -> field -> the message in it: every path from a model to its tensors.
_PARTS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_METADATA, _KEY, _VALUE = 14, 1, 2
_EXTERNAL_DATA, _DATA_LOCATION, _EXTERNAL = 13, 14, 1
_DEEPEST = 100


class _NoProtobuf(Exception):
    """The bytes are not a message."""


def check_whole(path: Path) -> None:
    """Refuse a model that its file's hash covers only in part.

    Raises:
        MarEdgeError: it is no ONNX file, keeps weights in other files, or cannot be read.
    """
    try:
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise MarEdgeError(f"cannot read {path}: {error.strerror}") from None
    try:
        is_whole = not any(_is_external(tensor) for tensor in _tensors(content, "model", 0))
    except _NoProtobuf:
        raise MarEdgeError(f"{path} is no ONNX file; state the SHA-256 of the model file (.onnx) itself") from None
    if not is_whole:
        raise MarEdgeError(
            f"{path} keeps weights in other files, which its SHA-256 does not cover. Write them into the file "
            "(onnx.save with save_as_external_data=False) and state the hash of that file"
        )


def with_metadata(content: bytes, key: str, value: str) -> bytes:
    """Return the bytes of a model with one entry of its metadata replaced or added; every other byte stays.

    Raises:
        MarEdgeError: they are no ONNX model.
    """
    model, wanted = memoryview(content), key.encode()
    try:
        kept = [model[start:end] for field, part, start, end in _spans(model) if not _is_entry(field, part, wanted)]
    except _NoProtobuf:
        raise MarEdgeError("the model is no ONNX file") from None
    entry = _bytes_field(_KEY, wanted) + _bytes_field(_VALUE, value.encode())
    return b"".join((*kept, _bytes_field(_METADATA, entry)))


def _is_entry(field: int, part: memoryview | int, key: bytes) -> bool:
    if field != _METADATA or not isinstance(part, memoryview):
        return False
    return any(place == _KEY and not isinstance(name, int) and bytes(name) == key for place, name in _fields(part))


def _bytes_field(field: int, content: bytes) -> bytes:
    return bytes([field << 3 | _BYTES]) + _encoded(len(content)) + content


def _encoded(value: int) -> bytes:
    """Return a number as a varint."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _tensors(message: memoryview, kind: str, depth: int) -> Iterator[memoryview]:
    """Yield every tensor in a message of that kind."""
    if depth > _DEEPEST:
        raise _NoProtobuf
    for field, value in _fields(message):
        part = _PARTS[kind].get(field)
        if part is None:
            continue
        if not isinstance(value, memoryview):
            raise _NoProtobuf
        if part == "tensor":
            yield value
        else:
            yield from _tensors(value, part, depth + 1)


def _is_external(tensor: memoryview) -> bool:
    return any(
        field == _EXTERNAL_DATA or (field == _DATA_LOCATION and value == _EXTERNAL) for field, value in _fields(tensor)
    )


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Yield the fields of a message: their numbers, and their values as bytes or an integer."""
    for field, value, _, _ in _spans(message):
        yield field, value


def _spans(message: memoryview) -> Iterator[tuple[int, memoryview | int, int, int]]:
    """Yield the fields as ``_fields`` does, and where each begins and ends."""
    at = 0
    while at < len(message):
        start = at
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value, start, at
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise _NoProtobuf
        if at + length > len(message):
            raise _NoProtobuf
        at += length
        yield key >> 3, message[at - length : at], start, at


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if at >= len(message):
            raise _NoProtobuf
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at
    raise _NoProtobuf
