"""What a source string means: camera index, file, URL, GStreamer pipeline, ``csi://``, demo. Opens nothing
(``streaming.readers`` does).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from edge.errors import MarEdgeError
from edge.names import did_you_mean
from streaming.capture_modes import CaptureMode, csi_pipeline, rtsp_pipeline, v4l2_pipeline

READ_TIMEOUT_S = 10.0

VIDEO_NODE = re.compile(r"/dev/video(\d{1,4})", re.ASCII)
_LONGEST = 8192
URL_SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp")

SourceKind = Literal["device", "file", "url", "pipeline", "demo"]


@dataclass(frozen=True)
class Source:
    """A parsed source. ``target`` is what is opened, ``description`` what people and subscribers may see of it.

    The target of a device is its index, or a path that is looked up each time it is opened.
    """

    kind: SourceKind
    target: str
    description: str
    mode: CaptureMode = field(default_factory=CaptureMode)


def parse_source(text: str, mode: CaptureMode | None = None) -> Source:
    """What a source string means. ``mode``: what is asked of a camera; files and ready pipelines ignore it.

    Raises:
        MarEdgeError: it means nothing we know, or names a file that is none. Opens nothing yet.
    """
    mode = mode or CaptureMode()
    text = text.strip()
    if not text:
        raise MarEdgeError("no camera named; give an index (0), a video file, an rtsp:// or http:// URL, or demo:")
    if len(text) > _LONGEST:
        raise MarEdgeError(f"a source is up to {_LONGEST} letters long, not {len(text)}")
    if not text.isprintable():
        raise MarEdgeError(f"a source has no control characters: {_without_secrets(text)!r}")
    if text.startswith("demo:"):
        return Source("demo", text, "demo:")
    if " ! " in text:
        return Source("pipeline", text, _without_secrets(text))
    if re.fullmatch(r"\d{1,4}", text, re.ASCII):
        return _device(str(int(text)), f"/dev/video{int(text)}", text, mode)
    scheme, separator, rest = text.partition("://")
    if separator:
        return _parse_url(text, scheme.lower(), rest, mode)
    if node := _device_node(text):
        return _device(node, node, text, mode)
    return _parse_file(text)


def _device_node(text: str) -> str | None:
    """The path of a device, if it is one. Links in /dev are kept: by-id ones lead to another /dev/videoN each time that
    the camera is plugged in, and to none while it is not.
    """
    if re.fullmatch(r"/dev/[\w./:+-]+", text, re.ASCII) and not os.path.isfile(text):
        return text
    node = os.path.realpath(text)
    return node if VIDEO_NODE.fullmatch(node) else None


def _device(target: str, node: str, text: str, mode: CaptureMode) -> Source:
    if mode.gstreamer:
        return Source("pipeline", v4l2_pipeline(node, mode), text, mode)
    return Source("device", target, text, mode)


def _parse_url(text: str, scheme: str, rest: str, mode: CaptureMode) -> Source:
    if scheme == "csi":
        if not re.fullmatch(r"\d{1,4}", rest, re.ASCII):
            raise MarEdgeError(f"'{text}' is no CSI camera; write csi://0 for the sensor with id 0")
        return Source("pipeline", csi_pipeline(int(rest), mode), f"csi://{int(rest)}", mode)
    if scheme == "file":
        return _parse_file(rest)
    if scheme not in URL_SCHEMES:
        close = did_you_mean(scheme, [*URL_SCHEMES, "csi", "file"])
        raise MarEdgeError(f"unknown kind of URL '{scheme}://'; known: {', '.join(URL_SCHEMES)}, csi, file{close}")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise MarEdgeError(f"not a URL: {_without_secrets(text)} ({error})") from None
    if not host:
        raise MarEdgeError(f"the URL {_without_secrets(text)} names no host; expected {scheme}://HOST[:PORT]/PATH")
    # The query is left out as well: many cameras take the password there.
    place = f"[{host}]" if ":" in host else host
    description = f"{scheme}://{place}{f':{port}' if port else ''}{parts.path}"
    if mode.gstreamer and scheme in ("rtsp", "rtsps"):
        return Source("pipeline", rtsp_pipeline(text, mode, READ_TIMEOUT_S), description, mode)
    return Source("url", text, description, mode)


def _parse_file(text: str) -> Source:
    path = Path(text)
    try:
        if path.is_dir():
            raise MarEdgeError(f"{text} is a directory; give one video file")
        if not path.exists():
            raise MarEdgeError(
                f"no such video file: {text}; a camera is an index (0), a video file, an rtsp:// or http:// URL, "
                "a GStreamer pipeline, csi://0 or demo:"
            )
        if not path.is_file():
            raise MarEdgeError(f"{text} is not a regular file; give a video file")
        with path.open("rb") as file:
            if not file.read(1):
                raise MarEdgeError(f"{text} is empty (0 bytes); expected a video file")
    except OSError as error:
        raise MarEdgeError(f"cannot read {text}: {error.strerror or error}") from None
    return Source("file", text, text)


def _without_secrets(text: str) -> str:
    """A pipeline or broken URL without passwords."""
    text = re.sub(r"://[^/\s@]*@", "://", text)
    text = re.sub(r"\b(\w+://[^\s?]*)\?\S*", r"\1", text)
    return re.sub(r"\b(user-id|user-pw|password|passphrase)\s*=\s*\S+", r"\1=***", text)
