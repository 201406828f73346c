"""The wire with keys: authorized clients receive everything, others nothing."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import zmq
from streaming_fakes import polled, wait_until
from wire_messages import MESSAGES

from mar_edge import LabelSubscriber, SubscriberTimeout
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.keys import ClientKeys, KeyPair, ServerKeys, read_public_key, read_secret_key, write_keys
from mar_edge.streaming.wire.publish_socket import PublishSocket
from mar_edge.streaming.wire.publisher import Publisher

HELLO, LABEL, *_ = MESSAGES


@dataclass
class Place:
    """A sender's keys, and those of its clients by name; all are authorized at first."""

    folder: Path

    def server(self) -> ServerKeys:
        _, secret = write_keys(self.folder, "box")
        (self.folder / "clients").mkdir(exist_ok=True)
        return ServerKeys(read_secret_key(secret), self.folder / "clients")

    def client(self, name: str, known: bool = True) -> ClientKeys:
        public, secret = write_keys(self.folder, name)
        if known:
            shutil.copy(public, self.folder / "clients" / public.name)
        return ClientKeys(read_secret_key(secret), read_public_key(self.folder / "box.key"))

    def revoke(self, name: str) -> None:
        (self.folder / "clients" / f"{name}.key").unlink()


@pytest.fixture(autouse=True)
def _short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten intervals, so that changes of the client folder take effect at once."""
    monkeypatch.setattr("mar_edge.streaming.wire.publish_socket.CLIENTS_EVERY_S", 0.05)
    monkeypatch.setattr("mar_edge.streaming.wire.publish_socket.HANDSHAKE_MS", 1000)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def receives(
    publish_socket: PublishSocket, publisher: Publisher, subscriber: LabelSubscriber, for_s: float = 10.0
) -> bool:
    """Return whether a label that is sent repeatedly arrives."""
    deadline = time.monotonic() + for_s
    while time.monotonic() < deadline:
        publish_socket.poll()
        publisher.publish(LABEL)
        try:
            next(subscriber)
        except SubscriberTimeout:
            continue
        return True
    return False


def test_with_the_right_key_messages_arrive(place: Place) -> None:
    server, ann = place.server(), place.client("ann")
    with PublishSocket(("tcp://127.0.0.1:*",), server) as publish_socket:
        publisher = Publisher("cam", publish_socket)
        publisher.publish(HELLO)
        with LabelSubscriber(publish_socket.endpoints[0], keys=ann, timeout_s=10) as subscriber:
            # A poll reads connections before subscriptions, so the last one may have missed the connection.
            polled(publish_socket, lambda: publish_socket.subscriptions and publish_socket.subscribers == 1)
            assert next(subscriber).kind == "hello"


@pytest.mark.parametrize("which", ["none", "unknown", "of another sender"])
def test_without_the_right_key_nothing_arrives_and_other_subscribers_are_unaffected(place: Place, which: str) -> None:
    with PublishSocket(("tcp://127.0.0.1:*",), place.server()) as publish_socket:
        publisher = Publisher("cam", publish_socket)
        good = place.client("good")
        keys: ClientKeys | None = None
        if which == "unknown":
            keys = place.client("mallory", known=False)
        elif which == "of another sender":
            keys = ClientKeys(good.own, KeyPair(*zmq.curve_keypair()).public)
        with (
            LabelSubscriber(publish_socket.endpoints[0], keys=good, timeout_s=0.1) as welcome,
            LabelSubscriber(publish_socket.endpoints[0], keys=keys, timeout_s=0.1) as stranger,
        ):
            assert receives(publish_socket, publisher, welcome)
            assert not receives(publish_socket, publisher, stranger, for_s=1.0)
            assert receives(publish_socket, publisher, welcome)
            polled(publish_socket, lambda: publish_socket.refused)
            assert publish_socket.subscribers == 1


def test_a_revoked_client_receives_nothing_and_the_others_reconnect(place: Place) -> None:
    with PublishSocket(("tcp://127.0.0.1:*", "tcp://127.0.0.1:*"), place.server()) as publish_socket:
        publisher = Publisher("cam", publish_socket)
        with (
            LabelSubscriber(publish_socket.endpoints[0], keys=place.client("ann"), timeout_s=0.1) as ann,
            LabelSubscriber(publish_socket.endpoints[1], keys=place.client("bob"), timeout_s=0.1) as bob,
        ):
            assert receives(publish_socket, publisher, ann)
            assert receives(publish_socket, publisher, bob)
            place.revoke("ann")
            polled(publish_socket, lambda: publish_socket.clients == 1)
            while receives(publish_socket, publisher, ann, for_s=0.5):
                pass  # messages sent before
            assert not receives(publish_socket, publisher, ann, for_s=1.5)
            assert receives(publish_socket, publisher, bob)


def test_a_client_authorized_later_needs_no_restart(place: Place) -> None:
    with PublishSocket(("tcp://127.0.0.1:*",), place.server()) as publish_socket:
        publisher = Publisher("cam", publish_socket)
        keys = place.client("ann", known=False)
        with LabelSubscriber(publish_socket.endpoints[0], keys=keys, timeout_s=0.1) as subscriber:
            polled(publish_socket, lambda: publish_socket.refused)
            shutil.copy(place.folder / "ann.key", place.folder / "clients")
            assert receives(publish_socket, publisher, subscriber)


def test_other_machines_need_keys(place: Place) -> None:
    with pytest.raises(MarEdgeError, match="mar-edge keygen"):
        PublishSocket(("tcp://127.0.0.1:*", "tcp://0.0.0.0:*"))
    with PublishSocket(("tcp://0.0.0.0:*",), place.server()) as publish_socket:
        assert publish_socket.clients == 0


def test_several_addresses_including_ipv6(place: Place, tmp_path: Path) -> None:
    addresses = ("tcp://127.0.0.1:*", f"ipc://{tmp_path}/bus", "tcp://[::1]:*")
    if not socket.has_ipv6:
        addresses = addresses[:2]
    with PublishSocket(addresses) as publish_socket:
        publisher = Publisher("cam", publish_socket)
        for endpoint in publish_socket.endpoints:
            with LabelSubscriber(endpoint, timeout_s=0.1) as subscriber:
                assert receives(publish_socket, publisher, subscriber)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_capture_of_the_port_shows_labels_only_without_encryption(
    place: Place, tmp_path: Path, encrypted: bool
) -> None:
    keys = place.server() if encrypted else None
    with PublishSocket(("tcp://127.0.0.1:*",), keys) as publish_socket:
        publisher = Publisher("cam", publish_socket)
        port = publish_socket.endpoints[0].rpartition(":")[2]
        capture = tmp_path / "wire.pcap"
        command = ["tshark", "-i", "lo", "-f", f"tcp port {port}", "-w", str(capture)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tshark:
            try:
                assert tshark.stderr is not None
                first = next(line for line in tshark.stderr if "Capturing" in line or "permission" in line.lower())
                if "Capturing" not in first:
                    pytest.skip("may not capture here")
                client = place.client("ann") if encrypted else None
                wait_until(capture.exists)
                time.sleep(1.0)  # tshark reports that it captures before it does
                with LabelSubscriber(publish_socket.endpoints[0], keys=client, timeout_s=0.1) as subscriber:
                    assert receives(publish_socket, publisher, subscriber)
                wait_until(lambda: capture.stat().st_size > 500)
            finally:
                tshark.terminate()
        seen = capture.read_bytes()
        assert (b"nodding" in seen) == (not encrypted)
        assert (b"mar/cam/label/" in seen) == (not encrypted)
