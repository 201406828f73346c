"""The page's server: a socket and a thread around the application, so that what is served is not held up.

It has an event loop of its own on that thread; cameras, pose stage and network never run on it.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Sequence

import uvicorn
from starlette.types import ASGIApp

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.operations.file_limit import room
from mar_edge.view.access import Access, PageAddress

# ConnectionCounter at once, and bytes of a request's head.
_MOST_CONNECTIONS = 128
_LEAST_CONNECTIONS = 8  # where the process may open few files
_MOST_HEAD = 16_384
_SHUTDOWN_S = 1
_START_S = 10.0
_log = logging.getLogger("mar_edge.view")


class PageServer:
    """Binds when made, serves from entering until leaving. A context manager.

    ``url`` is what to open; it holds the token, if there is one.

    Args:
        address: ``HOST:PORT``, an IPv6 host in brackets, port ``*`` for any.
        token: see ``Access``.
        make_app: from who may see it to the application.
        hosts: see ``Access``.

    Raises:
        MarEdgeError: it is no address, or is taken; a token that is none.
    """

    def __init__(
        self, address: str, token: str | None, make_app: Callable[[Access], ASGIApp], hosts: Sequence[str] = ()
    ) -> None:
        asked = PageAddress.parse(address)
        self._socket = _bound(address, asked)
        port = int(self._socket.getsockname()[1])
        try:
            access = Access(PageAddress(asked.host, port, asked.local, asked.ipv6), token, hosts)
        except MarEdgeError:
            self._socket.close()
            raise
        shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(asked.host, asked.host)
        self.local = asked.local
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"
        if access.token is not None:
            self.url += f"?token={access.token}"
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
                limit_concurrency=max(_LEAST_CONNECTIONS, min(_MOST_CONNECTIONS, room() // 4)),
                h11_max_incomplete_event_size=_MOST_HEAD,
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
        except Exception:  # noqa: BLE001 - whatever it is, only the page ends by it
            _log.exception("the page's server failed; what is recognised and sent goes on")
        finally:
            self._done.set()

    def __enter__(self) -> PageServer:
        if not self.local:
            _log.warning(
                "the page is sent in clear and other machines reach it; whoever has the token sees it. Through networks"
                " that are not yours take a tunnel (ssh -L) or a proxy with TLS"
            )
        self._socket.listen(128)  # from now on who comes early waits instead of being refused
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.should_exit = True
        self._done.wait(_START_S)
        self._socket.close()


def _bound(address: str, asked: PageAddress) -> socket.socket:
    family = socket.AF_INET6 if asked.ipv6 else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((asked.host, asked.port))
    except (OSError, UnicodeError) as error:  # a host's name may be too long for the resolver's encoding
        bound.close()
        reason = getattr(error, "strerror", None) or error
        raise MarEdgeError(
            f"cannot serve the page on {address}: {reason}; choose another address, as 127.0.0.1:8081"
        ) from None
    return bound
