"""Webhooks to a real HTTP server and real programs: signatures, failures, refusals, retries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import event, numbered, wait_until
from http_receiver import Receiver, http_receiver

from mar_edge.bridge.bridge import Bridge
from mar_edge.bridge.journal import Journal
from mar_edge.bridge.selection import Selection
from mar_edge.bridge.sinks.base import Sink, Unavailable
from mar_edge.bridge.sinks.choice import sink_of
from mar_edge.bridge.sinks.program import ProgramSink
from mar_edge.bridge.target import parse_target
from mar_edge.streaming.capture.backoff import Backoff

KEY = b"a key of the test"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as server:
        yield server


def sent_through(sink: Sink, folder: Path, count: int) -> Bridge:
    with Journal(folder / "journal", 1 << 20) as journal:
        for seq in range(count):
            journal.add(numbered(event(seq), seq))
        with Bridge(Selection(), journal, sink, Backoff(first_s=0.01, most_s=0.02)) as running:
            running.drain(lambda: False)
    return running


def test_a_webhook_is_signed_and_retried_until_it_is_taken(receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [503, 404, 302, 204, 429]
    url = f"http://ann:p%40ss@127.0.0.1:{receiver.server_port}/hook?room=1"
    running = sent_through(sink_of(parse_target(url, secret=SECRET)), tmp_path, 3)
    assert (running.sent, running.refused, running.failure) == (3, 0, None)
    assert [json.loads(body)["seq"] for _, body in receiver.requests] == [0, 0, 0, 0, 1, 1, 2]
    for headers, body in receiver.requests:
        seq = json.loads(body)["seq"]
        assert headers["webhook-id"] == headers["Idempotency-Key"] == f"cam/r/{seq}"
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        digest = hmac.new(KEY, signed, hashlib.sha256).digest()
        assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
        assert headers["Authorization"] == "Basic " + base64.b64encode(b"ann:p@ss").decode()


def test_a_message_that_the_receiver_refuses_does_not_hold_up_the_others(receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [204, 422]
    running = sent_through(sink_of(parse_target(f"http://127.0.0.1:{receiver.server_port}")), tmp_path, 4)
    assert (running.sent, running.refused) == (3, 1)
    assert [json.loads(body)["seq"] for _, body in receiver.requests] == [0, 1, 2, 3]
    assert "webhook-signature" not in receiver.requests[0][0]


def test_a_server_that_closes_its_connections_is_no_failure(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.hangs_up = True
    running = sent_through(sink_of(parse_target(f"http://127.0.0.1:{receiver.server_port}")), tmp_path, 5)
    assert running.sent == 5
    assert "wait in the journal" not in caplog.text


def script(folder: Path, text: str) -> str:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return f"exec:{path} 'two words' $HOME"


def test_a_program_gets_each_message_and_is_tried_again_when_it_fails(tmp_path: Path) -> None:
    to = script(
        tmp_path,
        f'cd {tmp_path}; cat > last; printf "%s|" "$@" > words\n'
        "[ -e tried ] || { touch tried; exit 3; }\n"
        'case "$(cat last)" in *\'"event_id":1,\'*) exit 65;; esac\n'
        "cat last >> arrived",
    )
    running = sent_through(sink_of(parse_target(to)), tmp_path, 3)
    assert (running.sent, running.refused, running.failure) == (2, 1, None)
    assert [json.loads(line)["seq"] for line in (tmp_path / "arrived").read_text().splitlines()] == [0, 2]
    assert (tmp_path / "words").read_text() == "two words|$HOME|"  # no shell


def test_a_program_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    sink = ProgramSink(parse_target(script(tmp_path, f"sleep 1000 & echo $! > {tmp_path}/child; wait")), timeout_s=0.5)
    with Journal(tmp_path / "journal", 1 << 20) as journal:
        journal.add(numbered(event(0), 0))
        with pytest.raises(Unavailable, match=r"did not end within 0\.5 s"):
            sink.send(journal.oldest(1, 0.0))
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: not runs(child))


def runs(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"


def test_an_unread_message_is_no_error(tmp_path: Path) -> None:
    assert sent_through(sink_of(parse_target("exec:true")), tmp_path, 20).sent == 20
