"""The live page inside a service: passes messages and frames of streams on to browsers. Opens no camera."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from starlette.types import ASGIApp

from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.observer import HttpHandler
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.streaming.wire.messages import AnyMessage, SkeletonMessage
from mar_edge.view.access import AccessPolicy
from mar_edge.view.app import page_app
from mar_edge.view.feed import Feed
from mar_edge.view.lesson_routes import lesson_routes
from mar_edge.view.lessons import Lessons
from mar_edge.view.picture_encoder import PictureEncoder
from mar_edge.view.server import PageServer
from mar_edge.view.teaching import Teaching

# How long closing waits for browsers to receive the last messages.
_FLUSH_S = 1.0
_log = logging.getLogger("mar_edge.view")


class LivePage:
    """A ``StreamObserver`` that serves the page. A context manager; binds when constructed.

    Args:
        address, token, hosts, teach_token: See ``PageServer``.
        video: Show pictures of the camera as well.
        teaching: What browsers may teach; None for nothing.

    Attributes:
        lessons: Lessons that browsers start; None where they may teach nothing.

    Raises:
        MarEdgeError: see ``PageServer`` and ``Lessons``.
    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        video: bool = False,
        hosts: Sequence[str] = (),
        *,
        teaching: Teaching | None = None,
        teach_token: str | None = None,
    ) -> None:
        self._address = address
        self._feed = Feed(video)
        self._pictures = PictureEncoder(self._feed) if video else None
        self.lessons = None if teaching is None else Lessons(teaching, self._feed)
        self._handlers: Mapping[str, HttpHandler] = {}
        self._server = PageServer(address, token, self._app, hosts, teach_token)
        self._stack = ExitStack()

    def _app(self, access: AccessPolicy) -> ASGIApp:
        routes = [] if self.lessons is None else lesson_routes(self.lessons, access)
        return page_app(access, self._feed, lambda: self._handlers, routes, teaches=self.lessons is not None)

    @property
    def url(self) -> str:
        """Address to open in a browser, with the token if there is one."""
        return self._server.url

    @property
    def teach_url(self) -> str:
        """Address for those who may teach."""
        return self._server.teach_url

    @property
    def failures(self) -> int:
        """How often the server of the page failed."""
        return self._server.failures

    def on_message(self, message: AnyMessage) -> None:
        """Pass a message on (see ``StreamObserver``)."""
        if not isinstance(message, SkeletonMessage):  # skeletons come with their frame
            self._feed.publish(EncodedMessage(message))
        if self.lessons is not None:
            self.lessons.on_message(message)

    def on_frame(self, frame: Frame, skeletons: Sequence[EncodedMessage[SkeletonMessage]]) -> None:
        """Pass skeletons and, where shown, the picture on (see ``StreamObserver``)."""
        for skeleton in skeletons:
            self._feed.publish(skeleton)
        if self.lessons is not None:
            self.lessons.on_frame(frame, skeletons)
        if self._pictures is not None:
            self._pictures.offer(skeletons[0].message.stream, frame)

    def serves_http(self, address: str, handlers: Mapping[str, HttpHandler]) -> bool:
        """Answer these paths next to the page, if ``address`` is its own (see ``StreamObserver``)."""
        if address != self._address:
            return False
        self._handlers = handlers
        return True

    def __enter__(self) -> LivePage:
        self._stack.enter_context(self._server)
        if self.lessons is not None:
            self._stack.callback(self.lessons.close)
        if self._pictures is not None:
            _log.warning("the page shows camera pictures to everybody who may open it")
            self._stack.enter_context(self._pictures)
        self._stack.callback(self._feed.flush, _FLUSH_S)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()
