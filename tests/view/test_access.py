from __future__ import annotations

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.view.access import AccessPolicy, PageAddress

TOKEN = "0123456789abcdef-token"
HERE = PageAddress.parse("127.0.0.1:8080")
EVERYWHERE = PageAddress.parse("0.0.0.0:8080")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "localhost", "LOCALHOST:9000"])
def test_local_names_and_addresses_are_allowed(host: str) -> None:
    assert AccessPolicy(HERE).check({"host": host}, None) == "allowed"


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
def test_a_foreign_host_name_is_refused(host: str) -> None:
    assert AccessPolicy(HERE).check({"host": host}, None) == "wrong host"
    assert AccessPolicy(HERE).check({}, None) == "wrong host"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8080"])
def test_other_origins_are_refused(origin: str) -> None:
    access = AccessPolicy(HERE)
    assert access.check({"host": "127.0.0.1:8080", "origin": origin}, None) == "wrong origin"
    assert access.check({"host": "127.0.0.1:8080", "origin": "http://127.0.0.1:8080"}, None) == "allowed"


def test_other_machines_need_the_token() -> None:
    access = AccessPolicy(EVERYWHERE, TOKEN)
    host = {"host": "10.0.0.5:8080"}
    assert access.check(host, None) == "no token"
    assert access.check(host, TOKEN) == "allowed"
    assert access.check(host, TOKEN + "x") == "no token"
    assert access.check({**host, "authorization": f"Bearer {TOKEN}"}, None) == "allowed"
    assert access.check({**host, "authorization": f"Basic {TOKEN}"}, None) == "no token"
    assert access.check({**host, "cookie": f"bad=]{{; {access.cookie}={TOKEN}; z=1"}, None) == "allowed"
    assert access.check({**host, "cookie": f"mar_edge_view_9={TOKEN}"}, None) == "no token"
    assert access.check({**host, "cookie": f"{access.cookie}=é"}, None) == "no token"
    # A token does not allow other host names or origins.
    assert access.check({"host": "evil.example"}, TOKEN) == "wrong host"
    assert access.check({**host, "origin": "http://evil.example"}, TOKEN) == "wrong origin"


def test_who_has_the_token_of_the_page_does_not_teach() -> None:
    access = AccessPolicy(EVERYWHERE, TOKEN)
    assert access.teach_token not in (None, TOKEN, AccessPolicy(EVERYWHERE, TOKEN).teach_token)
    viewer, teacher = (
        {"host": "10.0.0.5", "cookie": f"{access.cookie}={each}"} for each in (TOKEN, access.teach_token)
    )
    assert [access.check(each, None) for each in (viewer, teacher)] == ["allowed", "allowed"]
    assert [access.may_teach(each) for each in (viewer, teacher)] == [False, True]
    # The token in the address wins over the cookie, so that an address changes what a browser may do.
    assert access.shown(viewer, access.teach_token) == access.teach_token
    assert access.shown(viewer, "wrong") == TOKEN
    assert AccessPolicy(HERE).may_teach({"host": "localhost"})  # without a token, everybody on this machine may
    asked = AccessPolicy(HERE, teach_token=TOKEN)
    assert (asked.check({"host": "localhost"}, None), asked.may_teach({"host": "localhost"})) == ("allowed", False)
    with pytest.raises(MarEdgeError, match="--teach-token is the --view-token"):
        AccessPolicy(HERE, TOKEN, teach_token=TOKEN)


def test_a_token_is_generated_if_needed_and_required_if_given() -> None:
    made = {AccessPolicy(EVERYWHERE).token for _ in range(3)}
    assert len(made) == 3
    assert all(token is not None and len(token) >= 32 for token in made)
    assert AccessPolicy(HERE).token is None
    assert AccessPolicy(HERE, TOKEN).check({"host": "127.0.0.1:8080"}, None) == "no token"


@pytest.mark.parametrize("token", ["short", "x" * 300, "with spaces and such", "semi;colon;semi;colon"])
def test_unsafe_tokens_are_refused(token: str) -> None:
    with pytest.raises(MarEdgeError, match="a --view-token is 16 to 256"):
        AccessPolicy(HERE, token)


def test_the_address_of_the_page_is_parsed() -> None:
    assert PageAddress.parse("*:80") == PageAddress("0.0.0.0", 80, local=False, ipv6=False)
    assert PageAddress.parse("[::1]:*") == PageAddress("::1", 0, local=True, ipv6=True)
    for wrong in ("8080", "localhost", "http://x:1", "x:99999"):
        with pytest.raises(MarEdgeError):
            PageAddress.parse(wrong)


@pytest.mark.parametrize(
    ("hosts", "headers", "verdict"),
    [
        # A name from mDNS: any port, but only the same origin.
        (["box.local"], {"host": "box.local:8080"}, "allowed"),
        (["box.local"], {"host": "box.local:8080", "origin": "http://box.local:8080"}, "allowed"),
        (["box.local"], {"host": "box.local:8080", "origin": "http://evil.example"}, "wrong origin"),
        (["box.local"], {"host": "evil.box.local"}, "wrong host"),
        # A proxy with TLS that keeps the browser's Host, replaces it, or has its own port.
        (["https://mar.example.org"], {"host": "mar.example.org", "origin": "https://mar.example.org"}, "allowed"),
        (["https://mar.example.org"], {"host": "127.0.0.1:8080", "origin": "https://mar.example.org"}, "allowed"),
        (["mar.example.org"], {"host": "127.0.0.1:8080", "origin": "https://mar.example.org"}, "allowed"),
        (["https://Mar.example.org:444/"], {"host": "localhost", "origin": "https://mar.example.org:444"}, "allowed"),
        (["https://mar.example.org"], {"host": "localhost", "origin": "http://mar.example.org"}, "wrong origin"),
        (["https://mar.example.org"], {"host": "localhost", "origin": "https://mar.example.org:444"}, "wrong origin"),
        (["10.0.0.7", "box.local"], {"host": "10.0.0.7:8080"}, "allowed"),
        ([], {"host": "127.0.0.1:8080", "origin": "https://mar.example.org"}, "wrong origin"),
        ([], {"host": "box.local"}, "wrong host"),
    ],
)
def test_an_allowed_proxy_or_host_name_is_accepted(hosts: list[str], headers: dict[str, str], verdict: str) -> None:
    access = AccessPolicy(HERE, hosts=hosts)
    assert access.check(headers, access.token) == verdict
    # Then other machines reach the page.
    assert (access.token is None) == (hosts == [])


@pytest.mark.parametrize(
    "host", ["", "a b", "ftp://box", "https://", "https://box/path", "*", "box:123456", "https://a@b"]
)
def test_invalid_hosts_and_origins_are_refused(host: str) -> None:
    with pytest.raises(MarEdgeError, match="is neither a host"):
        AccessPolicy(HERE, hosts=[host])
