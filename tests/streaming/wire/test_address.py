from __future__ import annotations

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.wire.address import parse_address


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("tcp://127.0.0.1:5557", True),
        ("tcp://127.9.9.9:1", True),
        ("tcp://localhost:*", True),
        ("tcp://[::1]:0", True),
        ("ipc:///run/mar-edge.sock", True),
        ("tcp://0.0.0.0:5557", False),
        ("tcp://*:5557", False),
        ("tcp://eth0:5557", False),
        ("tcp://192.168.1.5:5557", False),
        ("tcp://[::]:5557", False),
        ("tcp://localhost.evil.org:5557", False),
    ],
)
def test_addresses_that_only_this_machine_reaches(text: str, local: bool) -> None:
    assert parse_address(text, bind=True).local == local


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5557",
        "127.0.0.1:5557",
        "tcp://127.0.0.1",
        "tcp://:5557",
        "tcp://127.0.0.1:99999",
        "udp://127.0.0.1:5",
        "ipc://",
        "tcp://127.0.0.1:-1",
        "tcp://a b:1",
        "tcp://127.0.0.1:5557/x",
        "inproc://x",
    ],
)
def test_invalid_addresses_are_refused(text: str) -> None:
    for bind in (True, False):
        with pytest.raises(MarEdgeError):
            parse_address(text, bind=bind)


@pytest.mark.parametrize("text", ["tcp://*:5557", "tcp://127.0.0.1:*", "tcp://127.0.0.1:0"])
def test_connecting_to_a_wildcard_is_refused(text: str) -> None:
    parse_address(text, bind=True)
    with pytest.raises(MarEdgeError, match="cannot connect"):
        parse_address(text, bind=False)
