"""Monitoring of the process: health and metrics over HTTP, and systemd's notifications.

All of it comes from the messages that are sent (``on_message``), so it reports what subscribers receive.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mar_edge.streaming.observer import StreamObserver
from mar_edge.streaming.operations.health import Health
from mar_edge.streaming.operations.systemd import Systemd
from mar_edge.streaming.wire.messages import AnyMessage


class Monitoring:
    """Health, metrics and systemd together. A context manager.

    Args:
        http: ``HOST:PORT`` of health and metrics; None serves none.
        streams: Names of the streams.
        insecure: Allow an HTTP address that other machines reach.
        observer: Serves health and metrics itself if ``http`` is its own address.

    Raises:
        MarEdgeError: the HTTP address is invalid, in use, or reachable from other machines.
    """

    def __init__(
        self, http: str | None, streams: Sequence[str], insecure: bool = False, observer: StreamObserver | None = None
    ) -> None:
        self.health = Health(streams)
        self._systemd = Systemd()
        self._server = None
        self._metrics = None
        if http is not None:
            from mar_edge.streaming.operations.health_server import HealthServer, http_handlers
            from mar_edge.streaming.operations.metrics import Metrics

            self._metrics = Metrics(self.health)
            handlers = http_handlers(self.health, self._metrics)
            if observer is None or not observer.serves_http(http, handlers):
                self._server = HealthServer(http, handlers, insecure)

    @property
    def http(self) -> str | None:
        """Address of HTTP, with the port that was bound; None if this serves none."""
        return None if self._server is None else self._server.address

    def on_message(self, message: AnyMessage) -> None:
        """Take a message that was sent."""
        self.health.on_message(message)
        if self._metrics is not None:
            self._metrics.on_message(message)

    def ready(self) -> None:
        """Report that the streams have started."""
        self.health.start()
        self._systemd.notify("READY=1")

    def ping_watchdog(self) -> None:
        """Report to systemd that the process is alive, unless a stream hangs."""
        if not self.health.hung():
            self._systemd.ping_watchdog(time.monotonic())

    def stopping(self) -> None:
        """Report that the streams have ended."""
        self._systemd.notify("STOPPING=1")

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Report a reload of the configuration while the context lasts."""
        self._systemd.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            yield
        finally:
            self._systemd.notify("READY=1")

    def __enter__(self) -> Monitoring:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._server is not None:
            self._server.close()
