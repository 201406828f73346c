"""A network camera, MJPEG over HTTP, that can be killed, stall, and send garbage."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading

import cv2
from streaming_fakes import numbered_image

_HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n"


class MjpegCamera:
    """Serves numbered pictures at ``fps`` to every client until it is killed. A context manager.

    Args:
        port: 0 for any free one; the same one again for a camera that returns.
        garbage: Bytes sent instead of every tenth picture.
        fps: Pictures per second.
        scale: Size of the pictures; may change while they are sent. So may ``gray``.
    """

    def __init__(self, port: int = 0, fps: float = 60.0, garbage: bytes = b"", scale: int = 1) -> None:
        self.stalled = threading.Event()
        self._server = socket.create_server(("127.0.0.1", port))
        self.port = int(self._server.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/cam"
        self._period_s, self._garbage = 1.0 / fps, garbage
        self.scale, self.gray = scale, False
        self._clients: list[socket.socket] = []
        self._killed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def kill(self) -> None:
        """Cut every connection and stop listening."""
        self._killed.set()
        for each in (self._server, *self._clients):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._clients.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            client.recv(4096)
            client.sendall(_HEAD)
            for number in itertools.count():
                while self.stalled.is_set() and not self._killed.wait(0.01):
                    pass
                if self._garbage and number % 10 == 9:
                    picture = self._garbage
                else:
                    image = numbered_image(number % 4096)
                    k = self.scale
                    image = cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_NEAREST)
                    image = image[:, :, 0] if self.gray else image
                    picture = cv2.imencode(".jpg", image)[1].tobytes()
                head = b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
                client.sendall(head + picture + b"\r\n")
                if self._killed.wait(self._period_s):
                    return

    def __enter__(self) -> MjpegCamera:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.kill()
