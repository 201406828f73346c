"""Parses source strings: camera index, file, URL, GStreamer pipeline, ``csi://``, demo.

Opens nothing; ``streaming.capture.readers`` does.
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
    """A parsed source.

    Attributes:
        kind: Kind of source.
        target: What is opened. For a device, its index, or a path that is resolved at each opening.
        description: Text for people and subscribers. Of a URL or pipeline it holds only scheme and host, since
            cameras accept passwords in every other part.
        mode: Requested capture mode.
    """

    kind: SourceKind
    target: str
    description: str
    mode: CaptureMode = field(default_factory=CaptureMode)


def parse_source(text: str, mode: CaptureMode | None = None) -> Source:
    """Parse a source string. Opens nothing.

    Args:
        text: The source string.
        mode: Requested capture mode; files and complete pipelines ignore it.

    Raises:
        MarEdgeError: the syntax is unknown, or the file does not exist or is not a file.
    """
    mode = mode or CaptureMode()
    if not text.strip():
        raise MarEdgeError("no source given; expected an index (0), a video file, an rtsp:// or http:// URL, or demo:")
    if len(text) > _LONGEST:
        raise MarEdgeError(f"a source has up to {_LONGEST} characters, not {len(text)}")
    if names_file(path := text.removeprefix("file://")):
        return _parse_file(path)
    text = text.strip()
    if has_control_characters(text):
        raise MarEdgeError("control characters in a source; write it on one line")
    if text.startswith("demo:"):
        return Source("demo", text, "demo:")
    if " ! " in text:
        return Source("pipeline", text, _redact_pipeline(text))
    if _INDEX.fullmatch(text):
        return _device(str(int(text)), f"/dev/video{int(text)}", text, mode)
    scheme, separator, rest = text.partition("://")
    if separator:
        return _parse_url(text, scheme.lower(), rest, mode)
    node = _device_node(text)
    return _device(node, node, text, mode) if node else _parse_file(text)


def names_file(text: str) -> bool:
    """Return whether a source string names an existing file, which then has priority, except over an index."""
    try:
        return os.path.isfile(text) and not (_INDEX.fullmatch(text.strip()) or text.startswith("demo:"))
    except ValueError:  # it holds a NUL
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
    """Return the path of a device; None if it is not one.

    Links in /dev are not resolved here. Links by id point to a different /dev/videoN each time that the camera is
    plugged in, and to none while it is unplugged.
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
            raise MarEdgeError("not a CSI camera; write csi://0 for the sensor with id 0")
        return Source("pipeline", csi_pipeline(int(rest), mode), f"csi://{int(rest)}", mode)
    if scheme == "file":
        return _parse_file(unquote(rest))
    if scheme not in URL_SCHEMES:
        shown = f" '{scheme}://'" if re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) else ""
        close = did_you_mean(scheme, [*URL_SCHEMES, "csi", "file"])
        raise MarEdgeError(f"unknown kind of URL{shown}; known: {', '.join(URL_SCHEMES)}, csi, file{close}")
    description = _redact_url(scheme, rest)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:  # its message quotes the URL
        raise MarEdgeError(
            f"not a URL: {description}; in user name and password, write '/', '?', '#' and '@' as %2F, %3F, %23, %40"
        ) from None
    if not host:
        raise MarEdgeError(f"the URL {description} names no host; expected {scheme}://HOST[:PORT]/PATH")
    if mode.gstreamer and scheme in ("rtsp", "rtsps"):
        return Source("pipeline", rtsp_pipeline(text, mode, READ_TIMEOUT_S), description, mode)
    return Source("url", text, description, mode)


def _parse_file(text: str) -> Source:
    path = Path(text)
    shown = "that name" if "@" in text else text  # it may be a URL without its scheme, with a password
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
        raise MarEdgeError(f"the name {text!a} holds bytes that are not UTF-8; rename the file") from None
    description = "".join("\N{REPLACEMENT CHARACTER}" if has_control_characters(letter) else letter for letter in text)
    # Absolute, since FFmpeg takes the part before a colon, as in 12:30.mp4, for a protocol.
    return Source("file", os.path.abspath(text), description)


def _redact_pipeline(pipeline: str) -> str:
    """Return the first element of a GStreamer pipeline and its hosts. Properties may hold passwords and cookies."""
    element = re.match(r"[A-Za-z][A-Za-z0-9_-]*(?=\s)", pipeline)
    name = element[0] if element else "GStreamer pipeline"
    # A quoted URL ends at the quote, any other at a space that is not escaped.
    urls = re.findall(r"(?:\"(\w+)://([^\"]*)|(?<![\w\"])(\w+)://((?:\\.|[^\s\\])*))", pipeline)
    urls_shown = [_redact_url((quoted or plain).lower(), rest or bare) for quoted, rest, plain, bare in urls]
    return " ".join([name, *dict.fromkeys(urls_shown)])


def _redact_url(scheme: str, rest: str) -> str:
    """Return scheme and host of a URL, or *** if the host is uncertain.

    If an '@' follows what looks like the host, that could be the start of a password, unless it is an IP address.
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
