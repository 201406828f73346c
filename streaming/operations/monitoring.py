"""What an operator sees of the process: health and metrics over HTTP, and systemd's notifications.

All of it is read off the messages that are sent (``on_message``), so that what is reported is what subscribers get.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mar_edge.streaming.observer import StreamObserver
from mar_edge.streaming.operations.health import Health
from mar_edge.streaming.wire.messages import AnyMessage


class Systemd:
    """systemd's notification socket; does nothing where there is none. See sd_notify(3)."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        environment = dict(os.environ) if environment is None else environment
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watched = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environment.get("WATCHDOG_USEC", "0") if watched else "0"
        # Twice within the time that systemd waits, as its manual advises.
        self._every_s = int(microseconds) / 2e6 if microseconds.isdigit() else 0.0
        self._due_s = 0.0

    def notify(self, *lines: str) -> None:
        """Tell systemd, if it listens."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            try:
                channel.sendto("\n".join(lines).encode(), self._address)
            except OSError:
                return  # systemd restarts, or is gone: nobody to tell

    def watchdog(self, now_s: float) -> None:
        """Say that the process lives, as often as systemd wants to hear it."""
        if self._every_s and now_s >= self._due_s:
            self._due_s = now_s + self._every_s
            self.notify("WATCHDOG=1")


class Monitoring:
    """Health, metrics and systemd together. A context manager.

    Args:
        http: ``HOST:PORT`` to serve health and metrics on; None for nowhere.
        streams: names of the streams.
        insecure: allow an HTTP address that other machines reach.
        observer: answers over HTTP itself where ``http`` is its own address.

    Raises:
        MarEdgeError: the HTTP address is none, is taken, or can be reached from outside.
    """

    def __init__(
        self, http: str | None, streams: Sequence[str], insecure: bool = False, observer: StreamObserver | None = None
    ) -> None:
        self.health = Health(streams)
        self._systemd = Systemd()
        self._web = None
        self._metrics = None
        if http is not None:
            from mar_edge.streaming.operations.health_server import HealthServer, http_handlers
            from mar_edge.streaming.operations.metrics import Metrics

            self._metrics = Metrics(self.health)
            handlers = http_handlers(self.health, self._metrics)
            if observer is None or not observer.serves_http(http, handlers):
                self._web = HealthServer(http, handlers, insecure)

    @property
    def http(self) -> str | None:
        """Where HTTP is served; says the port where any was asked for."""
        return None if self._web is None else self._web.address

    def on_message(self, message: AnyMessage) -> None:
        """Take note of a message that was sent."""
        self.health.on_message(message)
        if self._metrics is not None:
            self._metrics.on_message(message)

    def ready(self) -> None:
        """The streams run."""
        self.health.run()
        self._systemd.notify("READY=1")

    def attend(self) -> None:
        """Let systemd know that we live, if every stream does."""
        if not self.health.hung():
            self._systemd.watchdog(time.monotonic())

    def stopping(self) -> None:
        """The streams have ended."""
        self._systemd.notify("STOPPING=1")

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """While the configuration is read again."""
        self._systemd.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            yield
        finally:
            self._systemd.notify("READY=1")

    def __enter__(self) -> Monitoring:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._web is not None:
            self._web.close()
