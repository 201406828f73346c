"""Counts connected subscribers from the events of ZeroMQ's socket monitor. Opens no sockets.

A connection is accepted, completes or fails its handshake, and is disconnected. Port scanners and health checks never
complete it. ZeroMQ identifies the connection when it is accepted and when it ends, but not when its handshake succeeds.
It does not report every failure, for example bytes that are not ZMTP.
"""

from __future__ import annotations

import zmq

FAILED = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
EVENTS = zmq.EVENT_ACCEPTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | FAILED


class ConnectionCounter:
    """Counts subscribers. It must observe every event in ``EVENTS``, in order."""

    def __init__(self) -> None:
        self._subscribers: set[int] = set()
        self._pending: set[int] = set()
        self._succeeded = 0

    @property
    def count(self) -> int:
        """Open connections that completed their handshake."""
        return len(self._subscribers) + self._succeeded

    def observe(self, event: int, value: int) -> None:
        """Take one event. ``value`` identifies the connection where the event carries that."""
        if event == zmq.EVENT_ACCEPTED:
            self._pending.add(value)
        elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._succeeded += 1
        elif event == zmq.EVENT_DISCONNECTED:
            # A pending connection that ends is taken for one that failed its handshake. If it had succeeded, a failed
            # one is counted in its place until the handshake timeout ends it.
            self._subscribers.discard(value)
            self._pending.discard(value)
        if self._succeeded >= len(self._pending):
            self._subscribers |= self._pending
            self._pending.clear()
            self._succeeded = 0
