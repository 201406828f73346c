"""The page as an ASGI application: its files, its socket, and the guard before both. Knows no threads, no cameras."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path

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
# A browser that takes nothing for so long is gone, or might as well be.
SEND_S = 10.0
REPORT_S = 1.0
# WebSocket close codes: RFC 6455 and IANA's registry.
_TRY_AGAIN, _POLICY = 1013, 1008

HttpHandlers = Callable[[], Mapping[str, HttpHandler]]
"""Path -> what is answered there, asked at each request."""

_REFUSALS: dict[Verdict, tuple[int, str]] = {
    "wrong host": (
        403,
        "This page answers to its own name only; open it by the address that mar-edge printed, or state this name with "
        "--view-host.\n",
    ),
    "wrong origin": (403, "This page answers no other site; state a proxy's origin with --view-host.\n"),
    "no token": (401, "Open the address that mar-edge printed, with its token.\n"),
}


class Setup(msgspec.Struct, frozen=True):
    """What the page asks first. mode: ``live``, fed by the socket, or ``review``, of recordings."""

    mode: str
    version: str


def page_app(
    access: AccessPolicy, feed: Feed | None, handlers: HttpHandlers = dict, routes: Sequence[BaseRoute] = ()
) -> Guard:
    """The application.

    Args:
        access: who may see it.
        feed: of live messages; None where recordings are reviewed.
        handlers: further documents for machines, as health.
        routes: further ones, as of recordings.
    """
    setup = msgspec.json.encode(Setup("review" if feed is None else "live", __version__))

    async def index(_: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def tell_setup(_: Request) -> Response:
        return Response(setup, media_type=JSON)

    async def other(request: Request) -> Response:
        answer = handlers().get(request.url.path)
        if answer is None:
            return PlainTextResponse("There is no such page.\n", 404)
        status, kind, body = await asyncio.to_thread(answer)
        return Response(body, status, media_type=kind)

    every = [
        Route("/", index),
        Route("/setup", tell_setup),
        Route("/layouts/{name}", _layout),
        Mount("/static", StaticFiles(directory=STATIC)),
        *routes,
        *([_socket(feed)] if feed is not None else []),
        Route("/{path:path}", other),
    ]
    return Guard(Starlette(routes=every, lifespan=_feeding(feed)), access)


async def _layout(request: Request) -> Response:
    try:
        layout = load_layout(request.path_params["name"])
    except MarEdgeError as error:
        return PlainTextResponse(f"{error}\n", 404)
    return Response(msgspec.json.encode(layout), media_type=JSON)


def _feeding(feed: Feed | None) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
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
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        outbox = feed.join()
        if outbox is None:
            await socket.close(_TRY_AGAIN, "too many browsers look on")
            return
        tasks = [asyncio.create_task(_send(socket, outbox)), asyncio.create_task(_listen(socket))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            feed.leave(outbox)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return WebSocketRoute("/feed", talk)


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


async def _listen(socket: WebSocket) -> None:
    """Until the browser goes. It has nothing to say: one that speaks is none of ours."""
    if (await socket.receive())["type"] == "websocket.receive":
        await socket.close(_POLICY, "nothing is expected here")


class Guard:
    """Lets through whom ``access`` allows, and tells browsers that the page may load what is here and nothing else."""

    def __init__(self, app: ASGIApp, access: AccessPolicy) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        query_token = QueryParams(scope.get("query_string", b"")).get("token")
        verdict = self._access.check(headers, query_token)
        if scope["type"] == "websocket":
            if verdict == "allowed":
                await self._app(scope, receive, send)
            else:  # before it is accepted: the browser sees a 403
                await send({"type": "websocket.close", "code": _POLICY})
            return
        app: ASGIApp = self._app
        if verdict != "allowed":
            status, text = _REFUSALS[verdict]
            app = PlainTextResponse(text, status)
        elif query_token is not None and self._access.token is not None and scope["path"] == "/":
            app = self._with_cookie()
        await app(scope, receive, self._with_policy(send, headers.get("host", "")))

    def _with_cookie(self) -> Response:
        """To the page again, with the token out of the address bar and the history."""
        response = RedirectResponse("/", 303)
        response.set_cookie(self._access.cookie, self._access.token or "", httponly=True, samesite="lax")
        return response

    def _with_policy(self, send: Send, host: str) -> Send:
        # Not every browser takes 'self' to mean our own socket.
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
            "Cache-Control": "no-cache",
        }

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(policy)
            await send(message)

        return with_policy
