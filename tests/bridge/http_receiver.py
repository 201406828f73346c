"""A real HTTP server that takes webhooks."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


class Receiver(HTTPServer):
    """Answers with ``answers`` one after the other, then with 204. Keeps headers and bodies.

    login: user and password that it asks for, with a colon between them; None lets everybody in.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.hangs_up = False
        self.login: str | None = None
        self.requests: list[tuple[dict[str, str], bytes]] = []
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: a client that does not trust us ends the handshake."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        login = self.server.login
        if login is not None and self.headers["Authorization"] != "Basic " + base64.b64encode(login.encode()).decode():
            answer = 401
        else:
            self.server.requests.append((dict(self.headers.items()), body))
            answer = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(answer)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = self.server.hangs_up  # without a word about it

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def http_receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    server = Receiver(tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
