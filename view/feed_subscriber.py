"""Feeds the page from another process: a subscriber on its own thread. Knows no browsers."""

from __future__ import annotations

import threading

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.streaming.wire.keys import ClientKeys
from mar_edge.streaming.wire.subscriber import LabelSubscriber
from mar_edge.view.feed import Feed

_POLL_S = 0.5


class FeedSubscriber:
    """Passes messages of a publisher on to a feed while entered. A context manager.

    Args:
        address, stream, keys: See ``LabelSubscriber``.
        feed: Feed that gets the messages.

    Raises:
        MarEdgeError: the address is invalid.
    """

    def __init__(self, address: str, stream: str | None, keys: ClientKeys | None, feed: Feed) -> None:
        self._feed = feed
        self._subscriber = LabelSubscriber(address, stream, timeout_s=_POLL_S, keys=keys, on_notice=self._report_losses)
        self._stop = threading.Event()
        self._failure: MarEdgeError | None = None
        self._thread = threading.Thread(target=self._run, name="feed subscriber", daemon=True)

    def check(self) -> None:
        """Raise the error that ended the subscription, if there is one.

        Raises:
            MarEdgeError: the sender uses another schema.
        """
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            for message in self._subscriber.until(self._stop.is_set):
                self._feed.publish(EncodedMessage(message))
                self._report_losses()
        except MarEdgeError as error:
            self._failure = error
        finally:
            self._subscriber.close()

    def _report_losses(self, _: object = None) -> None:
        self._feed.lost, self._feed.silent = self._subscriber.lost, self._subscriber.silent

    def __enter__(self) -> FeedSubscriber:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()
