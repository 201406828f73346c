"""The socket of all publishers: its addresses, which clients may connect, and how many have. Knows no messages.

It is an XPUB socket, which reports subscriptions. Sending never blocks: a subscriber whose queue is full loses
messages, the others do not. ZeroMQ does not report the loss; the subscriber notices it by the numbers of the messages.
Several threads may use it.
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
from mar_edge.streaming.wire.address import DEFAULT_ADDRESS, Address, parse_address
from mar_edge.streaming.wire.connection_counter import EVENTS, FAILED, ConnectionCounter
from mar_edge.streaming.wire.file_limit import shut_down_connection, spare_descriptors
from mar_edge.streaming.wire.keys import AuthorizedClients, ServerKeys

HIGH_WATER_MARK = 1000
LINGER_MS = 1000
# HEARTBEAT_TIMEOUT_MS ends the connection of a machine that vanished, HANDSHAKE_MS one that never shakes hands.
HEARTBEAT_MS = 2000
HEARTBEAT_TIMEOUT_MS = 6000
HANDSHAKE_MS = 5000
# Subscriptions handled in one call of ``poll``, so that a flood of them cannot delay the stream.
MOST_AT_ONCE = 1000
CLIENTS_EVERY_S = 1.0
RESERVE_EVERY_S = 0.1
# ZeroMQ takes a moment to release a port.
_REBIND_S = 2.0
_ZAP_DOMAIN = "mar-edge"
_MOST_REFUSED_KEYS = 1000
_log = logging.getLogger("mar_edge.wire")

OnSubscribe = Callable[[list[bytes]], None]
"""Takes the topic prefixes that were subscribed to since the last call."""


class _Authenticator(ThreadAuthenticator):
    """Refuses with status 300 instead of 400. ZeroMQ lets a client that was refused with 400 never try again, so one
    whose key is added later would have to be restarted.
    """

    def _send_zap_reply(
        self, request_id: bytes, status_code: bytes, status_text: bytes, user_id: str = "anonymous"
    ) -> None:
        status_code = b"300" if status_code == b"400" else status_code
        super()._send_zap_reply(request_id, status_code, status_text, user_id)


class PublishSocket:
    """Binds, sends and accepts subscribers. A context manager.

    Attributes:
        subscriptions: Subscriptions since the start.
        refused: Connections that failed their handshake.
        shed: Connections ended because few file descriptors are left (see ``streaming.wire.file_limit``).
        endpoints: Addresses as bound, with their ports.
        lock: Held while messages are sent and subscriptions answered.

    Args:
        addresses: Addresses to bind (see ``streaming.wire.address``).
        keys: Encrypt, and accept only authorized clients; None sends unencrypted.
        insecure: Allow an address that other machines reach without keys.

    Raises:
        MarEdgeError: an address is invalid, in use, or reachable from other machines without keys.
    """

    def __init__(
        self, addresses: Sequence[str] = (DEFAULT_ADDRESS,), keys: ServerKeys | None = None, insecure: bool = False
    ) -> None:
        endpoints = [parse_address(address, bind=True) for address in addresses]
        if not endpoints:
            raise MarEdgeError(f"no address to publish on; give one, such as {DEFAULT_ADDRESS}")
        open_to_all = [endpoint.endpoint for endpoint in endpoints if not endpoint.local]
        if open_to_all and keys is None and not insecure:
            raise MarEdgeError(
                f"{open_to_all[0]} can be reached from other machines. Generate keys with 'mar-edge keygen' and pass "
                f"them with --key and --clients. Or bind {DEFAULT_ADDRESS}, or send unencrypted with --insecure"
            )
        self.subscriptions = 0
        self.refused = 0
        self.shed = 0
        self.lock = threading.RLock()
        self._connections = ConnectionCounter()
        self._accepted: dict[int, None] = {}
        self._reserve_due_s = 0.0
        self._on_subscribe: list[OnSubscribe] = []
        self._clients = AuthorizedClients(keys.clients) if keys is not None else None
        self._clients_due_s = 0.0
        self._refused_keys: set[bytes] = set()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._authenticator: _Authenticator | None = None
        self._socket = self._context.socket(zmq.XPUB)
        try:
            self._set_up(endpoints, keys)
        except BaseException:  # raised again: the socket must not stay open after any failure
            self._close(linger_ms=0)
            raise

    @property
    def subscribers(self) -> int:
        """Subscribers connected now."""
        return self._connections.count

    @property
    def clients(self) -> int | None:
        """Number of authorized clients; None without keys."""
        return None if self._clients is None else len(self._clients)

    def on_subscribe(self, call: OnSubscribe) -> None:
        """Register a call for subscriptions. It runs while ``lock`` is held."""
        self._on_subscribe.append(call)

    def send(self, parts: Sequence[bytes]) -> None:
        """Send one message. Never blocks."""
        with self.lock:
            self._socket.send_multipart(parts)

    def poll(self) -> None:
        """Handle connections and subscriptions. Must be called often; never blocks."""
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
            self._enforce_clients()
            prefixes: list[bytes] = []
            for _ in range(MOST_AT_ONCE):
                if not self._socket.poll(0):
                    break
                frame = self._socket.recv()
                if frame[:1] == b"\x01":
                    prefixes.append(frame[1:])
            self.subscriptions += len(prefixes)
            for call in self._on_subscribe if prefixes else ():
                call(prefixes)

    def callback(self, _domain: str, key: bytes) -> bool:
        """Return whether a client is authorized. ZeroMQ's authenticator calls this, on its own thread."""
        if self._clients is not None and key in self._clients:
            return True
        if key not in self._refused_keys and len(self._refused_keys) < _MOST_REFUSED_KEYS:  # warned of once: it retries
            self._refused_keys.add(key)
            _log.warning("refused a subscriber: its key %s is not authorized", key.decode("ascii", "replace"))
        return False

    def _keep_reserve(self) -> None:
        """End the newest connections if they use descriptors that cameras, recordings and health checks need."""
        now_s = time.monotonic()
        if now_s < self._reserve_due_s or not self._accepted:
            return
        self._reserve_due_s = now_s + RESERVE_EVERY_S
        missing = -spare_descriptors()
        while missing > 0 and self._accepted:
            connection, _ = self._accepted.popitem()
            if not shut_down_connection(connection, self._bound):
                continue
            missing -= 1
            self.shed += 1
            if self.shed == 1:
                _log.warning(
                    "disconnected a subscriber: few file descriptors are left (ulimit -n), and cameras, recordings and "
                    "health checks need them. It can reconnect when there are more"
                )

    def _enforce_clients(self) -> None:
        """Read changes of the client folder. If a client lost access, bind again: authorized ones reconnect at once.

        ZeroMQ cannot close one connection, only all of an address. Messages sent meanwhile are a gap that subscribers
        notice.
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
            except zmq.ZMQError as error:  # noqa: PERF203 - the loop waits for this
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline_s:
                    raise MarEdgeError(_bind_error(endpoint, error)) from None
                time.sleep(0.002)

    def _set_up(self, addresses: Sequence[Address], keys: ServerKeys | None) -> None:
        # Report every subscription, also to a topic that has subscribers already.
        self._socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self._socket.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        self._socket.setsockopt(zmq.MAXMSGSIZE, 4096)  # subscribers send only topics
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
        self._bound = {_bound_to(endpoint) for endpoint in self.endpoints}

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
        """Close, after waiting up to ``LINGER_MS`` for messages that are not sent yet."""
        self._close(LINGER_MS)


def _bound_to(endpoint: str) -> object:
    """Return what ``getsockname`` gives for sockets at an endpoint: a port, or a path."""
    if not endpoint.startswith("ipc://"):
        return int(endpoint.rpartition(":")[2])
    path = endpoint.removeprefix("ipc://")
    return b"\0" + path[1:].encode() if path.startswith("@") else path


def _bind_error(endpoint: str, error: zmq.ZMQError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{endpoint} is in use, perhaps by another 'mar-edge serve'; stop it or choose another address"
    if error.errno in (errno.EADDRNOTAVAIL, errno.ENODEV):
        return f"{endpoint} is not an address of this machine; use tcp://127.0.0.1:PORT or another one of its addresses"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"no permission to bind {endpoint}; ports below 1024 are reserved"
    return f"cannot bind {endpoint}: {zmq.strerror(error.errno or 0)}"


def _refuse_live_ipc(endpoint: str) -> None:
    """Refuse an IPC path in use. ZeroMQ would take it over, although it refuses a port in use."""
    path = endpoint.removeprefix("ipc://")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect("\0" + path[1:] if path.startswith("@") else path)
        except OSError:
            return
    raise MarEdgeError(f"{endpoint} is in use, perhaps by another 'mar-edge serve'; stop it or choose another address")
