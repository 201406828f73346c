"""The page as an ASGI application: files, WebSocket, and access control. Knows no threads, no cameras."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from mar_edge import __version__
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.streaming.observer import HttpHandler
from mar_edge.view.access import AccessPolicy, Verdict
from mar_edge.view.feed import Feed, Outbox

STATIC = Path(str(resources.files("mar_edge.view"))) / "static"
JSON = "application/json"
# A browser that receives nothing for this long is disconnected.
SEND_S = 10.0
REPORT_S = 1.0
# WebSocket close codes: RFC 6455 and IANA's registry.
_TRY_AGAIN, _POLICY = 1013, 1008

HttpHandlers = Callable[[], Mapping[str, HttpHandler]]
"""Returns path -> handler; called at each request."""

_REFUSALS: dict[Verdict, tuple[int, str]] = {
    "wrong host": (
        403,
        "This host name is not allowed. Open the page at the address that mar-edge printed, or allow this name with "
        "--view-host.\n",
    ),
    "wrong origin": (403, "Requests from other sites are not allowed. Allow the origin of a proxy with --view-host.\n"),
    "no token": (401, "A token is required. Open the address that mar-edge printed, which holds it.\n"),
}


class Setup(msgspec.Struct, frozen=True):
    """The first document that the page requests.

    mode: ``live`` (WebSocket) or ``review`` (recordings).
    teaching: whether this browser may teach: ``allowed``, ``refused`` (it has not the token), ``off`` (the service was
    started without ``--teach-to``), or ``none`` (nothing to teach here).
    """

    mode: str
    version: str
    teaching: Literal["allowed", "refused", "off", "none"]


def page_app(
    access: AccessPolicy,
    feed: Feed | None,
    handlers: HttpHandlers = dict,
    routes: Sequence[BaseRoute] = (),
    *,
    teaches: bool | None = None,
) -> AccessMiddleware:
    """Make the application.

    Args:
        access: Decides which requests are allowed.
        feed: Feed of live messages; None to review recordings.
        handlers: Handlers of further paths, such as health.
        routes: Further routes, such as those of recordings.
        teaches: Whether lessons are given here; None where there is no model to teach.
    """

    async def index(_: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def setup_document(request: Request) -> Response:
        teaching: Literal["allowed", "refused", "off", "none"] = "none" if teaches is None else "off"
        if teaches:
            teaching = "allowed" if access.may_teach(request.headers) else "refused"
        setup = Setup("review" if feed is None else "live", __version__, teaching)
        return Response(msgspec.json.encode(setup), media_type=JSON)

    async def fallback(request: Request) -> Response:
        handler = handlers().get(request.url.path)
        if handler is None:
            return PlainTextResponse("Not found.\n", 404)
        status, kind, body = await asyncio.to_thread(handler)
        return Response(body, status, media_type=kind)

    every = [
        Route("/", index),
        Route("/setup", setup_document),
        Route("/layouts/{name}", _layout),
        Mount("/static", StaticFiles(directory=STATIC)),
        *routes,
        *([_socket(feed)] if feed is not None else []),
        Route("/{path:path}", fallback),
    ]
    return AccessMiddleware(Starlette(routes=every, lifespan=_lifespan(feed)), access)


async def _layout(request: Request) -> Response:
    try:
        layout = load_layout(request.path_params["name"])
    except MarEdgeError as error:
        return PlainTextResponse(f"{error}\n", 404)
    return Response(msgspec.json.encode(layout), media_type=JSON)


def _lifespan(feed: Feed | None) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    async def report() -> None:
        while feed is not None:
            await asyncio.sleep(REPORT_S)
            feed.report()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if feed is None:
            yield
            return
        feed.attach(asyncio.get_running_loop())
        reporting = asyncio.create_task(report())
        yield
        feed.attach(None)
        reporting.cancel()

    return lifespan


def _socket(feed: Feed) -> WebSocketRoute:
    async def serve_feed(socket: WebSocket) -> None:
        await socket.accept()
        outbox = feed.subscribe()
        if outbox is None:
            await socket.close(_TRY_AGAIN, "too many browsers")
            return
        tasks = [asyncio.create_task(_send(socket, outbox)), asyncio.create_task(_wait_for_close(socket))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            feed.unsubscribe(outbox)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return WebSocketRoute("/feed", serve_feed)


async def _send(socket: WebSocket, outbox: Outbox) -> None:
    while True:
        await outbox.ready.wait()
        outbox.ready.clear()
        documents, pictures = outbox.take()
        try:
            if outbox.full:
                await asyncio.wait_for(socket.close(_TRY_AGAIN, "too slow"), SEND_S)
                return
            if documents:
                await asyncio.wait_for(socket.send_text(documents.decode()), SEND_S)
            for picture in pictures:
                await asyncio.wait_for(socket.send_bytes(picture), SEND_S)
        except asyncio.TimeoutError:
            outbox.give_up()
            return


async def _wait_for_close(socket: WebSocket) -> None:
    """Wait until the browser disconnects. The page sends nothing, so another client is disconnected."""
    if (await socket.receive())["type"] == "websocket.receive":
        await socket.close(_POLICY, "this socket takes no messages")


class AccessMiddleware:
    """Refuses requests that the access policy does not allow. Adds headers that limit the page to its own server."""

    def __init__(self, app: ASGIApp, access: AccessPolicy) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request or connection (ASGI)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        query_token = QueryParams(scope.get("query_string", b"")).get("token")
        verdict = self._access.check(headers, query_token)
        if scope["type"] == "websocket":
            if verdict == "allowed":
                await self._app(scope, receive, send)
            else:  # before it is accepted, so that the browser gets a 403
                await send({"type": "websocket.close", "code": _POLICY})
            return
        app: ASGIApp = self._app
        if verdict != "allowed":
            status, text = _REFUSALS[verdict]
            app = PlainTextResponse(text, status)
        elif query_token is not None and scope["path"] == "/" and (shown := self._access.shown(headers, query_token)):
            app = self._redirect_with_cookie(shown)
        await app(scope, receive, self._add_headers(send, headers.get("host", "")))

    def _redirect_with_cookie(self, token: str) -> Response:
        """Redirect to the page with a cookie, so that the token leaves the address bar and the history."""
        response = RedirectResponse("/", 303)
        response.set_cookie(self._access.cookie, token, httponly=True, samesite="lax")
        return response

    def _add_headers(self, send: Send, host: str) -> Send:
        # Not every browser includes the WebSocket of this server in 'self'.
        ours = self._access.check({"host": host}, self._access.token) == "allowed"
        socket = "".join(f" {each}" for each in self._access.sockets)
        socket += f" ws://{host} wss://{host}" if ours else ""
        policy = {
            "Content-Security-Policy": f"default-src 'self'; connect-src 'self'{socket}; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'; object-src 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(policy | {"Cache-Control": headers.get("cache-control", "no-cache")})
            await send(message)

        return with_policy
