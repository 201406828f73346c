"""What a source string means: camera index, file, URL, GStreamer pipeline, ``csi://``, demo. Opens nothing
(``streaming.capture.readers`` does).
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.streaming.capture.capture_modes import CaptureMode, csi_pipeline, rtsp_pipeline, v4l2_pipeline
from mar_edge.streaming.wire.address import has_control_characters

READ_TIMEOUT_S = 10.0

VIDEO_NODE = re.compile(r"/dev/video(\d{1,4})", re.ASCII)
_LONGEST = 8192
_INDEX = re.compile(r"\d{1,4}", re.ASCII)
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?")
URL_SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp")

SourceKind = Literal["device", "file", "url", "pipeline", "demo"]


@dataclass(frozen=True)
class Source:
    """A parsed source. ``target`` is what is opened, ``description`` what people and subscribers may see of it.

    Of a URL or pipeline they see the kind and the host, never the rest: cameras take passwords in every part of it.
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
    if not text.strip():
        raise MarEdgeError("no camera named; give an index (0), a video file, an rtsp:// or http:// URL, or demo:")
    if len(text) > _LONGEST:
        raise MarEdgeError(f"a source is up to {_LONGEST} letters long, not {len(text)}")
    if names_file(path := text.removeprefix("file://")):
        return _parse_file(path)
    text = text.strip()
    if has_control_characters(text):
        raise MarEdgeError("a source has no control characters; write it on one line")
    if text.startswith("demo:"):
        return Source("demo", text, "demo:")
    if " ! " in text:
        return Source("pipeline", text, _described(text))
    if _INDEX.fullmatch(text):
        return _device(str(int(text)), f"/dev/video{int(text)}", text, mode)
    scheme, separator, rest = text.partition("://")
    if separator:
        return _parse_url(text, scheme.lower(), rest, mode)
    node = _device_node(text)
    return _device(node, node, text, mode) if node else _parse_file(text)


def names_file(text: str) -> bool:
    """Whether a source string is the name of a file that is there, whatever else it could mean; no index is one."""
    try:
        return os.path.isfile(text) and not (_INDEX.fullmatch(text.strip()) or text.startswith("demo:"))
    except ValueError:  # a NUL
        return False


def named_sources(texts: list[str], stream: str) -> list[tuple[str, str]]:
    """Return (stream, source) of each ``NAME=SOURCE``. Without a name, one source is ``stream``, more are numbered.

    A file whose name looks like ``NAME=SOURCE`` is a file.
    """
    named = []
    for number, text in enumerate(texts):
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)=(.+)", text, re.DOTALL)
        name = stream if len(texts) == 1 else f"{stream}{number}"
        named.append((match[1], match[2]) if match and not names_file(text) else (name, text))
    return named


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
        if not _INDEX.fullmatch(rest):
            raise MarEdgeError("that is no CSI camera; write csi://0 for the sensor with id 0")
        return Source("pipeline", csi_pipeline(int(rest), mode), f"csi://{int(rest)}", mode)
    if scheme == "file":
        return _parse_file(unquote(rest))
    if scheme not in URL_SCHEMES:
        shown = f" '{scheme}://'" if re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) else ""
        close = did_you_mean(scheme, [*URL_SCHEMES, "csi", "file"])
        raise MarEdgeError(f"unknown kind of URL{shown}; known: {', '.join(URL_SCHEMES)}, csi, file{close}")
    description = _place(scheme, rest)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:  # what it says quotes the URL
        raise MarEdgeError(
            f"not a URL: {description}; in a user's name or password, write '/', '?', '#' and '@' as %2F, %3F, %23, %40"
        ) from None
    if not host:
        raise MarEdgeError(f"the URL {description} names no host; expected {scheme}://HOST[:PORT]/PATH")
    if mode.gstreamer and scheme in ("rtsp", "rtsps"):
        return Source("pipeline", rtsp_pipeline(text, mode, READ_TIMEOUT_S), description, mode)
    return Source("url", text, description, mode)


def _parse_file(text: str) -> Source:
    path = Path(text)
    shown = "that name" if "@" in text else text  # perhaps a URL without its scheme, with a password in it
    try:
        if path.is_dir():
            raise MarEdgeError(f"{shown} is a directory; give one video file")
        if not path.exists():
            raise MarEdgeError(
                f"no such video file: {shown}; a camera is an index (0), a video file, an rtsp:// or http:// URL, "
                "a GStreamer pipeline, csi://0 or demo:"
            )
        if not path.is_file():
            raise MarEdgeError(f"{shown} is not a regular file; give a video file")
        with path.open("rb") as file:
            if not file.read(1):
                raise MarEdgeError(f"{text} is empty (0 bytes); expected a video file")
        text.encode()
    except OSError as error:
        raise MarEdgeError(f"cannot read {shown}: {error.strerror or error}") from None
    except UnicodeEncodeError:
        raise MarEdgeError(f"the name {text!a} holds bytes that are no UTF-8; rename the file") from None
    description = "".join("\N{REPLACEMENT CHARACTER}" if has_control_characters(letter) else letter for letter in text)
    # Absolute: FFmpeg takes what stands before a colon, as in 12:30.mp4, for a protocol.
    return Source("file", os.path.abspath(text), description)


def _described(pipeline: str) -> str:
    """The first element of a GStreamer pipeline and the hosts in it: in properties stand passwords and cookies."""
    element = re.match(r"[A-Za-z][A-Za-z0-9_-]*(?=\s)", pipeline)
    name = element[0] if element else "GStreamer pipeline"
    # In quotes up to their end, else up to a space that is not escaped.
    urls = re.findall(r"(?:\"(\w+)://([^\"]*)|(?<![\w\"])(\w+)://((?:\\.|[^\s\\])*))", pipeline)
    places = [_place((quoted or plain).lower(), rest or bare) for quoted, rest, plain, bare in urls]
    return " ".join([name, *dict.fromkeys(places)])


def _place(scheme: str, rest: str) -> str:
    """The kind and host of a URL, as far as it is certain which part is the host.

    Where an '@' stands behind what looks like the host, that may be the beginning of a password: only a number is
    certain to be none.
    """
    kind = scheme if scheme in URL_SCHEMES else "url"
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    is_certain = "@" not in rest[len(authority) :]
    for candidate in (authority.rpartition("@")[2], re.split(r"[/?#]", rest.rpartition("@")[2], maxsplit=1)[0]):
        match = _HOST.fullmatch(candidate)
        if match is not None and (is_certain or _is_number(match[1])):
            port = f":{match[2]}" if match[2] and int(match[2]) <= 65535 else ""
            return f"{kind}://{match[1].lower()}{port}"
    return f"{kind}://***"


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
