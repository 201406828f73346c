"""The access policy of the page: its own origin, its own host names, and a token. Opens nothing.

It refuses requests of other sites in a browser that can reach the page (by ``Origin``). It refuses host names of other
sites that resolve to this machine, that is, DNS rebinding (by ``Host``). Where other machines reach the page, it
refuses requests without the token. Names and origins of a proxy must be allowed explicitly. A second token lets its
owners teach as well.
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
    """The address of the page.

    Attributes:
        host: Host to bind.
        port: Port to bind; 0 is any free one.
        local: Whether only programs on this machine reach it.
        ipv6: Whether the host is an IPv6 address.
    """

    host: str
    port: int
    local: bool
    ipv6: bool

    @classmethod
    def parse(cls, text: str) -> PageAddress:
        """Parse ``HOST:PORT``; an IPv6 host in brackets; ``*`` for every host or any port.

        Raises:
            MarEdgeError: it has another form.
        """
        endpoint, host, port = parse_http(text)
        return cls(host, port, endpoint.local, endpoint.ipv6)


@dataclass(frozen=True)
class _AllowedHost:
    """A further host name of the page, in lower case without brackets, with the origins of browsers there."""

    name: str
    origins: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> _AllowedHost:
        match = re.fullmatch(r"(?:(https?)://)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?/?", text.strip().lower())
        if match is None:
            raise MarEdgeError(
                f"--view-host: '{text[:80]}' is neither a host, such as box.local, nor an origin, such as https://mar.example.org"
            )
        schemes = [match[1]] if match[1] else ["http", "https"]
        return cls(match[2].strip("[]"), tuple(f"{scheme}://{match[2]}{match[3] or ''}" for scheme in schemes))


class AccessPolicy:
    """Decides which requests are allowed.

    Attributes:
        token: Token that requests must show; None requires none.
        teach_token: Token of those who may also teach; None requires none.
        local: Whether only programs on this machine reach the page.
        cookie: Name of the cookie that holds the token.

    Args:
        address: Address of the page.
        token: Required token. None generates one if other machines reach the page, else requires none.
        hosts: Further host names of the page (``box.local``), or origins of a proxy (``https://mar.example.org``).
            With any of these, other machines reach the page.
        teach_token: Required token of those who teach. None generates one where a token is required.

    Raises:
        MarEdgeError: the token is too short or holds characters that a header cannot; a host is invalid.
    """

    def __init__(
        self,
        address: PageAddress,
        token: str | None = None,
        hosts: Sequence[str] = (),
        teach_token: str | None = None,
    ) -> None:
        for option, given in (("--view-token", token), ("--teach-token", teach_token)):
            if given is not None and not re.fullmatch(rf"[A-Za-z0-9_.~-]{{{_LEAST_TOKEN},256}}", given):
                raise MarEdgeError(
                    f"a {option} is {_LEAST_TOKEN} to 256 letters, digits, '_', '.', '~' or '-'; "
                    "leave it out to generate one"
                )
        if token is not None and token == teach_token:
            raise MarEdgeError("--teach-token is the --view-token; everybody who sees the page could teach")
        proxies = [_AllowedHost.parse(host) for host in hosts]
        is_reached = bool(proxies) or not address.local
        self.token = secrets.token_urlsafe(24) if token is None and is_reached else token
        is_asked = teach_token is None and self.token is not None
        self.teach_token = secrets.token_urlsafe(24) if is_asked else teach_token
        self.local = address.local
        # Cookies belong to a host, not a port; two pages on one machine must not share one.
        self.cookie = f"{_COOKIE}_{address.port}"
        self._names = {"localhost"}
        if not address.local:  # a local page need not wait for a name server
            self._names |= {name.lower() for name in (address.host, socket.gethostname(), socket.getfqdn())}
        self._names |= {proxy.name for proxy in proxies}
        # A proxy may keep the browser's Host or replace it. The browser's origin is the same in both cases.
        self._origins = {origin for proxy in proxies for origin in proxy.origins}

    def check(self, headers: Mapping[str, str], query_token: str | None) -> Verdict:
        """Check a request.

        Args:
            headers: Headers, with names in lower case.
            query_token: Value of ``?token=``; None if absent.
        """
        host = headers.get("host", "")
        if not self._is_ours(host):
            return "wrong host"
        origin = headers.get("origin")
        own = f"http://{host.lower()}", f"https://{host.lower()}"
        if origin is not None and origin.lower() not in own and origin.lower() not in self._origins:
            return "wrong origin"
        if self.token is not None and self.shown(headers, query_token) is None:
            return "no token"
        return "allowed"

    def may_teach(self, headers: Mapping[str, str]) -> bool:
        """Return whether an allowed request may also teach."""
        return self.teach_token is None or self.shown(headers, None) == self.teach_token

    def shown(self, headers: Mapping[str, str], query_token: str | None) -> str | None:
        """Return the token that a request shows: that of the address first; None where it shows neither of ours."""
        for given in (query_token, self._from_header(headers), self._from_cookie(headers)):
            for ours in (self.token, self.teach_token):
                if given is not None and ours is not None and hmac.compare_digest(given.encode(), ours.encode()):
                    return ours
        return None

    @property
    def sockets(self) -> tuple[str, ...]:
        """Addresses at which browsers open the WebSocket through a proxy."""
        return tuple(sorted(f"ws{origin.removeprefix('http')}" for origin in self._origins))

    def _is_ours(self, host: str) -> bool:
        """Return whether a host name belongs to the page, so that no other site can have set it up.

        An IP address is safe, since no name server is involved. Ports may differ, since tunnels change them.
        """
        match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?", host)
        if match is None:
            return False
        name = match[1].strip("[]").lower()
        try:
            ip = ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return ip.is_loopback or not self.local or name in self._names

    def _from_header(self, headers: Mapping[str, str]) -> str | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    def _from_cookie(self, headers: Mapping[str, str]) -> str | None:
        # Parsed here, since http.cookies stops at the first malformed cookie, which another program may have set.
        for each in headers.get("cookie", "").split(";"):
            name, _, value = each.strip().partition("=")
            if name == self.cookie:
                return value
        return None
