"""Corrections and videos over real sockets: what is saved, and what is refused."""

from __future__ import annotations

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

pytest.importorskip("starlette")
from browser import review_of
from view_messages import BOWING, Stream

from mar_edge.streaming.recording.corrections import COLUMNS, read_corrections
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.streaming.wire.encoding import encode
from mar_edge.view import corrections
from mar_edge.view.annotations.formats import format_of
from mar_edge.view.annotations.reading import read_annotations

NOD = {"status": "confirmed", "label": "nodding", "person": 0, "start_s": 1.0, "end_s": 2.0}


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    cam = Stream()
    messages = [
        cam.hello(),
        *(cam.skeleton(tenth / 10) for tenth in range(80)),
        cam.event(2.5, 1, 1.0, 2.0),
        cam.event(5.5, 2, 4.0, 5.0, BOWING),
        cam.end(8.0),
    ]
    (tmp_path / "p01.mp4").write_bytes(bytes(range(256)) * 40)
    path = tmp_path / "p01.jsonl"
    path.write_bytes(b"".join(encode(message) + b"\n" for message in messages))
    return path


@pytest.fixture
def page(recording: Path) -> Iterator[Page]:
    with review_of([recording]) as url:
        yield Page(url)


class Page:
    """Requests as the page sends them."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.url}{path}", body, named)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, dict(answer.headers.items()), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers.items()), error.read()

    def state(self, coder: str = "Anna") -> dict[str, Any]:
        status, _, body = self.ask(f"/recordings/0/corrections?coder={quote(coder)}")
        assert status == 200, body
        return json.loads(body)

    def post(self, change: object, **headers: str) -> tuple[int, Any]:
        asked = {"Origin": self.url, "Content_Type": "application/json"} | headers
        body = change if isinstance(change, bytes) else json.dumps(change).encode()
        status, _, answer = self.ask("/recordings/0/corrections", body, **asked)
        return status, json.loads(answer) if status == 200 else answer.decode()

    def decide(self, event_id: int | None, decision: object, coder: str = "Anna", **more: object) -> tuple[int, Any]:
        version = self.state(coder)["version"]
        return self.post({"coder": coder, "version": version, "event_id": event_id, "decision": decision} | more)


def test_each_decision_is_in_the_file_when_it_is_answered(page: Page, recording: Path) -> None:
    file = recording.parent / "corrections.csv"
    assert page.decide(1, NOD)[0] == 200
    moved = NOD | {"status": "changed", "label": "bowing head", "start_s": 4.1004, "end_s": 5.0}
    assert page.decide(2, moved)[0] == 200
    status, state = page.decide(-1, NOD | {"status": "added", "start_s": 6.0, "end_s": 6.5})
    assert status == 200
    assert page.decide(None, None, reviewed=[[0, 6.5]])[0] == 200
    rows = read_corrections(file)
    assert [(row.event_id, row.status, row.start_s, row.machine_label, row.machine_start_s) for row in rows] == [
        (1, "confirmed", 1.0, "nodding", 1.0),
        (2, "changed", 4.1, "bowing head", 4.0),
        (-1, "added", 6.0, "", None),
        (None, "reviewed", 0.0, "", None),
    ]
    assert {(row.recording, row.stream, row.run, row.coder) for row in rows} == {("p01.jsonl", "cam", "a" * 32, "Anna")}
    # Another decision on the same event replaces the first, and none takes it back.
    assert page.decide(1, NOD | {"status": "rejected"})[0] == 200
    assert page.decide(-1, None)[0] == 200
    status, state = page.decide(None, None, reviewed=[[0, 8.0]])
    assert [(event["event_id"], event["status"]) for event in state["events"]] == [(2, "changed"), (1, "rejected")]
    assert (state["reviewed"], state["coders"], state["locked"]) == ([[0.0, 8.0]], ["Anna"], "")
    assert len(read_corrections(file)) == 3
    # Back to what the model said is no change.
    _, state = page.decide(2, moved | {"start_s": 4.0})
    assert {event["event_id"]: event["status"] for event in state["events"]}[2] == "confirmed"


def test_coders_do_not_see_or_change_each_others_decisions(page: Page, recording: Path) -> None:
    page.decide(1, NOD)
    version = page.state("Ben")["version"]
    assert page.state("Ben")["events"] == []
    page.decide(1, NOD | {"status": "rejected"}, "Ben")
    assert page.state("Anna")["events"][0]["status"] == "confirmed"
    assert page.state("Ben")["events"][0]["status"] == "rejected"
    assert page.state("Ben")["version"] != version
    assert page.state("")["coders"] == ["Anna", "Ben"]
    (timeline,) = read_timelines([recording])
    for coder, count in (("", 2), ("Anna", 2), ("Ben", 1), ("Carl", 2)):
        status, _, body = page.ask(f"/recordings/0/events.csv?coder={coder}")
        assert (status, len(body.splitlines()) - 1) == (200, count)
    assert page.ask("/recordings/0/events.csv")[2] == format_of(".csv").write([timeline], None)
    assert b"bowing" in page.ask("/recordings/0/events.eaf?coder=Ben")[2]


def test_a_change_of_an_older_state_is_refused(page: Page, recording: Path) -> None:
    version = page.state()["version"]
    assert page.decide(1, NOD)[0] == 200
    before = (recording.parent / "corrections.csv").read_bytes()
    status, why = page.post({"coder": "Anna", "version": version, "event_id": 2, "decision": None})
    assert (status, "was changed elsewhere" in why) == (409, True)
    assert (recording.parent / "corrections.csv").read_bytes() == before


def test_of_many_changes_at_once_exactly_those_that_were_answered_are_saved(page: Page, recording: Path) -> None:
    saved: list[str] = []

    def change(coder: str) -> None:
        for _ in range(5):
            status, _ = page.decide(1, NOD, coder)
            if status == 200:
                saved.append(coder)

    threads = [threading.Thread(target=change, args=(f"coder-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(saved) == 20
    assert {row.coder for row in read_corrections(recording.parent / "corrections.csv")} == set(saved)


def test_what_does_not_fit_the_recording_is_refused(page: Page, recording: Path) -> None:
    for event_id, decision, expected in (
        (7, NOD, "no event 7"),
        (-1, NOD, "no event -1"),
        (1, NOD | {"status": "added"}, "no event 1"),
        (1, NOD | {"label": "flying"}, "no action 'flying'"),
        (1, NOD | {"person": 4}, "person 4"),
        (1, NOD | {"start_s": 3.0}, "start_s before end_s"),
        (1, NOD | {"start_s": -1e300}, "start_s before end_s"),
        (1, NOD | {"status": "eaten"}, "Invalid enum value 'eaten'"),
        (1, NOD | {"more": 1}, "unknown field `more`"),
        (None, None, "about an event"),
    ):
        status, why = page.decide(event_id, decision)
        assert (status, expected in why) == (400, True), why
    assert page.decide(1, NOD, "A" * 101)[0] == 400
    assert "one line" in page.decide(1, NOD, "A\tB")[1]
    assert page.post(b"{")[0] == page.post(b"\xff")[0] == page.post(b"[" * 100_000)[0] == 400
    assert page.post(b'{"coder": "A", "version": "", "event_id": NaN}')[0] == 400
    assert "at most" in page.post(b" " * 1_000_001)[1]
    assert not (recording.parent / "corrections.csv").exists()


def test_requests_of_other_sites_change_nothing(page: Page, recording: Path) -> None:
    change = {"coder": "Anna", "version": page.state()["version"], "event_id": 1, "decision": NOD}
    body = json.dumps(change).encode()
    for headers in (
        {"Origin": "http://evil.example", "Content_Type": "application/json"},
        {"Origin": "null", "Content_Type": "application/json"},
        {"Origin": page.url, "Content_Type": "text/plain"},
        {"Content_Type": "application/json"},
    ):
        assert page.ask("/recordings/0/corrections", body, **headers)[0] == 403
    assert page.ask("/recordings/0/corrections", body, Origin=page.url, Host="evil.example")[0] == 403
    assert not (recording.parent / "corrections.csv").exists()
    assert page.post(change)[0] == 200


def test_a_folder_that_cannot_be_written_is_said(page: Page, recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "is read-only" in page.state()["locked"]
    monkeypatch.undo()
    version = page.state()["version"]
    (recording.parent / "corrections.csv").mkdir()
    status, why = page.post({"coder": "Anna", "version": version, "event_id": 1, "decision": NOD})
    assert (status, "corrections.csv" in why) == (400, True)


def test_a_damaged_file_of_corrections_is_said_and_kept(page: Page, recording: Path) -> None:
    file = recording.parent / "corrections.csv"
    file.write_text(",".join(COLUMNS) + "\nnonsense\n")
    assert "line 2" in page.ask("/recordings/0/corrections?coder=Anna")[2].decode()
    assert page.post({"coder": "Anna", "version": "", "event_id": 1, "decision": NOD})[0] == 400
    assert "nonsense" in file.read_text()
    assert page.ask("/recordings/0/events.csv")[0] == 200


def test_a_video_is_served_in_ranges_and_stays_out_of_caches(page: Page, recording: Path) -> None:
    content = (recording.parent / "p01.mp4").read_bytes()
    status, headers, body = page.ask("/recordings/0/video")
    assert (status, headers["content-type"], headers["cache-control"], body) == (200, "video/mp4", "no-store", content)
    assert headers["cross-origin-resource-policy"] == "same-origin"
    status, headers, body = page.ask("/recordings/0/video", Range="bytes=1000-1999")
    assert (status, headers["content-range"], body) == (206, "bytes 1000-1999/10240", content[1000:2000])
    assert page.ask("/recordings/0/video", Range="bytes=20000-")[0] == 416
    for path in ("1/video", "0/video/../../p01.jsonl", "..%2f..%2fp01.jsonl", "0/video/p01.jsonl", "-1/video"):
        assert page.ask(f"/recordings/{path}")[0] == 404
    assert page.ask("/recordings/0/video", Host="evil.example")[0] == 403
    (recording.parent / "p01.mp4").unlink()
    assert page.ask("/recordings/0/video")[0] == 404


@pytest.mark.parametrize("suffix", [".eaf", ".boris", ".csv"])
def test_exports_hold_a_label_that_a_spreadsheet_brought(page: Page, recording: Path, suffix: str) -> None:
    assert page.decide(1, NOD | {"status": "changed", "end_s": 2.2})[0] == 200
    file = recording.parent / "corrections.csv"
    file.write_text(file.read_text().replace(",changed,nodding,", ",changed,humming,"))
    status, _, exported = page.ask(f"/recordings/0/events{suffix}?coder=Anna")
    assert status == 200
    (tmp := recording.with_suffix(suffix)).write_bytes(exported)
    (timeline,) = read_annotations([tmp]).timelines
    assert [event.label.name for event in timeline.events] == ["humming", "bowing head"]


def test_two_processes_lose_no_decision_of_each_other(
    page: Page, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fcntl")
    # Threads of one process take turns by another lock, which two processes do not share.
    monkeypatch.setattr(corrections, "_ONE_AT_A_TIME", nullcontext())

    def decide(coder: str) -> list[int]:
        return [page.decide(-number, NOD | {"status": "added"}, coder)[0] for number in range(1, 11)]

    coders = ("Anna", "Ben", "Cleo")
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(decide, coders)) == [[200] * 10] * 3
    rows = read_corrections(recording.parent / "corrections.csv")
    assert {(row.coder, row.event_id) for row in rows} == {(coder, -n) for coder in coders for n in range(1, 11)}
