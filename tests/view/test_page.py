"""The page in a real browser, headless Chromium: a stream that runs, fails and returns."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette")
from browser import PIXELS, free_port, opened, page_of, review_of
from view_messages import Stream

from mar_edge.streaming.recording.recorder import RecordConfig, Recorder
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.view.annotations.formats import format_of
from mar_edge.view.feed import Feed


def test_serve_on_the_demo_shows_joints_that_move_and_labels_and_events(chromium: Any, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    command = [sys.executable, "-m", "mar_edge", "serve", "--camera", "demo:", "--bind", f"ipc://{tmp_path}/wire"]
    command += [
        "--view",
        url.split("/")[2],
        "--http",
        url.split("/")[2],
        "--threads",
        "1",
        "--show-video",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stderr is not None
            assert url in next(line for line in serving.stderr if "page:" in line)
            with opened(chromium, url) as seen:
                seen.until("() => document.getElementById('canvas').ariaLabel === 'Skeleton of 1 person'")
                before = seen.page.evaluate(PIXELS)
                seen.until(f"(before) => ({PIXELS})() !== before", before)
                seen.page.wait_for_selector("#now .guess", state="attached")
                seen.page.wait_for_selector(".block", state="attached")
                seen.says("announcements", "started")
                assert seen.page.is_visible("#video")
                assert "fps" in seen.page.inner_text("#health")
                # The event under the pointer shows its score. Choosing one freezes the stream at its window.
                seen.page.focus(".block")
                seen.page.wait_for_selector("#event svg .curve", state="attached")
                seen.page.press(".block", "Enter")
                seen.page.wait_for_selector(".transport.frozen .moving")
                seen.page.keyboard.press("Escape")
                seen.page.wait_for_selector(".transport:not(.frozen) #freeze")
                # The recent past can be frozen and stepped through as well.
                seen.page.click("#freeze")
                frozen = seen.page.inner_text("#time")
                seen.page.press("#place", "ArrowLeft")
                seen.until("(before) => document.getElementById('time').textContent !== before", frozen)
                seen.page.keyboard.press("Escape")
                with opened(chromium, url) as second:  # several at once
                    second.page.wait_for_selector(".block", state="attached")
                    answer = second.page.request.get(f"{url}ready")
                    assert (answer.status, answer.json()["ok"]) == (200, True)
                assert (seen.errors, seen.foreign) == ([], [])
        finally:
            serving.terminate()
            serving.communicate(timeout=60)
    assert serving.returncode == 0


def test_a_lost_camera_and_a_server_that_returns_are_shown(chromium: Any) -> None:
    address = f"127.0.0.1:{free_port()}"
    feed, cam = Feed(), Stream()
    for message in (cam.hello(), cam.status(0.5), cam.skeleton(0.5), cam.skeleton(0.5, 1), cam.label(0.5)):
        feed.publish(EncodedMessage(message))
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"}
    with ExitStack() as serving, opened(chromium, serving.enter_context(page_of(feed, address)), **phone) as seen:
        seen.says("link", "live")
        feed.publish(EncodedMessage(cam.skeleton(1.0)))
        seen.page.wait_for_selector("#person option[value='0']", state="attached")
        assert seen.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        feed.publish(EncodedMessage(cam.status(1.0, fps_out=6.0, dropped=24)))
        seen.says("link", "too slow")
        seen.page.wait_for_selector("#link.warn")
        seen.says("health", "24 of 54")
        feed.publish(EncodedMessage(cam.status(1.0, fps_out=16.0, dropped=38)))
        seen.says("link", "live")
        feed.publish(EncodedMessage(cam.status(1.0, camera="lost")))
        seen.says("banner", "Camera lost")
        seen.says("link", "camera lost")
        assert (seen.errors, seen.foreign) == ([], [])
        seen.page.evaluate("() => { window.stayed = true; }")
        serving.close()
        seen.says("link", "reconnecting")
        seen.says("banner", "reconnecting")
        restarted = Stream(run="b" * 32)
        with page_of(feed, address):
            feed.publish(EncodedMessage(restarted.hello()))
            feed.publish(EncodedMessage(restarted.status(2.0)))
            seen.says("link", "live")
            assert seen.page.evaluate("() => window.stayed")  # the same page, not loaded again


def test_a_recording_can_be_reviewed(chromium: Any, tmp_path: Path) -> None:
    cam = Stream()
    with Recorder(RecordConfig(tmp_path), "cam", "a" * 32) as recorder:
        recorder.write(EncodedMessage(cam.hello()))
        for frame in range(360):
            recorder.write(EncodedMessage(cam.skeleton(frame / 30)))
            if frame % 6 == 0:
                recorder.write(EncodedMessage(cam.label(frame / 30)))
        recorder.write(EncodedMessage(cam.event(8.0, 3, 7.25)))
        recorder.write(EncodedMessage(cam.event(9.0, 3, 7.25, 8.75)))
    with review_of([tmp_path]) as url, opened(chromium, url) as seen:
        seen.says("time", "0:00.000 of 0:11.967")
        seen.until("() => document.getElementById('canvas').ariaLabel === 'Skeleton of 1 person'")
        before = seen.page.evaluate(PIXELS)
        seen.says("events", "0:07.3 · 1.5 s")
        seen.page.click("#events button")  # to the two seconds before it began
        seen.says("time", "0:06.000")
        seen.until(f"(before) => ({PIXELS})() !== before", before)
        seen.page.click("#on")
        seen.says("time", "0:06.033")
        seen.page.fill("#place", "9500")
        seen.says("time", "0:09.500")
        seen.page.keyboard.press("Escape")
        seen.page.select_option("#speed", "4")
        seen.page.click("#play")
        seen.says("time", "0:11.967 of")
        # Downloads equal the files that the command line writes.
        for link in seen.page.query_selector_all("#exports a"):
            with seen.page.expect_download() as download:
                link.click()
            suffix = Path(download.value.suggested_filename).suffix
            assert download.value.path().read_bytes() == format_of(suffix).write(read_timelines([tmp_path]), None)
        assert (seen.errors, seen.foreign) == ([], [])
