"""The page over real sockets: what is served, what is refused, and that slow clients do not delay others."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("starlette")
from view_messages import Stream
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.view.app import STATIC, page_app
from mar_edge.view.feed import Feed
from mar_edge.view.server import PageServer

TOKEN = "0123456789abcdef-token"
LIVE = {"/live": lambda: (503, "application/json", b'{"ok":false}')}


@contextmanager
def served(feed: Feed, token: str | None = None) -> Iterator[str]:
    """Serve the page and yield its address, such as ``127.0.0.1:4711``."""
    with PageServer("127.0.0.1:*", token, lambda access: page_app(access, feed, lambda: LIVE)) as server:
        yield server.url.split("/")[2]


@pytest.fixture(scope="module")
def feed() -> Feed:
    return Feed()


@pytest.fixture(scope="module")
def place(feed: Feed) -> Iterator[str]:
    with served(feed) as address:
        yield address


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def get(place: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(f"http://{place}{path}", headers=headers)
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=20) as answer:
            return answer.status, dict(answer.headers.items()), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers.items()), error.read()


def test_the_page_is_served_and_may_load_nothing_from_other_hosts(place: str) -> None:
    status, headers, body = get(place, "/")
    assert (status, b"<title>mar-edge</title>" in body) == (200, True)
    policy = headers["content-security-policy"]
    assert policy.startswith(f"default-src 'self'; connect-src 'self' ws://{place} wss://{place};")
    assert "unsafe" not in policy
    assert headers["referrer-policy"] == "no-referrer"
    for file in sorted(STATIC.iterdir()):
        status, headers, body = get(place, f"/static/{file.name}")
        assert (status, body) == (200, file.read_bytes())
        assert "javascript" in headers["content-type"] or file.suffix != ".js"
        hosts = set(re.findall(rb"https?://[\w.-]+", body)) - {b"http://www.w3.org"}  # XML namespaces
        assert not hosts, file.name
    assert json.loads(get(place, "/layouts/ma52")[2])["name"] == "ma52"
    assert get(place, "/layouts/nowhere")[0] == get(place, "/nothing")[0] == 404
    assert get(place, "/static/../app.py")[0] == get(place, "/static/%2e%2e/app.py")[0] == 404


def test_health_is_served_next_to_the_page(place: str) -> None:
    assert get(place, "/live")[::2] == (503, b'{"ok":false}')


def test_other_names_and_origins_are_refused(place: str) -> None:
    assert get(place, "/", Host="evil.example")[0] == 403
    assert get(place, "/setup", Origin="http://evil.example")[0] == 403
    assert get(place, "/setup", Origin=f"http://{place}")[0] == 200
    host, port = place.split(":")
    for name, origin in ((host, "http://evil.example"), ("evil.example", f"http://evil.example:{port}")):
        with pytest.raises(InvalidStatus) as answer:
            connect(f"ws://{name}:{port}/feed", origin=origin, sock=socket.create_connection((host, int(port))))
        assert answer.value.response.status_code == 403


def test_the_socket_sends_the_present_and_further_messages(feed: Feed, place: str) -> None:
    cam = Stream("cam")
    feed.publish(EncodedMessage(cam.hello()))
    with connect(f"ws://{place}/feed", origin=f"http://{place}") as browser:
        first = json.loads(browser.recv(timeout=20))
        assert [message["kind"] for message in first][:2] == ["view", "hello"]
        feed.publish(EncodedMessage(cam.event(1.0, 7, 0.5)))
        while not (found := [each for each in json.loads(browser.recv(timeout=20)) if each["kind"] == "event"]):
            pass
        assert found[0]["event_id"] == 7
        browser.send("hello?")  # the page sends nothing
        with pytest.raises(ConnectionClosedError, match="1008"):
            list(browser)


def test_without_the_token_everything_is_refused() -> None:
    with served(Feed(), TOKEN) as place:
        for path in ("/", "/setup", "/static/main.js", "/live", "/nothing"):
            assert get(place, path)[0] == 401
        with pytest.raises(InvalidStatus):
            connect(f"ws://{place}/feed")
        status, headers, _ = get(place, f"/?token={TOKEN}")
        assert (status, headers["location"]) == (303, "/")
        cookie = headers["set-cookie"].partition(";")[0]
        assert {"HttpOnly", "SameSite=lax"} <= set(headers["set-cookie"].split("; "))
        assert get(place, "/", Cookie=cookie)[0] == 200
        assert get(place, "/live", Authorization=f"Bearer {TOKEN}")[0] == 503
        with connect(f"ws://{place}/feed", additional_headers={"Cookie": cookie}) as browser:
            assert json.loads(browser.recv(timeout=20))[0]["kind"] == "view"


def test_behind_an_allowed_proxy_everything_is_served() -> None:
    proxy = "https://mar.example.org"
    feed = Feed()
    with PageServer("127.0.0.1:*", TOKEN, lambda access: page_app(access, feed, lambda: LIVE), [proxy]) as server:
        place = server.url.split("/")[2]
        shown = {"Authorization": f"Bearer {TOKEN}", "Origin": proxy}
        for host in (place, "mar.example.org"):
            status, headers, _ = get(place, "/", Host=host, **shown)
            assert status == 200
            assert "wss://mar.example.org" in headers["content-security-policy"]
            assert get(place, "/live", Host=host, **shown)[0] == 503
        with connect(f"ws://{place}/feed", additional_headers=shown):
            pass
        assert get(place, "/", Host="mar.example.org")[0] == 401
        assert get(place, "/", Host="mar.example.org", Origin="https://evil.example")[0] == 403
        head = urllib.request.Request(f"http://{place}/live", headers=shown, method="HEAD")
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(head, timeout=20)
        assert (raised.value.code, raised.value.read()) == (503, b"")
        raised.value.close()


def test_a_browser_that_never_reads_is_disconnected_and_another_gets_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mar_edge.view.app.SEND_S", 0.2)
    feed, cam = Feed(), Stream()
    with served(feed) as place, connect(f"ws://{place}/feed") as reader:
        json.loads(reader.recv(timeout=20))
        host, port = place.split(":")
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((host, int(port)))
        deaf.sendall(
            f"GET /feed HTTP/1.1\r\nHost: {place}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert deaf.recv(64).startswith(b"HTTP/1.1 101")
        got = sent = 0
        while feed.dropped == 0 and sent < 400_000:
            for _ in range(500):
                feed.publish(EncodedMessage(cam.label(sent / 1000)))
                sent += 1
            while got < sent:
                got += sum(each["kind"] == "label" for each in json.loads(reader.recv(timeout=20)))
            if feed.browsers == 1:
                break
        assert (got, feed.dropped, feed.browsers) == (sent, 1, 1)
        deaf.close()


def test_unusable_addresses_are_refused(place: str) -> None:
    for address, expected in {
        place: "in use",
        "203.0.113.7:1": "cannot serve the page",
        "8080": "not HOST:PORT",
    }.items():
        with pytest.raises(MarEdgeError, match=expected):
            PageServer(address, None, lambda access: page_app(access, Feed()))
