"""The server of the page: a socket and a thread around the application, so that no stream waits for a browser.

The thread has its own event loop. Cameras, pose stage and network never run on it.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Sequence

import uvicorn
from starlette.types import ASGIApp

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.file_limit import spare_descriptors
from mar_edge.view.access import AccessPolicy, PageAddress

# Simultaneous connections, and bytes of a request's headers.
_MOST_CONNECTIONS = 128
_LEAST_CONNECTIONS = 8  # even if the process may open few files
_MOST_HEADER_BYTES = 16_384
_SHUTDOWN_S = 1
_START_S = 10.0
_log = logging.getLogger("mar_edge.view")


class PageServer:
    """Binds when constructed, serves while entered. A context manager.

    Attributes:
        url: Address to open in a browser, with the token if there is one.
        teach_url: Address for those who may teach.
        local: Whether only programs on this machine reach the page.
        failures: How often the server stopped with an error.

    Args:
        address: ``HOST:PORT``; an IPv6 host in brackets; port ``*`` for any free port.
        token: See ``AccessPolicy``.
        make_app: Makes the application from the access policy.
        hosts, teach_token: See ``AccessPolicy``.

    Raises:
        MarEdgeError: the address or the token is invalid, or the address is in use.
    """

    def __init__(
        self,
        address: str,
        token: str | None,
        make_app: Callable[[AccessPolicy], ASGIApp],
        hosts: Sequence[str] = (),
        teach_token: str | None = None,
    ) -> None:
        asked = PageAddress.parse(address)
        self.failures = 0
        self._socket = _bind(address, asked)
        port = int(self._socket.getsockname()[1])
        try:
            access = AccessPolicy(PageAddress(asked.host, port, asked.local, asked.ipv6), token, hosts, teach_token)
        except MarEdgeError:
            self._socket.close()
            raise
        shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(asked.host, asked.host)
        self.local = asked.local
        self.url, self.teach_url = (
            f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/{f'?token={token}' if token else ''}"
            for token in (access.token, access.teach_token)
        )
        self._server = uvicorn.Server(
            uvicorn.Config(
                make_app(access),
                http="h11",
                ws="websockets-sansio",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                log_level=logging.WARNING,
                access_log=False,
                server_header=False,
                limit_concurrency=max(_LEAST_CONNECTIONS, min(_MOST_CONNECTIONS, spare_descriptors() // 4)),
                h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
                ws_max_size=1024,
                ws_max_queue=1,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=_SHUTDOWN_S,
            )
        )
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._done = threading.Event()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except Exception:  # noqa: BLE001 - any error ends only the page; the streams go on
            self.failures += 1
            _log.exception("the server of the page failed; recognition and publishing go on without it")
        finally:
            self._done.set()

    def __enter__(self) -> PageServer:
        if not self.local:
            _log.warning(
                "the page is not encrypted and other machines reach it; anybody with the token can see it. On networks "
                "that you do not control, use a tunnel (ssh -L) or a proxy with TLS"
            )
        self._socket.listen(128)  # from now on an early connection waits instead of being refused
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.should_exit = True
        self._done.wait(_START_S)
        self._socket.close()


def _bind(address: str, asked: PageAddress) -> socket.socket:
    family = socket.AF_INET6 if asked.ipv6 else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((asked.host, asked.port))
    except (OSError, UnicodeError) as error:  # a host name may be too long for the resolver's encoding
        bound.close()
        reason = getattr(error, "strerror", None) or error
        raise MarEdgeError(
            f"cannot serve the page on {address}: {reason}; choose another address, such as 127.0.0.1:8081"
        ) from None
    return bound
