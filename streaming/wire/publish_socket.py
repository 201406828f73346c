"""The socket that messages leave by: where it is bound, who may come in and who came. Knows no messages.

An XPUB socket, because it tells who subscribes. Sending never waits: a subscriber whose queue is full loses messages
(and sees it by their numbers; ZeroMQ does not tell us), the others do not. Used by several threads.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import recv_monitor_message

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.operations.file_limit import room, shut_down_connection
from mar_edge.streaming.wire.address import DEFAULT_ADDRESS, Address, parse_address
from mar_edge.streaming.wire.connection_counter import EVENTS, FAILED, ConnectionCounter
from mar_edge.streaming.wire.keys import Clients, ServerKeys

HIGH_WATER_MARK = 1000
LINGER_MS = 1000
# A subscriber whose machine vanished is gone after the second, and one that never says who it is after the third.
HEARTBEAT_MS = 2000
HEARTBEAT_TIMEOUT_MS = 6000
HANDSHAKE_MS = 5000
# Subscriptions handled in one go, so that a flood of them cannot hold up the stream.
MOST_AT_ONCE = 1000
CLIENTS_EVERY_S = 1.0
ROOM_EVERY_S = 0.1
# Letting go of a port takes ZeroMQ a moment.
_REBIND_S = 2.0
_ZAP_DOMAIN = "mar-edge"
_STRANGERS_NAMED = 1000
_log = logging.getLogger("mar_edge.wire")

OnSubscribe = Callable[[list[bytes]], None]
"""Told the topic prefixes that were asked for since the last time."""


class _Authenticator(ThreadAuthenticator):
    """Refuses for now, not for ever: ZeroMQ lets a client that was refused with 400 never try again, so that one whose
    key is added later would have to be restarted.
    """

    def _send_zap_reply(
        self, request_id: bytes, status_code: bytes, status_text: bytes, user_id: str = "anonymous"
    ) -> None:
        status_code = b"300" if status_code == b"400" else status_code
        super()._send_zap_reply(request_id, status_code, status_text, user_id)


class PublishSocket:
    """Binds, sends and lets subscribers in. A context manager.

    ``subscriptions`` counts what was ever asked for, ``refused`` the connections that failed to say who they are,
    ``shed`` those that were ended because few file descriptors are left (see ``streaming.operations.file_limit``).

    Args:
        addresses: where to bind (see ``streaming.wire.address``).
        keys: encrypt, and let in only clients whose keys are known; None sends in clear.
        insecure: without keys, allow an address that other machines reach.

    Raises:
        MarEdgeError: no such address, or it is taken, or reachable from outside without keys.
    """

    def __init__(
        self, addresses: Sequence[str] = (DEFAULT_ADDRESS,), keys: ServerKeys | None = None, insecure: bool = False
    ) -> None:
        endpoints = [parse_address(address, bind=True) for address in addresses]
        if not endpoints:
            raise MarEdgeError(f"no address to publish on; give one, as {DEFAULT_ADDRESS}")
        open_to_all = [endpoint.endpoint for endpoint in endpoints if not endpoint.local]
        if open_to_all and keys is None and not insecure:
            raise MarEdgeError(
                f"{open_to_all[0]} can be reached from other machines; make keys with 'mar-edge keygen' and give them "
                f"with --key and --clients, bind {DEFAULT_ADDRESS}, or allow it in clear with --insecure"
            )
        self.subscriptions = 0
        self.refused = 0
        self.shed = 0
        self.lock = threading.RLock()
        self._connections = ConnectionCounter()
        self._accepted: dict[int, None] = {}
        self._room_due_s = 0.0
        self._on_subscribe: list[OnSubscribe] = []
        self._clients = Clients(keys.clients) if keys is not None else None
        self._clients_due_s = 0.0
        self._strangers: set[bytes] = set()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._authenticator: _Authenticator | None = None
        self._socket = self._context.socket(zmq.XPUB)
        try:
            self._set_up(endpoints, keys)
        except BaseException:  # swallows nothing: whatever stops it, the socket must not outlive the failure
            self._close(linger_ms=0)
            raise

    @property
    def subscribers(self) -> int:
        """How many are connected now."""
        return self._connections.count

    @property
    def clients(self) -> int | None:
        """How many keys may come in; None where nobody is asked."""
        return None if self._clients is None else len(self._clients)

    def on_subscribe(self, call: OnSubscribe) -> None:
        """Have somebody told of subscriptions, while ``lock`` is held."""
        self._on_subscribe.append(call)

    def send(self, parts: Sequence[bytes]) -> None:
        """Send one message; never waits."""
        with self.lock:
            self._socket.send_multipart(parts)

    def poll(self) -> None:
        """See who came and went. To be called often; never waits."""
        with self.lock:
            while self._monitor.poll(0):
                event = recv_monitor_message(self._monitor)
                self.refused += bool(event["event"] & FAILED)
                self._connections.observe(event["event"], event["value"])
                if event["event"] == zmq.EVENT_ACCEPTED:
                    self._accepted[event["value"]] = None
                elif event["event"] == zmq.EVENT_DISCONNECTED:
                    self._accepted.pop(event["value"], None)
            self._keep_reserve()
            self._let_in()
            asked: list[bytes] = []
            for _ in range(MOST_AT_ONCE):
                if not self._socket.poll(0):
                    break
                frame = self._socket.recv()
                if frame[:1] == b"\x01":
                    asked.append(frame[1:])
            self.subscriptions += len(asked)
            for tell in self._on_subscribe if asked else ():
                tell(asked)

    def callback(self, _domain: str, key: bytes) -> bool:
        """Whether a client with that public key may come in; asked by ZeroMQ's authenticator, on its thread."""
        if self._clients is not None and key in self._clients:
            return True
        if key not in self._strangers and len(self._strangers) < _STRANGERS_NAMED:  # it will try again and again
            self._strangers.add(key)
            _log.warning("refused a subscriber: its key %s is not among the clients", key.decode("ascii", "replace"))
        return False

    def _keep_reserve(self) -> None:
        """End the newest connections where subscribers have taken what cameras, recordings and health need."""
        now_s = time.monotonic()
        if now_s < self._room_due_s or not self._accepted:
            return
        self._room_due_s = now_s + ROOM_EVERY_S
        lacking = -room()
        while lacking > 0 and self._accepted:
            connection, _ = self._accepted.popitem()
            if not shut_down_connection(connection, self._ends):
                continue
            lacking -= 1
            self.shed += 1
            if self.shed == 1:
                _log.warning(
                    "sent a subscriber away: few file descriptors are left (ulimit -n), and cameras, recordings and "
                    "health need them; it may come back once there is room"
                )

    def _let_in(self) -> None:
        """Follow the folder of clients. Who may no more is sent away, by binding anew: the others come back at once.

        ZeroMQ cannot close one connection, only all of an address. What is sent meanwhile is a gap that they see.
        """
        now_s = time.monotonic()
        if self._clients is None or now_s < self._clients_due_s:
            return
        self._clients_due_s = now_s + CLIENTS_EVERY_S
        if not self._clients.refresh():
            return
        for endpoint in self.endpoints:
            self._socket.unbind(endpoint)
        for endpoint in self.endpoints:
            self._bind_again(endpoint)

    def _bind_again(self, endpoint: str) -> None:
        deadline_s = time.monotonic() + _REBIND_S
        while True:
            try:
                self._socket.bind(endpoint)
                return
            except zmq.ZMQError as error:  # noqa: PERF203 - this is what is waited for
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline_s:
                    raise MarEdgeError(_bind_error(endpoint, error)) from None
                time.sleep(0.002)

    def _set_up(self, addresses: Sequence[Address], keys: ServerKeys | None) -> None:
        # Every subscription is reported, also to what others have subscribed to already.
        self._socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self._socket.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        self._socket.setsockopt(zmq.MAXMSGSIZE, 4096)  # subscribers send us topics, nothing longer
        self._socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
        self._socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)
        self._socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        self._socket.setsockopt(zmq.IPV6, int(any(address.ipv6 for address in addresses)))
        if keys is not None:
            if not zmq.has("curve"):
                raise MarEdgeError("this ZeroMQ was built without CURVE: pip install --only-binary :all: pyzmq")
            self._authenticator = _Authenticator(self._context)
            self._authenticator.start()
            self._authenticator.configure_curve_callback(_ZAP_DOMAIN, self)
            self._socket.setsockopt(zmq.CURVE_SERVER, 1)
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, keys.own.secret)
            self._socket.setsockopt(zmq.ZAP_DOMAIN, _ZAP_DOMAIN.encode())
        self._monitor = self._socket.get_monitor_socket(EVENTS)
        self.endpoints: tuple[str, ...] = ()
        for address in addresses:
            if address.endpoint.startswith("ipc://"):
                _refuse_live_ipc(address.endpoint)
            try:
                self._socket.bind(address.endpoint)
            except zmq.ZMQError as error:
                raise MarEdgeError(_bind_error(address.endpoint, error)) from None
            self.endpoints = (*self.endpoints, self._socket.getsockopt_string(zmq.LAST_ENDPOINT))
        self._ends = {_end(endpoint) for endpoint in self.endpoints}

    def _close(self, linger_ms: int) -> None:
        with self.lock:
            self._socket.disable_monitor()
            if hasattr(self, "_monitor"):
                self._monitor.close(0)
            self._socket.close(linger_ms)
            if self._authenticator is not None:
                self._authenticator.stop()
            self._context.term()

    def __enter__(self) -> PublishSocket:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close; waits up to ``LINGER_MS`` for what is still on its way."""
        self._close(LINGER_MS)


def _end(endpoint: str) -> object:
    """What the sockets at an endpoint call it: a port, or a path."""
    if not endpoint.startswith("ipc://"):
        return int(endpoint.rpartition(":")[2])
    path = endpoint.removeprefix("ipc://")
    return b"\0" + path[1:].encode() if path.startswith("@") else path


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
