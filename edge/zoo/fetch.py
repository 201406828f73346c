"""From a known model's name to its ONNX file on this machine: from the cache, else from its address or a mirror.

Next to each file is a record of its origin and hash. Where no hash is published, later uses are checked against the
hash of the first download.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.cache import cache_folder
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.files.lock import locked
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.zoo.archive import extract_onnx
from mar_edge.edge.zoo.catalog import KnownModel
from mar_edge.edge.zoo.download import OnBytes, download


class Record(msgspec.Struct, frozen=True):
    """Origin of a cached model, with the hashes of the zip and of the ONNX file in it."""

    name: str
    source: str
    archive_sha256: str
    onnx_sha256: str
    downloaded: str


def cached(model: KnownModel, folder: Path | None = None) -> Record | None:
    """Return the record of a model in the cache, or None. Its file is not read."""
    try:
        folder = folder or cache_folder("models")
    except MarEdgeError:  # there is no folder for a cache
        return None
    path = _record_path(model, folder)
    if not path.is_file() or not _onnx_path(model, folder).is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def fetch(
    model: KnownModel, *, mirror: str | None = None, folder: Path | None = None, progress: OnBytes | None = None
) -> Path:
    """Return the model's ONNX file, after downloading it if it is not in the cache.

    Args:
        mirror: address or folder that has the model's zip under its own file name; None takes the published address.
        folder: the cache.

    Raises:
        MarEdgeError: it cannot be downloaded, or has another hash; the message says what to do.
    """
    folder = folder or cache_folder("models")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MarEdgeError(
            f"cannot write to the cache {folder}: {error.strerror}; set MAR_EDGE_CACHE to another folder"
        ) from None
    # Of two processes that want the same model, the second finds it.
    with locked(folder / f"{model.name}.lock"):
        return _fetch(model, mirror, folder, progress)


def _fetch(model: KnownModel, mirror: str | None, folder: Path, progress: OnBytes | None) -> Path:
    path = _onnx_path(model, folder)
    record = cached(model, folder)
    if record is not None:
        found = sha256_of(path)
        if found != record.onnx_sha256 or model.sha256 not in (None, record.archive_sha256):
            raise MarEdgeError(
                f"{path} is not the file downloaded on {record.downloaded}: its SHA-256 is {found}, recorded is "
                f"{record.onnx_sha256}; delete it to download it again"
            )
        return path
    url = address(model, mirror)
    archive = folder / Path(urlsplit(model.url).path).name
    archive_sha256 = download(url, archive, sha256=model.sha256, progress=progress)
    extract_onnx(archive, path)
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    record = Record(model.name, url, archive_sha256, sha256_of(path), now)
    write_whole(_record_path(model, folder), msgspec.json.format(msgspec.json.encode(record)))
    archive.unlink()
    return path


def address(model: KnownModel, mirror: str | None) -> str:
    """Return the address of its zip.

    Raises:
        MarEdgeError: the mirror is a folder without the zip.
    """
    if mirror is None:
        return model.url
    name = Path(urlsplit(model.url).path).name
    if urlsplit(mirror).scheme in ("http", "https", "file"):
        return f"{mirror.rstrip('/')}/{name}"
    path = Path(mirror).resolve() / name
    if not path.is_file():
        raise MarEdgeError(f"the mirror {mirror} has no {name}, which is {model.name}'s archive")
    return path.as_uri()


def _onnx_path(model: KnownModel, folder: Path) -> Path:
    return folder / f"{model.name}.onnx"


def _record_path(model: KnownModel, folder: Path) -> Path:
    return folder / f"{model.name}.json"
