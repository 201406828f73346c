"""Who may see the page: the browser's own origin, names that are ours, and whoever has the token. Opens nothing.

Kept out are pages of other sites in a browser that can reach us (by ``Origin``), names of other sites that were made to
point at us, DNS rebinding (by ``Host``), and, where other machines reach us, whoever does not have the token.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from edge.errors import MarEdgeError
from streaming.address import parse_http

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


class Access:
    """What a request must bring to be answered.

    Args:
        address: where the page is served.
        token: what to show; None asks for one where other machines reach the address, and makes it up.

    Raises:
        MarEdgeError: a token that is too short to keep anybody out, or that no header can hold.
    """

    def __init__(self, address: PageAddress, token: str | None = None) -> None:
        if token is not None and not re.fullmatch(rf"[A-Za-z0-9_.~-]{{{_LEAST_TOKEN},256}}", token):
            raise MarEdgeError(
                f"a --view-token is {_LEAST_TOKEN} to 256 letters, digits, '_', '.', '~' or '-'; "
                "leave it out to have one made"
            )
        self.token = secrets.token_urlsafe(24) if token is None and not address.local else token
        self.local = address.local
        # Cookies know hosts, not ports: two pages on one machine must not take each other's.
        self.cookie = f"{_COOKIE}_{address.port}"
        self._names = {"localhost"}
        if not address.local:  # elsewhere nobody need wait for a name server
            self._names |= {name.lower() for name in (address.host, socket.gethostname(), socket.getfqdn())}

    def judge(self, headers: Mapping[str, str], query_token: str | None) -> Verdict:
        """Whether a request is answered.

        Args:
            headers: names in lower case.
            query_token: what stands behind ``?token=``.
        """
        host = headers.get("host", "")
        if not self._is_ours(host):
            return "wrong host"
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in (f"http://{host.lower()}", f"https://{host.lower()}"):
            return "wrong origin"
        if self.token is not None and not any(
            hmac.compare_digest(shown.encode(), self.token.encode())
            for shown in (query_token, self._from_header(headers), self._from_cookie(headers))
            if shown is not None
        ):
            return "no token"
        return "allowed"

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
        return place.is_loopback or not self.local

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
