"""Corrections in the page, by keyboard and pointer: decided, saved, undone, loaded again, exported."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette")
from browser import Seen, opened, review_of
from test_page_events import busy_recording, written
from view_messages import Stream

from mar_edge.streaming.recording.corrections import Correction, read_corrections

SIZE = {"viewport": {"width": 1280, "height": 900}}


def rows(folder: Path) -> dict[int | None, Correction]:
    return {row.event_id: row for row in read_corrections(folder / "corrections.csv")}


def introduce(seen: Seen, name: str = "Anna") -> None:
    """Answer who codes."""
    seen.page.wait_for_selector("dialog input")
    seen.page.fill("dialog input", name)
    seen.page.keyboard.press("Enter")


def saved(seen: Seen, count: str) -> None:
    """Wait until the page says that it saved, and how much is decided."""
    seen.says("saved", "saved")
    seen.until("(count) => document.querySelector('.timeline').textContent.includes(count)", count)


def press(seen: Seen, *keys: str) -> None:
    for key in keys:
        seen.page.keyboard.press(key)


def test_events_are_corrected_by_keyboard_alone(chromium: Any, tmp_path: Path) -> None:
    with review_of([busy_recording(tmp_path / "busy.jsonl")]) as url, opened(chromium, url, **SIZE) as seen:
        seen.says("time", "0:00.000 of 0:05.967")
        seen.page.wait_for_selector("#events li:nth-child(4)")
        press(seen, "c")
        seen.says("saved", "choose an event first")
        press(seen, "n")
        seen.says("time", "0:01.000")
        press(seen, "c")
        introduce(seen)
        saved(seen, "1 of 4 decided")
        assert rows(tmp_path)[0].status == "confirmed"
        press(seen, "n", "l")
        seen.page.wait_for_selector("dialog [role=combobox]")
        seen.page.keyboard.type("shaking head")
        press(seen, "Enter")
        saved(seen, "2 of 4 decided")
        assert (rows(tmp_path)[1].status, rows(tmp_path)[1].label) == ("changed", "shaking head")
        # Its edges, by frames: the onset three earlier, the offset where the playhead is.
        press(seen, "s", "Shift+ArrowLeft", *["ArrowRight"] * 7)
        seen.until("() => document.activeElement.getAttribute('aria-valuetext') === '0:01.400'")
        press(seen, "n", "x")  # at once: the edge is saved first
        saved(seen, "3 of 4 decided")
        assert {key: (row.status, row.start_s) for key, row in rows(tmp_path).items()} == {
            0: ("confirmed", 1.0),
            1: ("changed", 1.4),
            2: ("rejected", 2.0),
        }
        # An event that the model missed, from 5.5 s on.
        seen.page.fill("#place", "5500")
        press(seen, "a")
        seen.page.wait_for_selector("dialog [role=combobox]")
        press(seen, "ArrowDown", "Enter")
        saved(seen, "4 of 5 decided")
        seen.page.fill("#place", "5800")
        press(seen, "o", "r")
        seen.says("saved", "1 event before here not decided")
        added = rows(tmp_path)[-1]
        assert (added.status, added.start_s, added.end_s, added.coder) == ("added", 5.5, 5.8, "Anna")
        assert (rows(tmp_path)[None].start_s, rows(tmp_path)[None].end_s) == (0.0, 5.8)
        before = rows(tmp_path)
        seen.page.reload()
        seen.says("events", "shaking head")
        seen.until(
            "() => document.querySelector('.timeline').textContent.includes('4 of 5 decided · reviewed until 0:05.8')"
        )
        assert seen.page.locator("#events [data-status=rejected]").count() == 1
        with seen.page.expect_download() as download:
            seen.page.click("#exports a >> text=.csv")
        exported = list(csv.DictReader(download.value.path().open(encoding="utf-8")))
        assert [(row["label"], row["start_s"]) for row in exported] == [
            ("nodding", "1.000"),
            ("shaking head", "1.400"),
            ("bowing head", "2.500"),
            (added.label, "5.500"),
        ]
        assert rows(tmp_path) == before
        assert (seen.errors, seen.foreign) == ([], [])


def test_a_reload_comes_back_to_the_recording(chromium: Any, tmp_path: Path) -> None:
    busy_recording(tmp_path / "a.jsonl")
    busy_recording(tmp_path / "Müller & Söhne, 2.jsonl")
    with review_of([tmp_path]) as url, opened(chromium, url, **SIZE) as seen:
        seen.page.wait_for_selector("#events li:nth-child(4)")
        names = seen.page.locator("#stream option").all_text_contents()
        assert len(names) == 2
        for name in reversed(names):
            seen.page.select_option("#stream", label=name)
            seen.page.reload()
            seen.page.wait_for_selector("#events li:nth-child(4)")
            assert seen.page.eval_on_selector("#stream", "picker => picker.selectedOptions[0].text") == name
            with seen.page.expect_download() as download:
                seen.page.click("#exports a >> text=.csv")
            rows = list(csv.DictReader(download.value.path().open(encoding="utf-8")))
            assert {row["recording"] for row in rows} == {f"{Path(download.value.suggested_filename).stem}.jsonl"}
            assert Path(download.value.suggested_filename).stem in name
        assert (seen.errors, seen.foreign) == ([], [])


def test_decisions_are_undone_and_done_again(chromium: Any, tmp_path: Path) -> None:
    with review_of([busy_recording(tmp_path / "busy.jsonl")]) as url, opened(chromium, url, **SIZE) as seen:
        seen.page.wait_for_selector("#events li:nth-child(4)")
        press(seen, "n", "x")
        introduce(seen)
        saved(seen, "1 of 4 decided")
        press(seen, "c")
        seen.page.wait_for_selector("#events [data-status=confirmed]")
        press(seen, "Control+z")
        seen.page.wait_for_selector("#events [data-status=rejected]")
        assert rows(tmp_path)[0].status == "rejected"
        press(seen, "u")
        saved(seen, "0 of 4 decided")
        assert rows(tmp_path) == {}
        press(seen, "Shift+U", "Control+y")
        seen.page.wait_for_selector("#events [data-status=confirmed]")
        assert rows(tmp_path)[0].status == "confirmed"
        # An added event comes and goes.
        press(seen, "a")
        seen.page.wait_for_selector("dialog [role=combobox]")
        press(seen, "Enter")
        saved(seen, "2 of 5 decided")
        press(seen, "x")
        saved(seen, "1 of 4 decided")
        press(seen, "u")
        saved(seen, "2 of 5 decided")
        assert seen.errors == []


def test_two_tabs_of_one_coder_do_not_undo_each_other(chromium: Any, tmp_path: Path) -> None:
    with review_of([busy_recording(tmp_path / "busy.jsonl")]) as url, ExitStack() as stack:
        context = stack.enter_context(chromium.new_context(**SIZE))
        one = stack.enter_context(opened(context, url))
        one.page.wait_for_selector("#events li:nth-child(4)")
        press(one, "n", "c")
        introduce(one)
        saved(one, "1 of 4 decided")
        other = stack.enter_context(opened(context, url))
        other.page.wait_for_selector("#events [data-status=confirmed]")  # this browser knows the name
        press(other, "n", "n", "x")
        saved(other, "2 of 4 decided")
        press(one, "x")
        one.says("saved", "not saved: corrections.csv was changed elsewhere")
        one.page.wait_for_selector("#events [data-status=rejected]")  # what the other tab decided is shown
        assert {key: row.status for key, row in rows(tmp_path).items()} == {0: "confirmed", 1: "rejected"}
        press(one, "x")
        saved(one, "2 of 4 decided")
        assert {key: row.status for key, row in rows(tmp_path).items()} == {0: "rejected", 1: "rejected"}
        assert all("409" in error for error in one.errors)


def test_an_edge_is_dragged_and_the_timeline_zoomed(chromium: Any, tmp_path: Path) -> None:
    with review_of([busy_recording(tmp_path / "busy.jsonl")]) as url, opened(chromium, url, **SIZE) as seen:
        seen.page.wait_for_selector("#events li:nth-child(4)")
        press(seen, "n", "c")
        introduce(seen)
        saved(seen, "1 of 4 decided")
        width = "() => parseFloat(document.querySelector('.block').style.width)"
        before = seen.page.evaluate(width)
        press(seen, "+")
        seen.until(f"(before) => Math.abs(({width})() / before - 1.5) < 0.01", before)
        seen.page.hover("#track", position={"x": 20, "y": 20})
        seen.page.mouse.wheel(0, -100)
        seen.until(f"(before) => ({width})() > 1.7 * before", before)
        handle = seen.page.locator(".edge.end")
        box = handle.bounding_box()
        seen.page.mouse.move(box["x"] + 5, box["y"] + 8)
        seen.page.mouse.down()
        seen.page.mouse.move(box["x"] - 100, box["y"] + 8, steps=4)
        # A browser hands on movements of the pointer with its next frame.
        seen.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        dragged = seen.page.evaluate("() => document.querySelector('.edge.end').getAttribute('aria-valuetext')")
        seen.page.mouse.up()
        seen.page.wait_for_selector("#events [data-status=changed]")
        row = rows(tmp_path)[0]
        assert (row.start_s, row.machine_end_s) == (1.0, 4.0)
        assert 1.0 < row.end_s < 4.0
        assert abs(row.end_s * 30 - round(row.end_s * 30)) < 0.02  # a frame of the recording
        assert dragged == f"0:0{row.end_s:.3f}"
        # The overview seeks; filters hide events.
        seen.page.click(".overview", position={"x": 2, "y": 10})
        seen.says("time", "0:00.0")
        press(seen, "0")
        seen.page.select_option("select[aria-label='Label shown']", "body leg-hand")
        seen.until("() => document.querySelectorAll('.block').length === 2")  # and the chosen one
        press(seen, "Escape")
        seen.page.select_option("select[aria-label='Decisions shown']", "done")
        seen.until("() => document.querySelectorAll('.block').length === 0")
        assert (seen.errors, seen.foreign) == ([], [])


def test_two_fingers_zoom_the_timeline_and_one_moves_it(chromium: Any, tmp_path: Path) -> None:
    with review_of([busy_recording(tmp_path / "busy.jsonl")]) as url, ExitStack() as stack:
        context = stack.enter_context(chromium.new_context(has_touch=True, viewport={"width": 390, "height": 844}))
        seen = stack.enter_context(opened(context, url))
        seen.page.wait_for_selector(".block")
        assert seen.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        seen.page.locator("#track").scroll_into_view_if_needed()
        box = seen.page.locator("#track").bounding_box()
        touch = context.new_cdp_session(seen.page)

        def touched(kind: str, *across: float) -> None:
            points = [{"x": box["x"] + x, "y": box["y"] + 4, "id": n} for n, x in enumerate(across)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        span = "async () => (await import('/static/show.js')).timeline.span"
        before = seen.page.evaluate(span)
        touched("touchStart", 100, 140)
        touched("touchMove", 80, 160)
        touched("touchEnd")
        assert abs(seen.page.evaluate(span) / before - 0.5) < 0.01
        touched("touchStart", 200)
        touched("touchMove", 160)
        touched("touchEnd")
        moved_ms = 40 * before / 2 / seen.page.evaluate("() => document.getElementById('track').clientWidth")
        seen.until("(t) => Math.abs(Number(document.getElementById('place').value) - t) < 2", moved_ms)
        assert seen.errors == []


def test_where_nothing_can_be_saved_the_page_says_so(chromium: Any, tmp_path: Path) -> None:
    recording = busy_recording(tmp_path / "busy.jsonl")
    with review_of([recording]) as url, opened(chromium, url, **SIZE) as seen:
        seen.page.wait_for_selector("#events li:nth-child(4)")
        press(seen, "n", "c")
        introduce(seen)
        saved(seen, "1 of 4 decided")
        (tmp_path / "corrections.csv").unlink()
        (tmp_path / "corrections.csv").mkdir()
        press(seen, "x")
        seen.says("saved", "not saved: cannot read")
        assert seen.page.locator("#events [data-status=rejected]").count() == 0


def test_an_added_event_is_of_the_person_that_was_chosen(chromium: Any, tmp_path: Path) -> None:
    cam = Stream()
    shown = [cam.skeleton(tenth / 10, person) for tenth in range(60) for person in (0, 1)]
    with review_of([written(tmp_path / "two.jsonl", [cam.hello(), *shown])]) as url, ExitStack() as stack:
        seen = stack.enter_context(opened(chromium, url, **SIZE))
        seen.says("time", "0:00.000 of 0:05.900")
        press(seen, "a")
        introduce(seen)
        for person in (0, 1):
            seen.page.wait_for_selector("dialog [role=combobox]")
            seen.page.select_option("dialog select", str(person))
            seen.page.focus("dialog [role=combobox]")
            press(seen, "Enter")
            saved(seen, "1 of 1 decided")
            assert rows(tmp_path)[-1].person == person
            if person == 0:
                press(seen, "x")
                saved(seen, "0 of 0 decided")
                press(seen, "a")
        seen.page.fill("#place", "500")
        press(seen, "o")
        seen.until("() => document.querySelector('.edge.end').getAttribute('aria-valuetext') === '0:00.500'")
        assert (rows(tmp_path)[-1].person, rows(tmp_path)[-1].end_s) == (1, 0.5)
        assert seen.errors == []


def test_a_lost_answer_leaves_the_page_usable(chromium: Any, tmp_path: Path) -> None:
    with review_of([busy_recording(tmp_path / "busy.jsonl")]) as url, opened(chromium, url, **SIZE) as seen:
        seen.page.wait_for_selector("#events li:nth-child(4)")
        press(seen, "n", "c")
        introduce(seen)
        saved(seen, "1 of 4 decided")
        # An undo that does not reach the server can be tried again.
        seen.page.route("**/corrections", lambda route: route.abort(), times=1)
        press(seen, "u")
        seen.says("saved", "not saved: the server is gone")
        press(seen, "u")
        saved(seen, "0 of 4 decided")
        # The server saves, and its answer breaks off.
        seen.page.evaluate("""() => {
          const fetching = window.fetch;
          window.fetch = async (...asked) => {
            window.fetch = fetching;
            await fetching(...asked);
            return new Response(new ReadableStream({ start: (control) => control.error(new Error("broken")) }));
          };
        }""")
        press(seen, "c")
        seen.says("saved", "not saved: the server is gone")
        press(seen, "x")
        seen.says("saved", "changed elsewhere")
        press(seen, "x")
        seen.page.wait_for_selector("#events [data-status=rejected]")
        assert rows(tmp_path)[0].status == "rejected"
