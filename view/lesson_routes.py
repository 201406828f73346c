"""The route by which the page starts, stops and removes lessons. Knows no skeletons and no models."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from mar_edge.edge.errors import MarEdgeError
from mar_edge.view.access import AccessPolicy
from mar_edge.view.lessons import Lessons
from mar_edge.view.posted import is_from_page, read_posted
from mar_edge.view.teach_messages import Remove, Start, Stop

_MOST_BODY = 10_000
_WISH: msgspec.json.Decoder[Start | Stop | Remove] = msgspec.json.Decoder(Start | Stop | Remove)


def lesson_routes(lessons: Lessons, access: AccessPolicy) -> list[BaseRoute]:
    """Return the routes of lessons. The state comes by the feed, so an answer says only whether it was accepted."""

    def do(wish: Start | Stop | Remove) -> None:
        if isinstance(wish, Start):
            lessons.start(wish)
        elif isinstance(wish, Remove):
            lessons.remove(wish.name)
        else:
            lessons.stop()

    async def teach(request: Request) -> Response:
        if not is_from_page(request):
            return PlainTextResponse("Lessons are started by the page, as JSON.\n", 403)
        if not access.may_teach(request.headers):
            return PlainTextResponse("This address only shows. Teach at the other one that mar-edge printed.\n", 403)
        try:
            wish = await read_posted(request, _WISH, _MOST_BODY, "a lesson")
            await asyncio.to_thread(do, wish)
        except MarEdgeError as error:
            return PlainTextResponse(f"{error}\n", 400)
        return Response(status_code=204)

    return [Route("/lessons", teach, methods=["POST"])]
