"""Joins many senders behind one endpoint. Forwards messages and subscriptions unchanged, and decodes no message.

So numbers, gaps and restarts mean the same to a subscriber of the relay as to one of the sender. Every sender notices a
late subscriber, and sends it ``hello``.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence

import zmq

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.address import parse_address
from mar_edge.streaming.wire.encoding import MAX_BYTES
from mar_edge.streaming.wire.keys import ClientKeys
from mar_edge.streaming.wire.publish_socket import HEARTBEAT_MS, HIGH_WATER_MARK, PublishSocket

_TOPIC = re.compile(rb"mar/([A-Za-z0-9_.-]{1,64})/([a-z]{1,32})/")
_ROOT = b"mar/"
_WAIT_MS = 20
# Least time between two looks at all senders. A look costs more the more senders there are, so it should find more than
# one message. A message on its own is not delayed.
_LOOK_S = 0.005
_MOST_AT_ONCE = 1000
# A sender that is quiet for this long loses the name of its stream to another one.
_OWNER_S = 10.0
_log = logging.getLogger("mar_edge.relay")


class Relay:
    """Joins senders. A context manager; used from one thread.

    Attributes:
        forwarded: Messages forwarded, by stream.
        malformed: Messages that were malformed and not forwarded.
        collisions: Stream names that two senders used at the same time.

    Args:
        addresses: Addresses of the senders.
        socket: Socket that subscribers connect to.
        keys: Keys for each sender; None if it sends unencrypted.

    Raises:
        MarEdgeError: an address is invalid, or there is none.
    """

    def __init__(self, addresses: Sequence[str], socket: PublishSocket, keys: Sequence[ClientKeys | None] = ()) -> None:
        if not addresses:
            raise MarEdgeError("a relay needs at least one sender to join; give it with --connect")
        endpoints = [parse_address(address, bind=False) for address in addresses]
        self.forwarded: dict[str, int] = {}
        self.malformed = 0
        self.collisions: set[str] = set()
        self._socket = socket
        self._owners: dict[str, tuple[int, float]] = {}
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        # One socket for each sender: CURVE keys belong to a socket, and it shows which sender a message came from.
        self._senders = [
            self._connect(each.endpoint, each.ipv6, key)
            for each, key in zip(endpoints, keys or [None] * len(endpoints), strict=True)
        ]
        self._numbers = {sender: number for number, sender in enumerate(self._senders)}
        self._poller = zmq.Poller()
        for sender in self._senders:
            self._poller.register(sender, zmq.POLLIN)
        socket.on_subscribe(self._forward_subscriptions)

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Forward until ``should_stop`` returns True."""
        while not should_stop():
            began_s = time.monotonic()
            self.forward(_WAIT_MS)
            if time.monotonic() - began_s < _LOOK_S:
                time.sleep(_LOOK_S)

    def forward(self, wait_ms: int) -> None:
        """Forward the subscriptions and messages that came, after waiting up to ``wait_ms`` for a message."""
        self._socket.poll()
        for sender, _ in self._poller.poll(wait_ms):
            number = self._numbers[sender]
            for _ in range(_MOST_AT_ONCE):
                if not sender.getsockopt(zmq.EVENTS) & zmq.POLLIN:
                    break
                self._forward_message(number, sender.recv_multipart())

    def _forward_message(self, number: int, parts: list[bytes]) -> None:
        topic = _TOPIC.fullmatch(parts[0]) if len(parts) == 2 else None
        if topic is None or len(parts[1]) > MAX_BYTES:
            self.malformed += 1
            return
        stream = topic[1].decode()
        self._check_owner(stream, number)
        self.forwarded[stream] = self.forwarded.get(stream, 0) + 1
        self._socket.send(parts)

    def _check_owner(self, stream: str, number: int) -> None:
        now_s = time.monotonic()
        owner, heard_s = self._owners.get(stream, (number, now_s))
        if owner != number and now_s - heard_s < _OWNER_S:
            if stream not in self.collisions:
                self.collisions.add(stream)
                _log.error("two senders use the stream name '%s'; start one of them with another --stream", stream)
            return
        self._owners[stream] = number, now_s

    def _forward_subscriptions(self, prefixes: list[bytes]) -> None:
        """Forward subscriptions that a topic can match; senders need not remember the others."""
        for prefix in dict.fromkeys(prefixes):
            if prefix.startswith(_ROOT) or _ROOT.startswith(prefix):
                for sender in self._senders:
                    sender.send(b"\x01" + prefix)

    def _connect(self, endpoint: str, ipv6: bool, keys: ClientKeys | None) -> zmq.Socket[bytes]:
        sender = self._context.socket(zmq.XSUB)
        sender.setsockopt(zmq.LINGER, 0)
        sender.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        sender.setsockopt(zmq.MAXMSGSIZE, MAX_BYTES)
        sender.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
        sender.setsockopt(zmq.IPV6, int(ipv6))
        if keys is not None:
            sender.setsockopt(zmq.CURVE_PUBLICKEY, keys.own.public)
            sender.setsockopt(zmq.CURVE_SECRETKEY, keys.own.secret)
            sender.setsockopt(zmq.CURVE_SERVERKEY, keys.server)
        sender.connect(endpoint)
        return sender

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._context.destroy(linger=0)
