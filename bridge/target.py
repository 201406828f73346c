"""Where a bridge sends to, as the user names it: a URL, a box, files of keys. Connects to nothing."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.address import has_control_characters

FORMS = (
    "expected nats://HOST[:4222] or tls://HOST (NATS), mqtt://HOST[:1883] or mqtts://HOST, http(s)://HOST/PATH, "
    "or exec:COMMAND"
)
_PORTS = {"nats": 4222, "tls": 4222, "mqtt": 1883, "mqtts": 8883, "http": 80, "https": 443}
_ENCRYPTED = frozenset({"tls", "mqtts", "https"})
_NATS = frozenset({"nats", "tls"})


@dataclass(frozen=True)
class Tls:
    """Files for encrypted connections, PEM.

    ca: certificates to trust instead of the system's. certificate, key: our own, for receivers that ask for one.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return what connections are made with.

        Raises:
            MarEdgeError: a file is missing or is not what it should be, or only one of certificate and key is given.
        """
        if (self.certificate is None) != (self.key is None):
            raise MarEdgeError("--tls-cert and --tls-key go together")
        try:
            context = ssl.create_default_context(cafile=None if self.ca is None else str(self.ca))
        except OSError as error:
            raise MarEdgeError(f"--tls-ca: {self.ca} holds no certificates in PEM: {_reason(error)}") from None
        if self.certificate is not None and self.key is not None:
            try:
                # An empty passphrase, since without one OpenSSL asks for it on the terminal.
                context.load_cert_chain(self.certificate, self.key, "")
            except OSError as error:
                raise MarEdgeError(
                    f"--tls-cert and --tls-key: {self.certificate} and {self.key} are no certificate and its key in "
                    f"PEM, without a passphrase: {_reason(error)}"
                ) from None
        return context


def _check_used(scheme: str, tls: Tls, credentials: Path | None) -> None:
    """Refuse what a scheme would not use: who names certificates believes that the connection is encrypted."""
    for options, given, schemes in (
        ("--tls-ca, --tls-cert and --tls-key are", tls != Tls(), _ENCRYPTED),
        ("--credentials is", credentials is not None, _NATS),
    ):
        if given and scheme in {*_PORTS, "exec"} - schemes:
            names = ", ".join(f"{each}:" for each in sorted(schemes))
            raise MarEdgeError(f"{options} used by {names} only, not by {scheme}:")


def _reason(error: OSError) -> str:
    """Return why a file cannot be used: what the system says, or OpenSSL."""
    return (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or str(error)


@dataclass(frozen=True)
class Target:
    """A receiver.

    scheme: of the URL. host, port, path: of the URL; the path holds the query too, or the command of ``exec:``.
    user, password: from the URL, decoded. box: name of the sending machine in topics and subjects. tls: None for an
    unencrypted connection. credentials: a NATS ``.creds`` file. secret: signs webhooks.
    """

    scheme: str
    host: str
    port: int
    path: str
    box: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    credentials: Path | None = None
    secret: str | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """The URL without credentials and query."""
        if self.scheme == "exec":
            return f"exec:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path.partition('?')[0]}"


def this_box() -> str:
    """Return the name of this machine, with '_' for what names of boxes cannot hold."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", socket.gethostname().partition(".")[0])[:64] or "box"


def parse_target(
    url: str,
    box: str | None = None,
    tls: Tls | None = None,
    credentials: Path | None = None,
    secret: str | None = None,
) -> Target:
    """Check what the user named.

    Args:
        url: see ``FORMS``; user and password may be in it.
        box: name of the sending machine; None takes the host's.
        tls: files for schemes that are encrypted.
        credentials: file of a NATS user.
        secret: key of the signature of webhooks.

    Raises:
        MarEdgeError: the URL or the name is invalid, or a file cannot be used.
    """
    box = this_box() if box is None else box
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", box):
        raise MarEdgeError(f"'{box}' is not a valid name of a box; use up to 64 letters, digits, '_' and '-'")
    if has_control_characters(url):
        raise MarEdgeError(f"control characters in an address: {url!r}; {FORMS}")
    scheme, _, rest = url.partition(":")
    tls = tls or Tls()
    _check_used(scheme, tls, credentials)
    if scheme == "exec" and rest.strip():
        return Target(scheme, "", 0, rest.strip(), box)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if scheme not in _PORTS or not host:
        # Without what may be a password.
        raise MarEdgeError(f"not an address of a receiver: '{url.rpartition('@')[2]}'; {FORMS}")
    if credentials is not None:
        _check_credentials(credentials)
    return Target(
        scheme,
        host,
        port or _PORTS[scheme],
        parts.path + (f"?{parts.query}" if parts.query else ""),
        box,
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
        tls.context() if scheme in _ENCRYPTED else None,
        credentials,
        secret,
    )


def _check_credentials(path: Path) -> None:
    """Check that a file holds what nats-py looks for in it until it finds it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MarEdgeError(f"--credentials: cannot read {path}: {error.strerror}") from None
    if b"BEGIN NATS USER JWT" not in content or b"BEGIN USER NKEY SEED" not in content:
        raise MarEdgeError(
            f"--credentials: {path} is no credentials file of NATS (.creds); 'nsc generate creds' makes one"
        )
