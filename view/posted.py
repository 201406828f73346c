"""Decisions that the page sends to its server: where they may come from, and how they are read."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.requests import Request

from mar_edge.edge.errors import MarEdgeError

JSON = "application/json"
T = TypeVar("T")


def is_from_page(request: Request) -> bool:
    """Return whether the page itself sent a request.

    The access policy has refused other origins. Forms and scripts of other sites cannot send JSON unasked.
    """
    return request.headers.get("origin") is not None and request.headers.get("content-type") == JSON


async def read_posted(request: Request, decoder: msgspec.json.Decoder[T], most_bytes: int, what: str) -> T:
    """Return what a request holds.

    Args:
        what: Name of it, for the error.

    Raises:
        MarEdgeError: it is too long, or is none.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise MarEdgeError(f"{what} has at most {most_bytes} bytes")
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MarEdgeError(f"not {what}: {error}") from None
