"""Teaching on the page, by pointer and keyboard: asked for, judged, in use, removed; and who may not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette")
from browser import Seen, opened
from taught_page import ScriptedCourse, Sitter, teaching
from test_corrections_server import Page

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import ma52_labels
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.view.live_page import LivePage

TOKEN, TEACH_TOKEN = "0123456789abcdef-view", "0123456789abcdef-teach"
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def course() -> ScriptedCourse:
    return ScriptedCourse()


@pytest.fixture
def page(tmp_path: Path, course: ScriptedCourse) -> Iterator[LivePage]:
    with LivePage("127.0.0.1:*", teaching=teaching(tmp_path / "taught.onnx", course)) as served:
        yield served


@contextmanager
def sitting(page: LivePage, **how: Any) -> Iterator[Sitter]:
    """Have somebody sit in front of the camera, ten times as fast as time."""
    assert page.lessons is not None
    sitter = Sitter(page.lessons, page._feed, **how)
    page._feed.publish(EncodedMessage(sitter.cam.hello(ma52_labels(), None)))
    page._feed.publish(EncodedMessage(sitter.cam.status(0.0)))
    gone = threading.Event()

    def sit() -> None:
        while not gone.wait(0.01):
            sitter.sit()

    thread = threading.Thread(target=sit)
    thread.start()
    try:
        yield sitter
    finally:
        gone.set()
        thread.join()


def says(seen: Seen, text: str) -> None:
    seen.until("(text) => document.querySelector('.teach')?.textContent.includes(text)", text)


def test_a_movement_is_taught_used_and_removed(chromium: Any, page: LivePage, course: ScriptedCourse) -> None:
    with opened(chromium, page.url, **PHONE) as seen, sitting(page, lazy=1) as sitter:
        seen.says("link", "live")
        seen.page.click("#teach")
        seen.page.keyboard.type("circling head")  # a space is a space here, and freezes nothing
        assert seen.page.input_value(".teach input[type=text]") == "circling head"
        seen.page.select_option(".teach select", "head")
        seen.page.fill(".teach input[type=number]", "3")
        says(seen, "Show it 3 times when asked, then half a minute of nothing special: about 55 s")
        assert seen.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        seen.page.keyboard.press("Enter")
        says(seen, "now: circling head")
        says(seen, "not used: nothing moves")
        says(seen, "Example 3 of 3")
        says(seen, "Nothing special: look around")
        says(seen, "Written to taught.onnx. It is recognized from now on")
        says(seen, "self-test: 80 % of the examples are found from the others")
        assert seen.page.locator(".examples li").all_text_contents() == ["unlike the others", "good", "good"]
        assert page.lessons is not None
        assert page.lessons.new_model() is not None
        seen.page.click("text=Teach another")
        says(seen, "Taught")
        seen.page.fill(".teach input[type=text]", "circling head")
        seen.page.click("text=Remove")
        assert [label["name"] for label in sitter.state["labels"]] == ["circling head"]
        seen.page.click("text=Really remove circling head?")
        seen.until("() => !document.querySelector('.teach ul')")
        assert list(course.given) == ["circling head"]
        seen.page.keyboard.press("Escape")
        seen.until("() => !document.querySelector('.teach')")
        assert (seen.errors, seen.foreign) == ([], [])


def test_a_known_label_is_adapted_and_what_is_wrong_is_said(
    chromium: Any, page: LivePage, course: ScriptedCourse
) -> None:
    course.fails = MarEdgeError("they contradict each other")
    with opened(chromium, page.url) as seen, sitting(page, people=2) as sitter:
        seen.page.wait_for_selector("#person option[value='1']", state="attached")
        seen.page.select_option("#person", "1")
        seen.page.click("#teach")
        seen.page.fill(".teach input[type=text]", "a,b")
        seen.page.click("text=Start")
        says(seen, "no comma")
        seen.page.fill(".teach input[type=text]", "nodding")
        says(seen, "it is adapted to this person")
        assert not seen.page.is_visible("text=Part of the body")
        assert seen.page.eval_on_selector(".teach label:has-text('Who') select", "each => each.value") == "1"
        seen.page.click("text=Start")
        seen.page.click("text=Stop")
        seen.page.wait_for_selector("text=Who shows it")
        seen.page.fill(".teach input[type=text]", "nodding")
        seen.page.fill(".teach input[type=number]", "3")
        seen.page.click("text=Start")
        says(seen, "Nothing was taught")
        says(seen, "they contradict each other")
        assert sitter.state["phase"] == "refused"
        assert [error for error in seen.errors if "400" not in error] == []


def test_who_may_only_look_is_told_where_to_teach(chromium: Any, tmp_path: Path, course: ScriptedCourse) -> None:
    asked = teaching(tmp_path / "taught.onnx", course)
    with LivePage("127.0.0.1:*", TOKEN, teaching=asked, teach_token=TEACH_TOKEN) as page:
        assert (page.url.endswith(TOKEN), page.teach_url.endswith(TEACH_TOKEN)) == (True, True)
        with opened(chromium, page.url) as seen:
            seen.page.click("#teach")
            says(seen, "This address only shows")
        wish = json.dumps({"do": "start", "name": "x", "stream": "cam", "body": "head"}).encode()
        place = Page(page.url.partition("?")[0])
        json_from_page = {"Origin": place.url, "Content_Type": "application/json"}
        with sitting(page) as sitter:
            sitter.feed.flush(1.0)
            for headers, status in (
                (json_from_page, 401),
                (json_from_page | {"Authorization": f"Bearer {TOKEN}"}, 403),
                ({"Authorization": f"Bearer {TEACH_TOKEN}", "Content_Type": "application/json"}, 403),  # no origin
                (json_from_page | {"Authorization": f"Bearer {TEACH_TOKEN}", "Content_Type": "text/plain"}, 403),
                (json_from_page | {"Authorization": f"Bearer {TEACH_TOKEN}", "Origin": "http://evil.example"}, 403),
            ):
                assert place.ask("/lessons", wish, **headers)[0] == status
            teacher = json_from_page | {"Authorization": f"Bearer {TEACH_TOKEN}"}
            for wrong in (
                b"{",
                b'{"do":"start"}',
                b'{"do":"stop","out":"/etc/passwd"}',
                b'{"do":"write"}',
                b" " * 20_000,
            ):
                assert place.ask("/lessons", wrong, **teacher)[0] == 400
            assert place.ask("/lessons", wish, **teacher)[0] == 204
            assert place.ask("/lessons", b'{"do":"stop"}', **teacher)[0] == 204


def test_a_service_without_a_file_says_how_to_get_one(chromium: Any) -> None:
    with LivePage("127.0.0.1:*") as page, opened(chromium, page.url) as seen:
        seen.page.click("#teach")
        says(seen, "start the service with --teach-to taught.onnx")
        place = Page(page.url)
        asked = {"Origin": place.url, "Content_Type": "application/json"}
        assert place.ask("/lessons", b'{"do":"stop"}', **asked)[0] in (404, 405)
