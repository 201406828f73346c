"""Webhooks: each message is posted as JSON, signed as the Standard Webhooks specification says (standardwebhooks.com).

Its libraries check the signature. ``webhook-id`` and ``Idempotency-Key`` are the same for each attempt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import time
from collections.abc import Sequence

from mar_edge.bridge.failures import check_login, explained
from mar_edge.bridge.sinks.base import Entry, Refused, Unavailable
from mar_edge.bridge.target import Target
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.choices import Kind

_TIMEOUT_S = 10.0
_LONGEST_ANSWER = 1 << 16
# Answers about this one message; any other failure may be over later.
_REFUSALS = frozenset({400, 413, 415, 422})
_SECRET_PREFIX = "whsec_"


def secret_bytes(secret: str) -> bytes:
    """Return the key in a secret: base64 after ``whsec_``, or else the text itself.

    Raises:
        MarEdgeError: it is empty, or not base64.
    """
    if not secret.startswith(_SECRET_PREFIX):
        key = secret.encode()
    else:
        try:
            key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise MarEdgeError("the secret of webhooks is not base64 after whsec_") from None
    if not key:
        raise MarEdgeError("the secret of webhooks is empty")
    return key


def signature(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the header ``webhook-signature``: HMAC-SHA256 of id, time and body, in base64."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class WebhookSink:
    """Messages to an HTTP server, one request each (see ``Sink``)."""

    kinds: tuple[Kind, ...] = ("event",)
    batch_size = 1

    def __init__(self, target: Target) -> None:
        self._target = target
        self._key = None if target.secret is None else secret_bytes(target.secret)
        self._headers = {"Content-Type": "application/json", "User-Agent": "mar-edge"}
        if target.user is not None:
            pair = f"{target.user}:{target.password or ''}".encode()
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        self._connection: http.client.HTTPConnection | None = None

    def open(self) -> None:
        """Make a connection, which is kept for the next requests."""
        host, port = self._target.host, self._target.port
        if self._target.tls is None:
            self._connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        else:
            self._connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=self._target.tls)

    def send(self, batch: Sequence[Entry]) -> int:
        """Post one message."""
        assert self._connection is not None
        entry = batch[0]
        now_s = int(time.time())
        headers = {**self._headers, "Idempotency-Key": entry.id, "webhook-id": entry.id}
        headers["webhook-timestamp"] = str(now_s)
        if self._key is not None:
            headers["webhook-signature"] = signature(self._key, entry.id, now_s, entry.body)
        try:
            try:
                answer = self._post(entry.body, headers)
            except ConnectionError:  # the server closed the connection that we kept
                self._connection.close()
                answer = self._post(entry.body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise self._unavailable(explained(error, self._target)) from None
        if 200 <= answer.status < 300:
            if not answer.isclosed():  # a longer answer than anybody reads
                self._connection.close()
            return 1
        said = f"{answer.status} {answer.reason}"
        if answer.status in _REFUSALS:
            raise Refused(f"{self._target.shown}: {said}")
        if answer.status == http.HTTPStatus.UNAUTHORIZED:
            said += f"; {check_login(self._target)}"
        if 300 <= answer.status < 400:
            said += f"; redirects are not followed, give the new address: {answer.getheader('Location')}"
        raise self._unavailable(said)

    def _post(self, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        assert self._connection is not None
        self._connection.request("POST", self._target.path or "/", body, headers)
        answer = self._connection.getresponse()
        answer.read(_LONGEST_ANSWER)
        return answer

    def _unavailable(self, why: str) -> Unavailable:
        return Unavailable(f"{self._target.shown}: {why}")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
