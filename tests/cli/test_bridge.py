"""``bridge`` and ``audit`` as a user runs them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from brokers import EVENT, HELLO, STATUS, box, event, numbered

from mar_edge.streaming.wire.encoding import encode


def test_audit_reads_what_subscribe_printed(here, user_error, tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    lines = [encode(numbered(event(number), number)) for number in (0, 1, 4, 4)]
    path.write_bytes(b"\n".join([*lines, encode(numbered(STATUS, 0)), b'{"schema":1,"ki']))
    done = here("audit", path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "missing: cam, run r: 2 event messages, kind_seq 2 to 3, seq between 1 and 4",
        "doubled: cam, run r: 1 copies, the first of seq 4",
        "messages 5, runs 1, missing 2, doubled 1",
    ]
    path.write_bytes(b"\n".join(encode(numbered(EVENT, number)) for number in range(3)))
    done = here("audit", path)
    assert (done.returncode, done.stdout) == (0, "messages 3, runs 1, missing 0, doubled 0\n")
    path.write_text("what is this\n")
    assert "line 1: not a message" in user_error("audit", path)
    assert "cannot read" in user_error("audit", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--to", "gopher://x"), "not an address of a receiver"),
        (("--to", "nats://user:hidden@"), "not an address of a receiver"),
        (("--to", "exec:"), "not an address of a receiver"),
        (("--to", "exec:no-such-program"), "no such program"),
        (("--to", "nats://127.0.0.1:99999"), "not an address of a receiver"),
        (("--to", "nats://127.0.0.1", "--box", "a.b"), "not a valid name of a box"),
        (("--to", "tls://127.0.0.1", "--tls-ca", "nowhere.pem"), "--tls-ca: nowhere.pem holds no certificates"),
        (
            ("--to", "tls://127.0.0.1", "--tls-cert", "a.pem", "--tls-key", "b.pem"),
            "a.pem and b.pem are no certificate",
        ),
        (("--to", "tls://127.0.0.1", "--tls-cert", "nowhere.pem"), "go together"),
        (("--to", "nats://127.0.0.1", "--tls-ca", "ca.pem"), "used by https:, mqtts:, tls: only, not by nats:"),
        (("--to", "mqtt://127.0.0.1", "--credentials", "a.creds"), "used by nats:, tls: only, not by mqtt:"),
        (("--to", "nats://127.0.0.1", "--credentials", "nowhere.creds"), "cannot read nowhere.creds"),
        (("--to", "nats://127.0.0.1", "--score", "2"), "0 to 1"),
        (("--to", "nats://127.0.0.1", "--journal-mb", "0"), "at least 1"),
        (("--to", "https://127.0.0.1", "--secret", "whsec_?"), "base64"),
    ],
)
def test_mistakes_are_one_line(user_error, tmp_path, monkeypatch, arguments, why):
    monkeypatch.chdir(tmp_path)
    said = user_error("bridge", *arguments)
    assert why in said
    assert "hidden" not in said
    assert not list(tmp_path.iterdir())


def start(address: str, folder: Path, to: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mar_edge", "bridge", "--connect", address, "--to", to, *options]
    return subprocess.Popen(
        [*command, "--journal", str(folder / "journal")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_it_reports_when_asked_and_ends_in_order(tmp_path: Path) -> None:
    arrived = tmp_path / "arrived"
    with box() as sender:
        running = start(sender.address, tmp_path, f"exec:tee -a {arrived}", "--kind", "event", "--label", "no such")
        try:
            sender.wait_for_subscribers(1)
            sender.publisher.publish(HELLO)
            sender.publisher.publish(EVENT)
            assert running.stderr is not None
            running.send_signal(signal.SIGUSR1)
            lines = [json.loads(running.stderr.readline())["message"]]
            assert lines[0].startswith("received 0; behind 0 messages")
            running.send_signal(signal.SIGTERM)
            _, said = running.communicate(timeout=30)
            assert running.returncode == 0, said
            assert said.splitlines()[-1].startswith("terminated; received 0; behind 0 messages, 0 s; sent 0; dropped 0")
        finally:
            running.kill()
    assert not arrived.exists()
