"""The one ONNX file out of a zip, whatever else is in it: nothing is written but that, under a name of our choosing."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.zoo.download import MAX_BYTES

_CHUNK = 1 << 20
_MAX_MEMBERS = 1000
# Weights hardly compress; what shrinks to less than this is no network.
_MAX_RATIO = 50
_SMALL = 1 << 20


def extract_onnx(archive: Path, target: Path) -> None:
    """Write the ONNX file of ``archive`` to ``target``, whole or not at all.

    Raises:
        MarEdgeError: it is no zip, is damaged, holds none or several, or one that unpacks to more than it should.
    """
    part = target.with_name(target.name + ".part")
    try:
        with zipfile.ZipFile(archive) as opened:
            member = _onnx_member(opened, archive)
            with opened.open(member) as packed, part.open("wb") as file:
                written = 0
                while chunk := packed.read(_CHUNK):
                    written += len(chunk)
                    if written > member.file_size:
                        raise MarEdgeError(f"{archive} unpacks to more than it says; it is not used")
                    file.write(chunk)
        os.replace(part, target)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise MarEdgeError(f"{archive} cannot be unpacked: {error}; delete it and download it again") from None
    finally:
        part.unlink(missing_ok=True)


def _onnx_member(opened: zipfile.ZipFile, archive: Path) -> zipfile.ZipInfo:
    members = opened.infolist()
    found = [member for member in members if member.filename.lower().endswith(".onnx") and not member.is_dir()]
    if len(members) > _MAX_MEMBERS or len(found) != 1:
        names = ", ".join(member.filename for member in found[:5]) or "none"
        raise MarEdgeError(f"{archive} holds {len(members)} files; expected was one .onnx among them, found: {names}")
    member = found[0]
    if member.flag_bits & 1:
        raise MarEdgeError(f"{archive} is encrypted; expected was an open zip")
    bomb = member.file_size > _SMALL and member.file_size > _MAX_RATIO * max(member.compress_size, 1)
    if member.file_size > MAX_BYTES or bomb:
        raise MarEdgeError(
            f"{archive}: {member.filename} would unpack from {member.compress_size} to {member.file_size} bytes, as no "
            "network does; it is not used"
        )
    return member
