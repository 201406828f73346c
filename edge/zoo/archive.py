"""Extracts the one ONNX file of a zip. Writes nothing else, and only under the name that it was given."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import draft_of
from mar_edge.edge.zoo.download import MAX_BYTES

_CHUNK = 1 << 20
_MAX_MEMBERS = 1000
# Weights hardly compress: a member that shrinks more than this is no network.
_MAX_RATIO = 50
_SMALL = 1 << 20


def extract_onnx(archive: Path, target: Path) -> None:
    """Write the ONNX file of ``archive`` to ``target``, whole or not at all.

    Raises:
        MarEdgeError: it is no zip, is damaged, does not hold exactly one, or unpacks to more than it states; or
            ``target`` cannot be written.
    """
    with draft_of(target) as draft, draft.open("wb") as file:
        for chunk in _unpacked(archive):
            file.write(chunk)


def _unpacked(archive: Path) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(archive) as opened:
            member = _onnx_member(opened, archive)
            with opened.open(member) as packed:
                size = 0
                while chunk := packed.read(_CHUNK):
                    size += len(chunk)
                    if size > member.file_size:
                        raise MarEdgeError(f"{archive} unpacks to more than it states; it is not used")
                    yield chunk
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise MarEdgeError(f"{archive} cannot be unpacked: {error}; delete it and download it again") from None


def _onnx_member(opened: zipfile.ZipFile, archive: Path) -> zipfile.ZipInfo:
    members = opened.infolist()
    found = [member for member in members if member.filename.lower().endswith(".onnx") and not member.is_dir()]
    if len(members) > _MAX_MEMBERS or len(found) != 1:
        names = ", ".join(member.filename for member in found[:5]) or "none"
        raise MarEdgeError(f"{archive} holds {len(members)} files; expected one .onnx among them, found: {names}")
    member = found[0]
    if member.flag_bits & 1:
        raise MarEdgeError(f"{archive} is encrypted; expected a zip without a password")
    bomb = member.file_size > _SMALL and member.file_size > _MAX_RATIO * max(member.compress_size, 1)
    if member.file_size > MAX_BYTES or bomb:
        raise MarEdgeError(
            f"{archive}: {member.filename} would unpack from {member.compress_size} to {member.file_size} bytes, "
            "more than any network; it is not used"
        )
    return member
