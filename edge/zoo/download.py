"""Downloads one file over HTTP: resumes after a break, checks the hash, and only then puts the file in place."""

from __future__ import annotations

import http.client
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.files.outputs import put_in_place

OnBytes = Callable[[int, int | None], None]
"""Called with the number of bytes so far and in total (None where the server does not state it)."""

MAX_BYTES = 2 << 30
_CHUNK = 1 << 18
_TIMEOUT_S = 30.0
_FRUITLESS_ATTEMPTS = 4
_PAUSE_S = 1.0
_SPARE_BYTES = 64 << 20


def download(
    url: str, target: Path, *, sha256: str | None, progress: OnBytes | None = None, pause_s: float = _PAUSE_S
) -> str:
    """Download ``url`` to ``target``. A part that an earlier attempt left next to it is resumed.

    Args:
        url: http, https or file. A redirect from https to plain http is refused.
        sha256: hash that the file must have; None accepts any file.
        pause_s: seconds before another attempt, times the number of attempts in a row that brought no byte.

    Returns:
        The file's SHA-256, lower case.

    Raises:
        MarEdgeError: it cannot be downloaded, is larger than ``MAX_BYTES`` or than the free disk space, or has another
            hash (and is deleted).
    """
    part = target.with_name(target.name + ".part")
    target.parent.mkdir(parents=True, exist_ok=True)
    fruitless = 0
    while True:
        before = _size(part)
        try:
            _fetch(url, part, progress)
            break
        except _CutOffError as error:
            fruitless = 0 if _size(part) > before else fruitless + 1
            if fruitless >= _FRUITLESS_ATTEMPTS:
                raise MarEdgeError(
                    f"{url} cannot be downloaded: {error}; the part so far is kept, and the next attempt resumes "
                    "there. Offline: give --pose and --detector files, or --mirror"
                ) from None
            time.sleep(pause_s * fruitless)
    found = sha256_of(part)
    if sha256 is not None and found != sha256.lower():
        _forget(part)
        raise MarEdgeError(
            f"{url} is not the file that is known by that name: its SHA-256 is {found}, expected {sha256}; it was "
            "deleted. Do not use it; if a new version was published, download it yourself and give it as a file"
        )
    put_in_place(part, target)
    _forget(part)
    return found


class _CutOffError(Exception):
    """A download broke off; another attempt may succeed."""


def _fetch(url: str, part: Path, progress: OnBytes | None) -> None:
    """Append the missing bytes to ``part``, if the server still has the version that its first bytes came from."""
    have = _size(part)
    headers = {"User-Agent": "mar-edge", "Accept-Encoding": "identity"}
    mark = _mark_of(part)
    if have and mark.is_file():
        headers["Range"] = f"bytes={have}-"
        headers["If-Range"] = mark.read_text("utf-8")
    try:
        with _opener.open(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_S) as response:
            resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT and _starts_at(response, have)
            have = have if resumed else 0
            length = response.headers.get("Content-Length")
            total = have + int(length) if length and length.isdigit() else None
            _check_room(url, part, (total or 0) - have, total or 0)
            if not resumed:
                _note_version(mark, response.headers)
            with part.open("ab" if resumed else "wb") as file:
                while chunk := response.read(_CHUNK):
                    file.write(chunk)
                    have += len(chunk)
                    if have > MAX_BYTES:
                        break
                    if progress is not None:
                        progress(have, total)
            _check_room(url, part, 0, have)
            if total is not None and have < total:
                raise _CutOffError(f"the connection ended after {have} of {total} bytes")
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if error.headers.get("Content-Range") == f"bytes */{have}":
                return  # an earlier process downloaded all of it
            _forget(part)
            raise _CutOffError("the file has changed on the server") from None
        if error.code in (408, 425, 429) or error.code >= 500:
            raise _CutOffError(f"the server answers {error.code} {error.reason}") from None
        raise MarEdgeError(f"{url} cannot be downloaded: the server answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise _CutOffError(str(error.reason)) from None
    except (OSError, http.client.HTTPException) as error:
        raise _CutOffError(str(error) or type(error).__name__) from None


def _starts_at(response: Any, first: int) -> bool:
    return str(response.headers.get("Content-Range", "")).startswith(f"bytes {first}-")


def _check_room(url: str, part: Path, missing: int, total: int) -> None:
    if total > MAX_BYTES:
        _forget(part)
        raise MarEdgeError(f"{url} is larger than {MAX_BYTES >> 20} MiB, more than any known model; nothing was kept")
    free = shutil.disk_usage(part.parent).free
    if missing + _SPARE_BYTES > free:
        raise MarEdgeError(
            f"{missing >> 20} MiB of {url} are missing and {part.parent} has room for {free >> 20} MiB; make room, or "
            "set MAR_EDGE_CACHE to a folder on another disk"
        )


def _note_version(mark: Path, headers: Any) -> None:
    """Record the server's name for this version of the file. Without one the download cannot be resumed."""
    etag = str(headers.get("ETag") or "")
    version = etag if etag and not etag.startswith("W/") else str(headers.get("Last-Modified") or "")
    if version:
        mark.write_text(version, "utf-8")
    else:
        mark.unlink(missing_ok=True)


def _mark_of(part: Path) -> Path:
    return part.with_name(part.name + ".version")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _mark_of(part).unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


class _NoDowngrade(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: urllib.request.Request, *arguments: Any) -> Any:
        newurl = str(arguments[-1])
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise MarEdgeError(f"{req.full_url} leads to {newurl}, which is not encrypted; nothing was downloaded")
        return super().redirect_request(req, *arguments)


_opener = urllib.request.build_opener(_NoDowngrade)
