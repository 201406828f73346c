"""Encrypted connections and logins, with a real server of each kind: what gets in, and what is said about the rest."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from brokers import Broker, event, mosquitto, nats_server, numbered, wait_until
from certificates import Authority, Signed
from http_receiver import http_receiver

from mar_edge.bridge.arrived import heads_of_nats
from mar_edge.bridge.bridge import Bridge
from mar_edge.bridge.journal import Journal
from mar_edge.bridge.selection import Selection
from mar_edge.bridge.sinks.choice import sink_of
from mar_edge.bridge.target import Target, Tls, parse_target
from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.backoff import Backoff

pytest.importorskip("nats", reason="nats-py is not installed")
pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")

ENCRYPTED = ("tls", "mqtts", "https")
LOGIN = "ann:p%40ss@"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def server_keys(authority: Authority) -> Signed:
    return authority.sign("server")


@contextmanager
def running(broker: Broker) -> Iterator[int]:
    broker.start()
    try:
        yield broker.port
    finally:
        broker.kill()


@contextmanager
def receiver(scheme: str, folder: Path, keys: Signed, clients: Path | None = None) -> Iterator[int]:
    """Run an encrypted server of ann's, with the password p@ss, and yield its port.

    Args:
        clients: authority whose certificate it asks clients for as well.
    """
    certificate, key = str(keys.certificate), str(keys.key)
    match scheme:
        case "tls":
            options = ["--tls", "--tlscert", certificate, "--tlskey", key, "--user", "ann", "--pass", "p@ss"]
            options += ["--tlsverify", "--tlscacert", str(clients)] if clients else []
            with running(nats_server(folder / "nats", *options)) as port:
                yield port
        case "mqtts":
            passwords = folder / "passwords"
            subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "ann", "p@ss"], check=True)
            lines = ["allow_anonymous false", f"password_file {passwords}"]
            lines += [f"certfile {certificate}", f"keyfile {key}"]
            lines += [f"cafile {clients}", "require_certificate true"] if clients else []
            if os.getuid() == 0:  # or else it becomes a user who may not read our files
                lines.append("user root")
            with running(mosquitto(folder, *lines)) as port:
                yield port
        case _:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            if clients:
                context.load_verify_locations(clients)
                context.verify_mode = ssl.CERT_REQUIRED
            with http_receiver(context) as server:
                server.login = "ann:p@ss"
                yield server.server_port


def send(target: Target, folder: Path) -> Bridge:
    """Run a bridge with three messages until they arrived, or the receiver did not take them."""
    with Journal(folder / "journal", 1 << 20) as journal:
        for seq in range(3):
            journal.add(numbered(event(seq), seq))
        with Bridge(Selection(), journal, sink_of(target), Backoff(first_s=60.0, most_s=60.0)) as bridge:
            wait_until(lambda: bridge.failure or not journal.waiting)
    return bridge


@pytest.mark.parametrize("scheme", ENCRYPTED)
def test_what_gets_in_and_what_a_user_reads_who_does_not(
    scheme: str, authority: Authority, stranger: Authority, server_keys: Signed, tmp_path: Path
) -> None:
    trusted = Tls(authority.certificate)
    with receiver(scheme, tmp_path, server_keys) as port:
        here = f"127.0.0.1:{port}"
        for url, tls, said in (
            (f"{scheme}://{LOGIN}{here}", Tls(stranger.certificate), "its certificate is not accepted: "),
            (f"{scheme}://{LOGIN}{here}", Tls(), "give its authority's certificate with --tls-ca"),
            (f"{scheme}://ann:secret@{here}", trusted, "check user and password in the URL"),
            (f"{scheme}://{here}", trusted, "the URL has no user and password"),
        ):
            failure = send(parse_target(url, "lab", tls), tmp_path).failure
            assert failure is not None
            assert said in failure
            assert here in failure
            assert "\n" not in failure
            assert "secret" not in failure
            assert "p@ss" not in failure
        target = parse_target(f"{scheme}://{LOGIN}{here}", "lab", trusted)
        assert send(target, tmp_path).sent == 3  # what waited in the journal
        if scheme == "tls":
            assert [head.seq for head in heads_of_nats(target, every_box=False)] == [0, 1, 2]


@pytest.mark.parametrize("scheme", ENCRYPTED)
def test_a_certificate_for_another_name_is_not_accepted(scheme: str, authority: Authority, tmp_path: Path) -> None:
    with receiver(scheme, tmp_path, authority.sign("elsewhere", "DNS:elsewhere")) as port:
        target = parse_target(f"{scheme}://{LOGIN}127.0.0.1:{port}", "lab", Tls(authority.certificate))
        assert "name it in the URL as its certificate does" in (send(target, tmp_path).failure or "")


@pytest.mark.parametrize("scheme", ENCRYPTED)
def test_a_receiver_may_ask_for_a_certificate_of_ours(
    scheme: str, authority: Authority, server_keys: Signed, tmp_path: Path
) -> None:
    own = authority.sign("box")
    with receiver(scheme, tmp_path, server_keys, clients=authority.certificate) as port:
        url = f"{scheme}://{LOGIN}127.0.0.1:{port}"
        assert send(parse_target(url, "lab", Tls(authority.certificate)), tmp_path).sent == 0
        with_own = Tls(authority.certificate, own.certificate, own.key)
        assert send(parse_target(url, "lab", with_own), tmp_path).sent == 3


def test_a_key_with_a_passphrase_is_an_error_and_no_question(authority: Authority, tmp_path: Path) -> None:
    own = authority.sign("locked")
    locked = tmp_path / "locked.key"
    command = ["openssl", "ec", "-aes128", "-passout", "pass:secret", "-in", own.key, "-out", locked]
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(MarEdgeError, match=r"locked\.key are no certificate and its key in PEM, without a passphrase"):
        Tls(authority.certificate, own.certificate, locked).context()


@pytest.mark.parametrize(
    ("encrypted", "plain", "said"),
    [("tls", "nats", "it is encrypted; use tls://"), ("mqtts", "mqtt", "if it is encrypted, use mqtts://")],
)
def test_a_url_that_is_not_encrypted_says_so(
    encrypted: str, plain: str, said: str, server_keys: Signed, tmp_path: Path
) -> None:
    with receiver(encrypted, tmp_path, server_keys) as port:
        failure = send(parse_target(f"{plain}://{LOGIN}127.0.0.1:{port}", "lab"), tmp_path).failure
    assert said in (failure or "")


def test_a_receiver_that_is_not_encrypted_says_so(tmp_path: Path) -> None:
    with http_receiver() as server:
        failure = send(parse_target(f"https://127.0.0.1:{server.server_port}", "lab"), tmp_path).failure
    assert "it is not encrypted; use http://" in (failure or "")


def test_a_token_of_nats(tmp_path: Path) -> None:
    with running(nats_server(tmp_path / "nats", "--auth", "t/k?n")) as port:
        wrong = send(parse_target(f"nats://token@127.0.0.1:{port}", "lab"), tmp_path)
        assert "Authorization Violation" in (wrong.failure or "")
        assert send(parse_target(f"nats://t%2Fk%3Fn@127.0.0.1:{port}", "lab"), tmp_path).sent == 3


def test_credentials_of_nats(tmp_path: Path) -> None:
    pytest.importorskip("nkeys", reason="nkeys is not installed")
    from nats_accounts import Accounts

    ours, theirs = Accounts(), Accounts()
    ours.write_user(tmp_path / "ann.creds")
    theirs.write_user(tmp_path / "eve.creds")
    config = tmp_path / "nats.conf"
    config.write_text(ours.config)
    with running(nats_server(tmp_path / "nats", "-c", str(config))) as port:
        url = f"nats://127.0.0.1:{port}"
        wrong = send(parse_target(url, "lab", credentials=tmp_path / "eve.creds"), tmp_path)
        assert f"check {tmp_path / 'eve.creds'}" in (wrong.failure or "")
        assert send(parse_target(url, "lab", credentials=tmp_path / "ann.creds"), tmp_path).sent == 3
