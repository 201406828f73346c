"""A connection to a NATS server with JetStream, on a thread of its own that answers the server's pings."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from mar_edge.bridge.failures import check_login, explained
from mar_edge.bridge.sinks.base import Unavailable
from mar_edge.bridge.target import Target
from mar_edge.edge.errors import MarEdgeError, MissingExtra

if TYPE_CHECKING:
    from nats.js import JetStreamContext

ANSWER_S = 5
"""Seconds within which a server answers."""
_CLOSE_S = 1.0
_NO_ENTRY = "authorization violation"
T = TypeVar("T")


def check_packages(target: Target) -> None:
    """Check that what a connection to this target needs is installed.

    Raises:
        MissingExtra: nats-py is not.
        MarEdgeError: the target has credentials, and what reads them is not.
    """
    if find_spec("nats") is None:
        raise MissingExtra("nats-py", "nats")
    if target.credentials is not None and find_spec("nkeys") is None:
        raise MarEdgeError("--credentials needs the package nkeys, which has no wheels: pip install nkeys")


def _is_no_warning_of_ends(record: logging.LogRecord) -> bool:
    return "eof_received" not in str(record.msg)


class NatsConnection:
    """Runs coroutines of nats-py for code that is not asynchronous. Reconnects never: the caller opens a new one.

    Attributes:
        jetstream: nats-py's context; its coroutines are run with ``run``.

    Raises:
        MarEdgeError: a package is missing (see ``check_packages``).
        Unavailable: the server cannot be reached, or does not let us in.
    """

    jetstream: JetStreamContext

    def __init__(self, target: Target) -> None:
        check_packages(target)
        from nats.aio.client import Client

        # Its streams answer the end of an encrypted connection in a way that asyncio warns of each time.
        logging.getLogger("asyncio").addFilter(_is_no_warning_of_ends)
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        self._last_error: Exception | None = None
        self._closed = self._loop.create_future()
        self._client = Client()
        options: dict[str, Any] = {"tls": target.tls} if target.tls is not None else {}
        if target.credentials is not None:
            options["user_credentials"] = str(target.credentials)
        elif target.password is not None:
            options |= {"user": target.user, "password": target.password}
        elif target.user is not None:  # a token has no name
            options["token"] = target.user
        host = f"[{target.host}]" if ":" in target.host else target.host
        try:
            self.run(
                self._client.connect(
                    f"{'tls' if target.tls else 'nats'}://{host}:{target.port}",
                    name=f"mar-edge {target.box}",
                    allow_reconnect=False,
                    # Without a limit, nats-py never stops trying to connect.
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=ANSWER_S,
                    error_cb=self._notice_error,
                    closed_cb=self._notice_close,
                    **options,
                )
            )
        except Unavailable:
            self.close()
            raise
        self.jetstream = self._client.jetstream()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result.

        Raises:
            Unavailable: it failed or took too long, or the connection ended meanwhile.
            nats.js.errors.NotFoundError: the caller knows what to do.
        """
        from nats.errors import Error, NoServersError
        from nats.js.errors import NotFoundError, ServiceUnavailableError

        try:
            return asyncio.run_coroutine_threadsafe(self._while_connected(coroutine), self._loop).result()
        except NotFoundError:
            raise
        except ServiceUnavailableError:
            raise self.unavailable(OSError("it runs without JetStream; start it with -js")) from None
        except NoServersError as error:
            raise self.unavailable(self._last_error or error) from None
        except (Error, OSError, asyncio.TimeoutError) as error:
            raise self.unavailable(error) from None

    async def _while_connected(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine; the client never answers what it waits for when its connection has ended."""
        task = asyncio.ensure_future(coroutine)
        await asyncio.wait((task, self._closed), timeout=2 * ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            raise ConnectionError("the connection ended" if self._closed.done() else "no answer")
        return task.result()

    def unavailable(self, error: BaseException) -> Unavailable:
        """Return the error that the sink raises for an error of the client."""
        why = explained(error, self._target)
        if _NO_ENTRY in why.lower():
            why += f"; {check_login(self._target)}"
        return Unavailable(f"NATS at {self._target.shown}: {why}")

    async def _notice_error(self, error: Exception) -> None:
        self._last_error = error

    async def _notice_close(self) -> None:
        if not self._closed.done():
            self._closed.set_result(None)

    def close(self) -> None:
        """Disconnect, and end the thread."""
        asyncio.run_coroutine_threadsafe(self._close_client(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close_client(self) -> None:
        # Given up, whatever is wrong with it; after a failed TLS handshake the client never stops waiting.
        with suppress(Exception):
            await asyncio.wait_for(self._client.close(), _CLOSE_S)
