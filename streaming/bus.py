"""The publisher: messages -> ZeroMQ, numbered and stamped. Knows nothing of cameras or labels.

An XPUB socket, because it tells who subscribes: a late one is sent ``hello`` and the last ``status`` at once. Sending
never waits: a subscriber whose queue is full loses messages (and sees it by their numbers), the others do not.
"""

from __future__ import annotations

import errno
import re
import socket
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

import msgspec
import zmq
from zmq.utils.monitor import recv_monitor_message

from edge.errors import MarEdgeError
from streaming.address import DEFAULT_ADDRESS, Address, parse_address
from streaming.connections import EVENTS, Connections
from streaming.messages import KINDS, AnyMessage, Encoding, Kind, encode, topic

HIGH_WATER_MARK = 1000
LINGER_MS = 1000
# A subscriber whose machine vanished is gone after the second, and one that never says who it is after the third.
HEARTBEAT_MS = 2000
HEARTBEAT_TIMEOUT_MS = 6000
HANDSHAKE_MS = 5000
# What is said to late subscribers, in this order.
GREETING: tuple[Kind, ...] = ("hello", "status")

# Subscriptions handled in one go, so that a flood of them cannot hold up the stream.
MOST_AT_ONCE = 1000

M = TypeVar("M", bound=AnyMessage)


class Publisher:
    """Sends one stream's messages. A context manager; used from one thread.

    ``run`` is the id of this start; ``subscriptions`` counts what was ever asked for.

    Args:
        stream: name of the stream, letters, digits, ``_``, ``.`` and ``-``.
        address: where to bind (see ``streaming.address``).
        encoding: of the payload.
        insecure: allow an address that other machines reach, though nothing is encrypted.
        wall_ns: wall clock; another one in tests.

    Raises:
        MarEdgeError: no such name or address, or the address is taken or reachable from outside.
    """

    def __init__(
        self,
        stream: str,
        address: str = DEFAULT_ADDRESS,
        encoding: Encoding = "json",
        insecure: bool = False,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", stream):
            raise MarEdgeError(f"'{stream}' is no stream name; use up to 64 letters, digits, '_', '.' and '-'")
        endpoint = parse_address(address, bind=True)
        if not endpoint.local and not insecure:
            raise MarEdgeError(
                f"{address} can be reached from other machines and the stream is not encrypted; bind "
                f"{DEFAULT_ADDRESS}, or allow it with --insecure where the network is trusted"
            )
        self.stream = stream
        self.run = uuid.uuid4().hex
        self.subscriptions = 0
        self.sent: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self._connections = Connections()
        self._encoding: Encoding = encoding
        self._wall_ns = wall_ns
        self._topics = {kind: topic(stream, kind) for kind in KINDS}
        self._greeting: dict[Kind, AnyMessage] = {}
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.XPUB)
        try:
            self._set_up(endpoint)
        except BaseException:  # swallows nothing: whatever stops it, the socket must not outlive the failure
            self._context.destroy(linger=0)
            raise

    @property
    def subscribers(self) -> int:
        """How many are connected now."""
        return self._connections.count

    @property
    def next_seq(self) -> int:
        """The number of the next message, and how many were sent."""
        return sum(self.sent.values())

    @property
    def endpoint(self) -> str:
        """Where it is bound; says the port where any was asked for."""
        return self._socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def publish(self, message: M) -> M:
        """Number, stamp and send a message; never waits.

        Returns:
            The message as it was sent.
        """
        kind = message.kind
        stamped = msgspec.structs.replace(
            message,
            stream=self.stream,
            run=self.run,
            seq=self.next_seq,
            kind_seq=self.sent[kind],
            t_publish_ns=self._wall_ns(),
        )
        self._socket.send_multipart([self._topics[kind], encode(stamped, self._encoding)])
        self.sent[kind] += 1
        if kind in GREETING:
            self._greeting[kind] = message
        return stamped

    def poll(self) -> None:
        """See who came and went, and greet who came. To be called often; never waits."""
        while self._monitor.poll(0):
            event = recv_monitor_message(self._monitor)
            self._connections.see(event["event"], event["value"])
        asked: set[Kind] = set()
        for _ in range(MOST_AT_ONCE):
            if not self._socket.poll(0):
                break
            frame = self._socket.recv()
            if frame[:1] == b"\x01":
                self.subscriptions += 1
                asked.update(kind for kind in GREETING if self._topics[kind].startswith(frame[1:]))
        for kind in GREETING:
            if kind in asked and kind in self._greeting:
                self.publish(self._greeting[kind])

    def _set_up(self, address: Address) -> None:
        # Every subscription is reported, also to what others have subscribed to already.
        self._socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self._socket.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        self._socket.setsockopt(zmq.MAXMSGSIZE, 4096)  # subscribers send us topics, nothing longer
        self._socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
        self._socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)
        self._socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        self._socket.setsockopt(zmq.IPV6, int(address.ipv6))
        self._monitor = self._socket.get_monitor_socket(EVENTS)
        if address.endpoint.startswith("ipc://"):
            _refuse_live_ipc(address.endpoint)
        try:
            self._socket.bind(address.endpoint)
        except zmq.ZMQError as error:
            raise MarEdgeError(_bind_error(address.endpoint, error)) from None

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; waits up to ``LINGER_MS`` for what is still on its way."""
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(LINGER_MS)
        self._context.term()


def _bind_error(endpoint: str, error: zmq.ZMQError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{endpoint} is in use, perhaps by another 'mar-edge serve'; stop it or choose another address"
    if error.errno in (errno.EADDRNOTAVAIL, errno.ENODEV):
        return f"{endpoint} is no address of this machine; use tcp://127.0.0.1:PORT or one of its own"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"no permission to bind {endpoint}; ports below 1024 are reserved"
    return f"cannot bind {endpoint}: {zmq.strerror(error.errno or 0)}"


def _refuse_live_ipc(endpoint: str) -> None:
    """ZeroMQ takes over an IPC path that somebody else is serving; a port it would refuse."""
    path = endpoint.removeprefix("ipc://")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect("\0" + path[1:] if path.startswith("@") else path)
        except OSError:
            return
    raise MarEdgeError(f"{endpoint} is in use, perhaps by another 'mar-edge serve'; stop it or choose another address")
