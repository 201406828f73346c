"""The subscriber: ZeroMQ -> typed messages, with losses, restarts and silence noticed. Needs no camera, no model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import zmq

from mar_edge.streaming.wire.messages import AnyMessage
from mar_edge.streaming.wire.subscription import SubscriberTimeout, Subscription


class LabelSubscriber(Subscription):
    """Messages of one publisher, as they come. An iterator and a context manager, used from one thread.

    Arguments, counts and errors: see ``Subscription``.
    """

    _context_type = zmq.Context

    def __iter__(self) -> Iterator[AnyMessage]:
        return self

    def __next__(self) -> AnyMessage:
        """Return the next message.

        Raises:
            SubscriberTimeout: none came within ``timeout_s``.
            UnknownSchema: the sender speaks another version.
        """
        deadline_s = self._deadline_s()
        while not self._ended:
            # Asked for first: waiting takes longer, even for no time.
            came = int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN or self._socket.poll(self._wait_ms(deadline_s))
            message = self._take(self._socket.recv_multipart() if came else None, deadline_s)
            if message is not None:
                return message
        raise StopIteration

    def until(self, should_stop: Callable[[], bool]) -> Iterator[AnyMessage]:
        """Yield messages until ``should_stop``, which is called every ``timeout_s`` at least. No sender is needed."""
        while not should_stop() and not self._ended:
            try:
                yield next(self)
            except SubscriberTimeout:  # noqa: PERF203 - a moment to ask in
                continue
            except StopIteration:
                return

    def __enter__(self) -> LabelSubscriber:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
