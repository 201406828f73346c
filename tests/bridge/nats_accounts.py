"""An operator, an account and users of NATS with keys of their own, as its tool ``nsc`` makes them."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import msgspec
import nkeys


class Identity:
    """A key pair of a role: ``PREFIX_BYTE_OPERATOR``, ``PREFIX_BYTE_ACCOUNT`` or ``PREFIX_BYTE_USER`` of nkeys."""

    def __init__(self, role: int) -> None:
        self.seed = bytes(nkeys.encode_seed(os.urandom(32), role))
        self._keys = nkeys.from_seed(bytearray(self.seed))
        self.public = bytes(self._keys.public_key).decode()

    def sign(self, subject: str, claims: dict[str, Any]) -> str:
        """Return the JSON Web Token in which this identity says something about another."""
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        body = {"jti": "test", "iat": 1_700_000_000, "iss": self.public, "sub": subject, "name": "test", "nats": claims}
        signed = f"{_base64(msgspec.json.encode(head))}.{_base64(msgspec.json.encode(body))}"
        return f"{signed}.{_base64(self._keys.sign(signed.encode()))}"


class Accounts:
    """One operator with one account that may use JetStream, and the system's account."""

    def __init__(self) -> None:
        self._account = Identity(nkeys.PREFIX_BYTE_ACCOUNT)
        operator, system = Identity(nkeys.PREFIX_BYTE_OPERATOR), Identity(nkeys.PREFIX_BYTE_ACCOUNT)
        unlimited = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
        jetstream = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)
        limits = {**unlimited, "wildcards": True}
        account = {"type": "account", "version": 2, "limits": {**limits, **jetstream}}
        self.config = "\n".join(
            [
                f"operator: {operator.sign(operator.public, {'type': 'operator', 'version': 2})}",
                f"system_account: {system.public}",
                "resolver: MEMORY",
                "resolver_preload: {",
                f"{self._account.public}: {operator.sign(self._account.public, account)}",
                f"{system.public}: {operator.sign(system.public, {**account, 'limits': limits})}",
                "}\n",
            ]
        )

    def write_user(self, path: Path) -> None:
        """Write the credentials of a new user of the account."""
        user = Identity(nkeys.PREFIX_BYTE_USER)
        claims = {"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1}
        token = self._account.sign(user.public, claims)
        path.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
        )


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
