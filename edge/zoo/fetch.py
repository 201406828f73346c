"""From a known model's name to its ONNX file on this machine: from the cache, else from its address or a mirror.

Beside each file lies a record of where it came from and what it hashed to. Where no hash is published, the first
download's is what every later use is checked against.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from mar_edge.edge.cache import home
from mar_edge.edge.digest import sha256_of
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.outputs import write_whole
from mar_edge.edge.zoo.archive import extract_onnx
from mar_edge.edge.zoo.catalogue import KnownModel
from mar_edge.edge.zoo.download import OnBytes, download


class Record(msgspec.Struct, frozen=True):
    """Where a cached model came from: hashes of the zip and of the ONNX file in it."""

    name: str
    source: str
    archive_sha256: str
    onnx_sha256: str
    downloaded: str


def cache_folder() -> Path:
    """Where downloaded models lie: ``mar-edge/models`` in the user's cache folder.

    Raises:
        MarEdgeError: the user has no home folder.
    """
    if chosen := os.environ.get("XDG_CACHE_HOME"):
        base = Path(chosen)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home() / "AppData/Local")
    elif sys.platform == "darwin":
        base = home() / "Library/Caches"
    else:
        base = home() / ".cache"
    return base / "mar-edge" / "models"


def cached(model: KnownModel, folder: Path | None = None) -> Record | None:
    """The record of a model that is in the cache; its file is not looked into."""
    try:
        folder = folder or cache_folder()
    except MarEdgeError:  # there is no place for a cache
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
    """The model's ONNX file, downloaded where it is not in the cache.

    Args:
        mirror: address or folder that has the model's zip under its own file name; else the published address.
        folder: the cache.

    Raises:
        MarEdgeError: it cannot be had, or is not what it should be; the message says what to do.
    """
    folder = folder or cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MarEdgeError(
            f"cannot write to the cache {folder}: {error.strerror}; set XDG_CACHE_HOME to another folder"
        ) from None
    with _locked(folder / f"{model.name}.lock"):
        return _fetch(model, mirror, folder, progress)


def _fetch(model: KnownModel, mirror: str | None, folder: Path, progress: OnBytes | None) -> Path:
    path = _onnx_path(model, folder)
    record = cached(model, folder)
    if record is not None:
        found = sha256_of(path)
        if found != record.onnx_sha256 or model.sha256 not in (None, record.archive_sha256):
            raise MarEdgeError(
                f"{path} is not what was downloaded on {record.downloaded}: its SHA-256 is {found}, recorded was "
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
    """Where its zip is fetched from."""
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


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two processes that want the same model take turns, and the second finds it there. Not on Windows."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
