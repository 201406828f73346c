"""Real brokers on free ports, a sender on this machine, and messages by the hundred."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from wire_messages import MESSAGES

from mar_edge.streaming.wire.messages import AnyMessage, EndMessage, EventMessage
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

HELLO, LABEL, EVENT, *_, STATUS, END = MESSAGES


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], object], most_s: float = 60.0) -> None:
    until_s = time.monotonic() + most_s
    while not condition():
        assert time.monotonic() < until_s, "waited in vain"
        time.sleep(0.01)


class Broker:
    """A server in a process of its own, which can be killed and started again with what it stored."""

    def __init__(self, command: list[str], port: int) -> None:
        if shutil.which(command[0]) is None and not Path(command[0]).exists():
            pytest.skip(f"{command[0]} is not installed: apt-get install {Path(command[0]).name}")
        self.port = port
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{self._command[0]} ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


def nats_server(folder: Path, *options: str, jetstream: bool = True) -> Broker:
    port = free_port()
    store = ["-js", "-sd", str(folder)] if jetstream else []
    return Broker(["nats-server", "-a", "127.0.0.1", "-p", str(port), *store, *options], port)


def mosquitto(folder: Path, *lines: str) -> Broker:
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text("\n".join([f"listener {port} 127.0.0.1", *(lines or ["allow_anonymous true"]), ""]))
    return Broker([shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", str(config)], port)


class Box:
    """A sender on this machine that can send many events."""

    def __init__(self, publish_socket: PublishSocket, stream: str = "cam") -> None:
        self.publisher = Publisher(stream, publish_socket)
        self.address = publish_socket.endpoints[0]
        self._socket = publish_socket

    def wait_for_subscribers(self, count: int) -> None:
        wait_until(lambda: self._socket.subscribers == count)

    def send_events(self, count: int) -> None:
        """Send events with a status after every tenth: numbers of kinds and of all differ."""
        for number in range(count):
            self.publisher.publish(event(number))
            if number % 10 == 9:
                self.publisher.publish(STATUS)

    def end(self) -> None:
        end = msgspec.structs.replace(END, sent=dict(self.publisher.sent), last_seq=self.publisher.next_seq)
        assert isinstance(end, EndMessage)
        self.publisher.publish(end)


@contextmanager
def box(stream: str = "cam") -> Iterator[Box]:
    stop = threading.Event()
    with PublishSocket(("tcp://127.0.0.1:*",)) as publish_socket:

        def attend() -> None:
            while not stop.wait(0.005):
                publish_socket.poll()

        thread = threading.Thread(target=attend)
        thread.start()
        sender = Box(publish_socket, stream)
        try:
            yield sender
        finally:
            stop.set()
            thread.join()


def event(number: int, **fields: object) -> EventMessage:
    assert isinstance(EVENT, EventMessage)
    return msgspec.structs.replace(EVENT, event_id=number, **fields)


def numbered(message: AnyMessage, seq: int, run: str = "r", stream: str = "cam") -> AnyMessage:
    return msgspec.structs.replace(message, stream=stream, run=run, seq=seq, kind_seq=seq)
