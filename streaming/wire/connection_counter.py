"""How many subscribers are connected, from the events of ZeroMQ's socket monitor. Opens no sockets.

A connection is accepted, then completes its handshake or fails at it, then is disconnected. Port scanners and health
checks get only so far. ZeroMQ names the connection when it is accepted and when it ends, but not when its handshake
succeeds, and some failures (bytes that are no ZMTP at all) are not reported as such.
"""

from __future__ import annotations

import zmq

FAILED = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
EVENTS = zmq.EVENT_ACCEPTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | FAILED


class ConnectionCounter:
    """Counts subscribers. Feed it every event in ``EVENTS``, in order."""

    def __init__(self) -> None:
        self._subscribers: set[int] = set()
        self._undecided: set[int] = set()
        self._succeeded = 0

    @property
    def count(self) -> int:
        """Connections that completed their handshake and still stand."""
        return len(self._subscribers) + self._succeeded

    def observe(self, event: int, value: int) -> None:
        """Take one event; ``value`` is the connection's number where the event carries it."""
        if event == zmq.EVENT_ACCEPTED:
            self._undecided.add(value)
        elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._succeeded += 1
        elif event == zmq.EVENT_DISCONNECTED:
            # One that ends undecided is taken for a stranger. Where it was not, a stranger is counted in its place
            # until the handshake timeout ends that one as well.
            self._subscribers.discard(value)
            self._undecided.discard(value)
        if self._succeeded >= len(self._undecided):
            self._subscribers |= self._undecided
            self._undecided.clear()
            self._succeeded = 0
