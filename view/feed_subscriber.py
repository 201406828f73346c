"""A stream elsewhere -> the page: our own subscriber on a thread of its own. Knows no browsers."""

from __future__ import annotations

import threading

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.keys import ClientKeys
from mar_edge.streaming.wire.messages import EncodedMessage
from mar_edge.streaming.wire.subscriber import LabelSubscriber
from mar_edge.view.feed import Feed

_LOOK_UP_S = 0.5


class FeedSubscriber:
    """Passes on what a publisher sends, from entering until leaving. A context manager.

    Args:
        address, stream, keys: as of ``LabelSubscriber``.
        feed: where messages go.

    Raises:
        MarEdgeError: no such address.
    """

    def __init__(self, address: str, stream: str | None, keys: ClientKeys | None, feed: Feed) -> None:
        self._feed = feed
        self._subscriber = LabelSubscriber(address, stream, timeout_s=_LOOK_UP_S, keys=keys, on_notice=self._note)
        self._stop = threading.Event()
        self._failure: MarEdgeError | None = None
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def check(self) -> None:
        """Raise what ended the listening, if anything did.

        Raises:
            MarEdgeError: the sender speaks another version.
        """
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            for message in self._subscriber.until(self._stop.is_set):
                self._feed.publish(EncodedMessage(message))
                self._note()
        except MarEdgeError as error:
            self._failure = error
        finally:
            self._subscriber.close()

    def _note(self, _: object = None) -> None:
        self._feed.lost, self._feed.silent = self._subscriber.lost, self._subscriber.silent

    def __enter__(self) -> FeedSubscriber:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()
