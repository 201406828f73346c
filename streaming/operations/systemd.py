"""Notifications to systemd: ready, watchdog, reloading, stopping. See sd_notify(3)."""

from __future__ import annotations

import os
import socket


class Systemd:
    """The notification socket of systemd. Does nothing where there is none.

    Args:
        environment: Environment variables; None for those of this process.
    """

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        environment = dict(os.environ) if environment is None else environment
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watched = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environment.get("WATCHDOG_USEC", "0") if watched else "0"
        # Twice in the time that systemd waits, as its manual recommends.
        self._period_s = int(microseconds) / 2e6 if microseconds.isdigit() else 0.0
        self._due_s = 0.0

    def notify(self, *lines: str) -> None:
        """Send lines to systemd, if it listens."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            try:
                channel.sendto("\n".join(lines).encode(), self._address)
            except OSError:
                return  # systemd restarts, or is gone

    def ping_watchdog(self, now_s: float) -> None:
        """Report that the process is alive, as often as systemd expects it."""
        if self._period_s and now_s >= self._due_s:
            self._due_s = now_s + self._period_s
            self.notify("WATCHDOG=1")
