from __future__ import annotations

import pytest

from edge.errors import MarEdgeError
from view.access import Access, PageAddress

TOKEN = "0123456789abcdef-token"
HERE = PageAddress.parse("127.0.0.1:8080")
EVERYWHERE = PageAddress.parse("0.0.0.0:8080")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "localhost", "LOCALHOST:9000"])
def test_names_that_nobody_else_gives_out_are_ours(host: str) -> None:
    assert Access(HERE).judge({"host": host}, None) == "allowed"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.5:8080",
        "",
        "a b",
        "[::1",
        "x/y",
    ],
)
def test_a_name_that_was_made_to_point_at_us_is_refused(host: str) -> None:
    assert Access(HERE).judge({"host": host}, None) == "wrong host"
    assert Access(HERE).judge({}, None) == "wrong host"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8080"])
def test_other_origins_are_refused(origin: str) -> None:
    access = Access(HERE)
    assert access.judge({"host": "127.0.0.1:8080", "origin": origin}, None) == "wrong origin"
    assert access.judge({"host": "127.0.0.1:8080", "origin": "http://127.0.0.1:8080"}, None) == "allowed"


def test_whoever_comes_from_outside_shows_the_token() -> None:
    access = Access(EVERYWHERE, TOKEN)
    host = {"host": "10.0.0.5:8080"}
    assert access.judge(host, None) == "no token"
    assert access.judge(host, TOKEN) == "allowed"
    assert access.judge(host, TOKEN + "x") == "no token"
    assert access.judge({**host, "authorization": f"Bearer {TOKEN}"}, None) == "allowed"
    assert access.judge({**host, "authorization": f"Basic {TOKEN}"}, None) == "no token"
    assert access.judge({**host, "cookie": f"bad=]{{; {access.cookie}={TOKEN}; z=1"}, None) == "allowed"
    assert access.judge({**host, "cookie": f"mar_edge_view_9={TOKEN}"}, None) == "no token"
    assert access.judge({**host, "cookie": f"{access.cookie}=é"}, None) == "no token"
    # A token is no leave to come by another's name, or from another's page.
    assert access.judge({"host": "evil.example"}, TOKEN) == "wrong host"
    assert access.judge({**host, "origin": "http://evil.example"}, TOKEN) == "wrong origin"


def test_a_token_is_made_where_one_is_needed_and_asked_for_where_one_was_given() -> None:
    made = {Access(EVERYWHERE).token for _ in range(3)}
    assert len(made) == 3
    assert all(token is not None and len(token) >= 32 for token in made)
    assert Access(HERE).token is None
    assert Access(HERE, TOKEN).judge({"host": "127.0.0.1:8080"}, None) == "no token"


@pytest.mark.parametrize("token", ["short", "x" * 300, "with spaces and such", "semi;colon;semi;colon"])
def test_tokens_that_keep_nobody_out(token: str) -> None:
    with pytest.raises(MarEdgeError, match="a --view-token is 16 to 256"):
        Access(HERE, token)


def test_addresses() -> None:
    assert PageAddress.parse("*:80") == PageAddress("0.0.0.0", 80, local=False, ipv6=False)
    assert PageAddress.parse("[::1]:*") == PageAddress("::1", 0, local=True, ipv6=True)
    for wrong in ("8080", "localhost", "http://x:1", "x:99999"):
        with pytest.raises(MarEdgeError):
            PageAddress.parse(wrong)
