"""The subscriber for asyncio: the same as ``LabelSubscriber``, waiting in the event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import zmq.asyncio

from mar_edge.streaming.wire.messages import AnyMessage
from mar_edge.streaming.wire.subscription import SubscriberTimeout, Subscription


class AsyncLabelSubscriber(Subscription):
    """Messages of one publisher, in asyncio. An asynchronous iterator and context manager, used from one event loop.

    Arguments, counts and errors: see ``Subscription``. A wait that is canceled loses no message.
    """

    _context_type = zmq.asyncio.Context
    _socket: zmq.asyncio.Socket

    def __aiter__(self) -> AsyncIterator[AnyMessage]:
        return self

    async def __anext__(self) -> AnyMessage:
        """Return the next message.

        Raises:
            SubscriberTimeout: none came within ``timeout_s``.
            UnknownSchema: the sender speaks another version.
        """
        deadline_s = self._deadline_s()
        while not self._ended:
            came = await self._socket.poll(0) or await self._socket.poll(self._wait_ms(deadline_s))
            message = self._take(await self._socket.recv_multipart() if came else None, deadline_s)
            if message is not None:
                return message
        raise StopAsyncIteration

    async def until(self, should_stop: Callable[[], bool]) -> AsyncIterator[AnyMessage]:
        """Yield messages until ``should_stop``, which is called every ``timeout_s`` at least. No sender is needed."""
        while not should_stop() and not self._ended:
            try:
                yield await anext(self)
            except SubscriberTimeout:  # noqa: PERF203 - a moment to ask in
                continue
            except StopAsyncIteration:
                return

    async def __aenter__(self) -> AsyncLabelSubscriber:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()
