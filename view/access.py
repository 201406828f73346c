"""Who may see the page: the browser's own origin, names that are ours, and whoever has the token. Opens nothing.

Kept out are pages of other sites in a browser that can reach us (by ``Origin``), names of other sites that were made to
point at us, DNS rebinding (by ``Host``), and, where other machines reach us, whoever does not have the token. Names and
origins of a proxy before the page are let in where they are stated.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.address import parse_http

_LEAST_TOKEN = 16
_COOKIE = "mar_edge_view"

Verdict = Literal["allowed", "wrong host", "wrong origin", "no token"]


@dataclass(frozen=True)
class PageAddress:
    """Where the page is served.

    host, port: as they are bound; port 0 for any. local: only programs on this machine reach it.
    """

    host: str
    port: int
    local: bool
    ipv6: bool

    @classmethod
    def parse(cls, text: str) -> PageAddress:
        """From ``HOST:PORT``, an IPv6 host in brackets, ``*`` for every host or any port.

        Raises:
            MarEdgeError: it is no such thing.
        """
        endpoint, host, port = parse_http(text)
        return cls(host, port, endpoint.local, endpoint.ipv6)


@dataclass(frozen=True)
class _Proxy:
    """A host by which the page is reached. name: lower case, without brackets. origins: a browser's, there."""

    name: str
    origins: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> _Proxy:
        match = re.fullmatch(r"(?:(https?)://)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?/?", text.strip().lower())
        if match is None:
            raise MarEdgeError(
                f"--view-host: '{text[:80]}' is no host, such as box.local, nor an origin: https://mar.example.org"
            )
        schemes = [match[1]] if match[1] else ["http", "https"]
        return cls(match[2].strip("[]"), tuple(f"{scheme}://{match[2]}{match[3] or ''}" for scheme in schemes))


class AccessPolicy:
    """What a request must bring to be answered.

    Args:
        address: where the page is served.
        token: what to show; None asks for one where other machines reach the address, and makes it up.
        hosts: names by which the page is reached besides (``box.local``), or whole origins of a proxy
            (``https://mar.example.org``). Where there are any, others reach the page, and a token is asked for.

    Raises:
        MarEdgeError: a token that is too short to keep anybody out, or that no header can hold; a host that is none.
    """

    def __init__(self, address: PageAddress, token: str | None = None, hosts: Sequence[str] = ()) -> None:
        if token is not None and not re.fullmatch(rf"[A-Za-z0-9_.~-]{{{_LEAST_TOKEN},256}}", token):
            raise MarEdgeError(
                f"a --view-token is {_LEAST_TOKEN} to 256 letters, digits, '_', '.', '~' or '-'; "
                "leave it out to have one made"
            )
        proxies = [_Proxy.parse(host) for host in hosts]
        is_reached = bool(proxies) or not address.local
        self.token = secrets.token_urlsafe(24) if token is None and is_reached else token
        self.local = address.local
        # Cookies know hosts, not ports: two pages on one machine must not take each other's.
        self.cookie = f"{_COOKIE}_{address.port}"
        self._names = {"localhost"}
        if not address.local:  # elsewhere nobody need wait for a name server
            self._names |= {name.lower() for name in (address.host, socket.gethostname(), socket.getfqdn())}
        self._names |= {proxy.name for proxy in proxies}
        # A proxy may pass on the browser's Host or put in our own: the browser's origin is the same.
        self._origins = {origin for proxy in proxies for origin in proxy.origins}

    def check(self, headers: Mapping[str, str], query_token: str | None) -> Verdict:
        """Whether a request is answered.

        Args:
            headers: names in lower case.
            query_token: what stands behind ``?token=``.
        """
        host = headers.get("host", "")
        if not self._is_ours(host):
            return "wrong host"
        origin = headers.get("origin")
        own = f"http://{host.lower()}", f"https://{host.lower()}"
        if origin is not None and origin.lower() not in own and origin.lower() not in self._origins:
            return "wrong origin"
        if self.token is not None and not any(
            hmac.compare_digest(shown.encode(), self.token.encode())
            for shown in (query_token, self._from_header(headers), self._from_cookie(headers))
            if shown is not None
        ):
            return "no token"
        return "allowed"

    @property
    def sockets(self) -> tuple[str, ...]:
        """Where browsers behind a proxy open the page's socket."""
        return tuple(sorted(f"ws{origin.removeprefix('http')}" for origin in self._origins))

    def _is_ours(self, host: str) -> bool:
        """Whether nobody else can have given out that name.

        A number is a place, not a name that somebody could point elsewhere. Ports may differ: tunnels change them.
        """
        match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?", host)
        if match is None:
            return False
        name = match[1].strip("[]").lower()
        try:
            place = ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return place.is_loopback or not self.local or name in self._names

    def _from_header(self, headers: Mapping[str, str]) -> str | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    def _from_cookie(self, headers: Mapping[str, str]) -> str | None:
        # By hand: http.cookies gives up at the first cookie that some other program on this machine wrote badly.
        for each in headers.get("cookie", "").split(";"):
            name, _, value = each.strip().partition("=")
            if name == self.cookie:
                return value
        return None
