"""The page of a service, in its process: what streams do, for browsers. Opens no cameras."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.observer import Answer
from mar_edge.streaming.wire.messages import AnyMessage, EncodedMessage, SkeletonMessage
from mar_edge.view.app import page_app
from mar_edge.view.feed import Feed
from mar_edge.view.picture_encoder import Pictures
from mar_edge.view.server import PageServer

# The last messages of a stream are worth so much waiting.
_FAREWELL_S = 1.0
_log = logging.getLogger("mar_edge.view")


class LivePage:
    """A ``streaming.observer.StreamObserver`` that is a page. A context manager; binds when made.

    Args:
        address, token, hosts: as of ``PageServer``.
        video: show the camera's pictures as well.

    Raises:
        MarEdgeError: as of ``PageServer``.
    """

    def __init__(self, address: str, token: str | None = None, video: bool = False, hosts: Sequence[str] = ()) -> None:
        self._address = address
        self._feed = Feed(video)
        self._pictures = Pictures(self._feed) if video else None
        self._answers: Mapping[str, Answer] = {}
        self._server = PageServer(
            address, token, lambda access: page_app(access, self._feed, lambda: self._answers), hosts
        )
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        """What to open; with the token, if there is one."""
        return self._server.url

    def on_message(self, message: AnyMessage) -> None:
        """See ``StreamObserver``."""
        if not isinstance(message, SkeletonMessage):  # those come with their frame
            self._feed.publish(EncodedMessage(message))

    def on_frame(self, frame: Frame, skeletons: Sequence[EncodedMessage[SkeletonMessage]]) -> None:
        """See ``StreamObserver``."""
        for skeleton in skeletons:
            self._feed.publish(skeleton)
        if self._pictures is not None:
            self._pictures.offer(skeletons[0].message.stream, frame)

    def answers(self, address: str, answers: Mapping[str, Answer]) -> bool:
        """See ``StreamObserver``."""
        if address != self._address:
            return False
        self._answers = answers
        return True

    def __enter__(self) -> LivePage:
        self._stack.enter_context(self._server)
        if self._pictures is not None:
            _log.warning("camera pictures leave this process: the page shows them to whoever may open it")
            self._stack.enter_context(self._pictures)
        self._stack.callback(self._feed.flush, _FAREWELL_S)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()
