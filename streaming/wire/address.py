"""Addresses of the wire: their syntax, and which of them only this machine reaches. Opens nothing."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass

from mar_edge.edge.errors import MarEdgeError

DEFAULT_ADDRESS = "tcp://127.0.0.1:5557"
_FORMS = "expected tcp://HOST:PORT (such as tcp://127.0.0.1:5557) or ipc://PATH"


@dataclass(frozen=True)
class Address:
    """A valid ZeroMQ endpoint. ``local``: only programs on this machine reach it."""

    endpoint: str
    local: bool
    ipv6: bool = False


def parse_address(text: str, *, bind: bool) -> Address:
    """Check an endpoint. ZeroMQ itself accepts port 99999 and binds a different one.

    Args:
        text: ``tcp://HOST:PORT``, IPv6 hosts in brackets, or ``ipc://PATH``.
        bind: Whether it will be bound: then the host may be ``*``, and the port ``*`` or 0 (any free one).

    Raises:
        MarEdgeError: it is not an endpoint.
    """
    if has_control_characters(text):
        raise MarEdgeError(f"control characters in an address: {text!r}; {_FORMS}")
    if text.startswith("ipc://") and len(text) > len("ipc://"):
        return Address(text, local=True)
    match = re.fullmatch(r"tcp://(\[[0-9a-fA-F:.%\w]+\]|[\w.-]+|\*):(\*|\d{1,5})", text, re.ASCII)
    if match is None:
        raise MarEdgeError(f"not an address: '{text}'; {_FORMS}")
    host, port = match[1], match[2]
    if port == "*" or int(port) == 0:
        if not bind:
            raise MarEdgeError(f"cannot connect to an unspecified port: '{text}'; {_FORMS}")
    elif int(port) > 65535:
        raise MarEdgeError(f"no such port: {port} in '{text}'; the highest is 65535")
    if host == "*" and not bind:
        raise MarEdgeError(f"cannot connect to an unspecified host: '{text}'; {_FORMS}")
    return Address(text, local=_is_loopback(host.strip("[]")), ipv6=host.startswith("["))


def parse_http(text: str) -> tuple[Address, str, int]:
    """Check ``HOST:PORT``, such as ``127.0.0.1:9090``.

    Returns:
        The address, the host in the form that sockets accept, and the port; 0 is any free one.

    Raises:
        MarEdgeError: it has another form.
    """
    try:
        address = parse_address(f"tcp://{text}", bind=True)
    except MarEdgeError:
        raise MarEdgeError(f"'{text}' is not HOST:PORT, such as 127.0.0.1:9090") from None
    host, _, port = text.rpartition(":")
    return address, {"*": "0.0.0.0"}.get(host, host.strip("[]")), 0 if port == "*" else int(port)


def has_control_characters(text: str) -> bool:
    """Return whether a text holds control characters. Unusual spaces and emoji joiners are valid in names."""
    return any(unicodedata.category(letter) == "Cc" for letter in text)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
