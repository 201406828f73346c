from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from streaming_fakes import wait_until
from wire_messages import MESSAGES, stamped

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.observer import HttpHandler
from mar_edge.streaming.operations.health import HUNG_S, Health
from mar_edge.streaming.operations.monitoring import Monitoring
from mar_edge.streaming.operations.systemd import Systemd
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.streaming.wire.messages import AnyMessage, SkeletonMessage

HELLO, LABEL, EVENT, SKELETON, *_, STATUS, END = map(stamped, MESSAGES)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def of(stream: str, message: AnyMessage, **fields: object) -> AnyMessage:
    return msgspec.structs.replace(message, stream=stream, **fields)


def test_a_silent_stream_hangs_and_an_ended_one_does_not() -> None:
    clock = Clock()
    health = Health(["a", "b"], clock)
    clock.now_s += 100  # models may take long to load
    assert health.hung() == []
    health.start()
    clock.now_s += HUNG_S - 1
    health.on_message(of("a", STATUS))
    clock.now_s += 2
    assert health.hung() == ["b"]
    health.on_message(of("b", END))
    assert health.hung() == []


def test_ready_means_that_every_stream_has_had_its_first_frame() -> None:
    health = Health(["a", "b"])
    assert health.waiting() == ["a", "b"]
    health.on_message(of("a", STATUS, frames=0))
    health.on_message(of("b", STATUS, frames=7))
    assert health.waiting() == ["a"]
    health.on_message(of("a", STATUS, frames=1))
    assert health.waiting() == []
    health.on_message(of("b", END))
    assert health.waiting() == ["b"]


@pytest.fixture
def monitoring() -> Iterator[Monitoring]:
    with Monitoring("127.0.0.1:*", ["cam"]) as opened:
        yield opened


def get(monitoring: Monitoring, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{monitoring.http}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_health_over_http(monitoring: Monitoring) -> None:
    assert get(monitoring, "/live") == (200, '{"ok":true,"hung":[]}')
    status, body = get(monitoring, "/ready")
    assert (status, json.loads(body)) == (503, {"ok": False, "waiting": ["cam"]})
    monitoring.on_message(STATUS)
    assert get(monitoring, "/ready")[0] == 200
    assert get(monitoring, "/nothing")[0] == 404


def test_prometheus_can_read_the_metrics(monitoring: Monitoring) -> None:
    for message in (
        HELLO,
        LABEL,
        LABEL,
        EVENT,
        of("cam", STATUS, frames=31, stalls=2, camera="stalled", page_failures=1),
    ):
        monitoring.on_message(message)
    code, body = get(monitoring, "/metrics")
    assert code == 200
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    }
    assert samples["mar_edge_frames_total", "cam"] == 31
    assert samples["mar_edge_camera_stalls_total", "cam"] == 2
    assert samples["mar_edge_page_failures_total", "cam"] == 1
    assert samples["mar_edge_camera_state", "cam", "stalled"] == 1
    assert samples["mar_edge_camera_state", "cam", "live"] == 0
    assert samples["mar_edge_events_total", "cam", "head", "nodding"] == 1
    assert samples["mar_edge_latency_seconds_count", "cam", "pose"] == 2
    assert samples["mar_edge_latency_seconds_sum", "cam", "total"] == pytest.approx(0.012)
    assert samples["mar_edge_latency_seconds_bucket", "0.002", "cam", "pose"] == 2
    assert samples["mar_edge_subscribers", "cam"] == 1
    assert samples[("mar_edge_resident_memory_bytes",)] > 1e6


def test_clients_without_valid_http_do_not_block_others(monitoring: Monitoring) -> None:
    assert monitoring.http is not None
    host, port = monitoring.http.split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(8)]
    with socket.create_connection((host, int(port))) as garbage:
        garbage.sendall(b"\xff\x00" * 5000)
    assert get(monitoring, "/live")[0] == 200
    for each in silent:
        each.close()


