"""HTTP for monitoring: ``/live``, ``/ready`` and ``/metrics``. Changes nothing."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from collections.abc import Mapping

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.observer import HttpHandler
from mar_edge.streaming.operations.health import Health
from mar_edge.streaming.operations.metrics import Metrics
from mar_edge.streaming.wire.address import parse_http

# Timeout of a slow or silent client, and the number of simultaneous ones. One more replaces the oldest connection.
# A response takes milliseconds, so the oldest one belongs to a client that does not ask or does not read.
_CLIENT_TIMEOUT_S = 5.0
_MOST_CLIENTS = 16
_JSON = "application/json"


class HealthServer:
    """Serves on its own threads from construction until ``close``.

    Args:
        address: ``HOST:PORT``; an IPv6 host in brackets.
        handlers: Path -> handler of requests for it.
        insecure: Allow an address that other machines reach, although HTTP is unencrypted and has no authentication.

    Raises:
        MarEdgeError: the address is invalid, in use, or reachable from other machines.
    """

    def __init__(self, address: str, handlers: Mapping[str, HttpHandler], insecure: bool = False) -> None:
        endpoint, host, port = parse_http(address)
        if not endpoint.local and not insecure:
            raise MarEdgeError(
                f"--http {address} can be reached from other machines and is not encrypted; bind 127.0.0.1:PORT, or "
                "allow it with --insecure"
            )
        try:
            self._server = _Server((host, port), handlers, ipv6=endpoint.ipv6)
        except (OSError, UnicodeError) as error:  # a host name may be too long for the resolver's encoding
            reason = getattr(error, "strerror", None) or error
            raise MarEdgeError(f"cannot serve HTTP on {address}: {reason}; choose another --http") from None
        self.address = f"{address.rpartition(':')[0]}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def http_handlers(health: Health, metrics: Metrics) -> dict[str, HttpHandler]:
    """Return the handlers of health and metrics, by path."""
    return {
        "/live": lambda: _json(health.hung(), "hung"),
        "/ready": lambda: _json(sorted({*health.waiting(), *health.hung()}), "waiting"),
        "/metrics": metrics.exposition,
    }


def _json(streams: list[str], what: str) -> tuple[int, str, bytes]:
    return (503 if streams else 200), _JSON, msgspec.json.encode({"ok": not streams, what: streams})


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # connections that wait to be accepted; a client beyond it retries after a second

    def __init__(self, place: tuple[str, int], handlers: Mapping[str, HttpHandler], ipv6: bool) -> None:
        self.address_family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self.handlers = handlers
        self._lock = threading.Lock()
        self._clients: dict[int, socket.socket] = {}
        super().__init__(place, _Handler)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        assert isinstance(request, socket.socket)
        with self._lock:
            if len(self._clients) >= _MOST_CLIENTS:
                oldest = self._clients.pop(next(iter(self._clients)))
                with contextlib.suppress(OSError):  # disconnected meanwhile
                    oldest.shutdown(socket.SHUT_RDWR)  # wakes its thread, which closes it
            self._clients[id(request)] = request
        super().process_request(request, client_address)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._clients.pop(id(request), None)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect or do not speak HTTP."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout = _CLIENT_TIMEOUT_S

    def do_HEAD(self) -> None:
        """Respond as to GET, without the body."""
        self._respond(with_body=False)

    def do_GET(self) -> None:
        """Respond by path."""
        self._respond(with_body=True)

    def _respond(self, *, with_body: bool) -> None:
        handler = self.server.handlers.get(self.path.partition("?")[0])
        status, kind, body = (404, _JSON, b'{"ok":false}') if handler is None else handler()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: a line for each scrape would flood the log."""