@pytest.mark.parametrize("count", [100, pytest.param(10_000, marks=pytest.mark.soak)])
def test_random_bytes_at_the_http_port_have_no_effect(monitoring: Monitoring, count: int) -> None:
    assert monitoring.http is not None
    host, port = monitoring.http.split(":")
    rng = random.Random(7)
    threads = threading.active_count()

    def lives() -> bool:
        with contextlib.suppress(OSError):  # all connections are in use for a moment
            return get(monitoring, "/live")[0] == 200
        return False

    for number in range(count):
        with socket.create_connection((host, int(port))) as stranger:
            stranger.sendall(
                rng.choice([b"", b"GET ", b"GET /metrics HTTP/1.1\r\n"]) + rng.randbytes(rng.randrange(1, 300))
            )
        if number % 50 == 0:
            wait_until(lives)
    wait_until(lambda: threading.active_count() <= threads + 1)


def test_http_for_other_machines_and_ports_in_use_are_refused(monitoring: Monitoring) -> None:
    with pytest.raises(MarEdgeError, match="not encrypted"):
        Monitoring("0.0.0.0:*", ["cam"])
    with pytest.raises(MarEdgeError, match="in use"):
        Monitoring(monitoring.http, ["cam"])
    with pytest.raises(MarEdgeError, match="is not HOST:PORT"):
        Monitoring("9090", ["cam"])


class Page:
    """An observer that serves HTTP at one address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.failures = 0
        self.handlers: Mapping[str, HttpHandler] = {}

    def on_message(self, message: AnyMessage) -> None: ...

    def on_frame(self, frame: Frame, skeletons: Sequence[EncodedMessage[SkeletonMessage]]) -> None: ...

    def serves_http(self, address: str, handlers: Mapping[str, HttpHandler]) -> bool:
        if address == self.address:
            self.handlers = handlers
        return address == self.address


def test_a_page_at_the_same_address_serves_health_and_metrics() -> None:
    page = Page("127.0.0.1:*")
    with Monitoring("127.0.0.1:*", ["cam"], observer=page) as monitoring:
        assert monitoring.http is None  # no second server
        monitoring.on_message(of("cam", STATUS, frames=1))
        assert page.handlers["/ready"]()[0] == 200
        assert b"mar_edge_frames_total" in page.handlers["/metrics"]()[2]
    elsewhere = Page("127.0.0.1:1")
    with Monitoring("127.0.0.1:*", ["cam"], observer=elsewhere) as monitoring:
        assert (monitoring.http is not None, elsewhere.handlers) == (True, {})


def test_the_watchdog_of_systemd_is_notified_as_often_as_it_expects(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(5)
        systemd_client = Systemd({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "4000000"})
        systemd_client.notify("READY=1", "STATUS=serving")
        assert systemd.recv(1000) == b"READY=1\nSTATUS=serving"
        for now_s in (10.0, 10.1, 11.9, 12.0, 13.0):
            systemd_client.ping_watchdog(now_s)
        systemd.setblocking(False)
        assert [systemd.recv(1000) for _ in range(2)] == [b"WATCHDOG=1"] * 2
        with pytest.raises(BlockingIOError):
            systemd.recv(1000)
    systemd_client.notify("STOPPING=1")  # systemd no longer listens
    Systemd({}).notify("READY=1")
    Systemd({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).ping_watchdog(1.0)


def test_head_is_answered_like_get_without_a_body(monitoring: Monitoring) -> None:
    for path, status in (("/live", 200), ("/ready", 503), ("/metrics", 200), ("/nothing", 404)):
        connection = http.client.HTTPConnection(str(monitoring.http), timeout=10)
        connection.request("HEAD", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (status, b"")
        assert int(answer.headers["Content-Length"]) > 0
        connection.close()


def test_a_new_client_replaces_the_slowest_one(monitoring: Monitoring) -> None:
    assert monitoring.http is not None
    host, port = monitoring.http.split(":")
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection((host, int(port)))) for _ in range(40)]
        for each in slow:
            with contextlib.suppress(OSError):  # already disconnected
                each.sendall(b"GET /live HTTP/1.1\r\nX: ")
        for _ in range(20):
            assert get(monitoring, "/live")[0] == 200
