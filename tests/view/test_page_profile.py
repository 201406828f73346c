"""Activity profiles on the page in a real browser: live, and of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette")
from browser import Seen, free_port, opened, page_of, review_of
from view_messages import Stream

from mar_edge.streaming.recording.recorder import RecordConfig, Recorder
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.view.feed import Feed


def cells(seen: Seen) -> list[str]:
    """Return the texts of the cells, each as a reader hears it."""
    texts: list[str] = seen.page.eval_on_selector_all(
        "#profiles li", "(items) => items.map((item) => [...item.children].map((each) => each.textContent).join(' '))"
    )
    return [" ".join(text.split()) for text in texts]


def test_a_live_profile_shows_rates_against_the_baseline(chromium: Any) -> None:
    feed, cam = Feed(), Stream()
    for message in (cam.hello(), cam.status(0.5), cam.skeleton(0.5), cam.skeleton(0.5, 1)):
        feed.publish(EncodedMessage(message))
    with page_of(feed, f"127.0.0.1:{free_port()}") as url, opened(chromium, url) as seen:
        seen.says("link", "live")
        assert not seen.page.is_visible("#profile")
        first = cam.profile(5.0, {"head": 1}, baseline=False)
        for message in (cam.skeleton(5.0), cam.skeleton(5.0, 1), first):
            feed.publish(EncodedMessage(message))
        seen.says("profile-note", "60 s up to")
        seen.says("profile-note", "the baseline of 5:00 min is not complete: no comparison yet")
        assert cells(seen) == ["all 1.0 1 event", "head 1.0 1 event"]
        counts = {"head": 5, "body": 0, "leg-hand": 0}
        for message in (
            cam.skeleton(10.0),
            cam.profile(10.0, counts, hidden="leg-hand"),
            cam.profile(10.0, {"head": 3}, person=1),
            cam.skeleton(10.1),
            cam.skeleton(10.1, 1),
        ):
            feed.publish(EncodedMessage(message))
        seen.says("profiles", "Person 1")
        seen.says("profile-note", "against a baseline of 5:00 min")
        assert cells(seen) == [
            "all 5.0 5 events; baseline 2.0, × 2.5 (0.4 to 9.0)",
            "head 5.0 5 events; baseline 2.0, × 2.5 (0.4 to 9.0)",
            "body 0.0 0 events; baseline 2.0, × 0.0 (0.4 to 9.0)",
            "leg-hand not in view",
            "all 3.0 3 events; baseline 2.0, × 1.5 (0.4 to 9.0)",
            "head 3.0 3 events; baseline 2.0, × 1.5 (0.4 to 9.0)",
        ]
        # Bars share a scale of 6 a minute, and a mark is at the baseline.
        assert seen.page.eval_on_selector("#profiles .bar i", "(bar) => bar.style.transform").startswith("scaleX(0.833")
        assert seen.page.eval_on_selector("#profiles .bar u", "(mark) => mark.style.left").startswith("33.3")
        seen.page.select_option("#person", "1")
        seen.until("() => document.querySelectorAll('#profiles li').length === 2")
        assert cells(seen)[1].startswith("head 3.0")
        assert seen.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        assert (seen.errors, seen.foreign) == ([], [])


def test_a_recorded_profile_is_that_of_the_moment_shown(chromium: Any, tmp_path: Path) -> None:
    cam = Stream()
    with Recorder(RecordConfig(tmp_path), "cam", "a" * 32) as recorder:
        recorder.write(EncodedMessage(cam.hello()))
        for tenth in range(200):
            if tenth and tenth % 50 == 0:
                recorder.write(EncodedMessage(cam.profile(tenth / 10, {"head": tenth // 50})))
            recorder.write(EncodedMessage(cam.skeleton(tenth / 10)))
    phone = {"viewport": {"width": 390, "height": 844}}
    with review_of([tmp_path]) as url, opened(chromium, url, **phone) as seen:
        seen.says("time", "0:00.000 of 0:19.900")
        seen.says("profile-note", "none of this moment")
        for place, count in (("16000", 3), ("9900", 1), ("10000", 2)):
            seen.page.fill("#place", place)
            seen.says("profiles", f"{count} event")
            assert cells(seen)[1].startswith(f"head {count}.0")
        seen.says("profile-note", "60 s up to 0:10.000")
        seen.page.fill("#place", "4900")
        seen.says("profile-note", "none of this moment")
        assert cells(seen) == []
        assert seen.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        assert (seen.errors, seen.foreign) == ([], [])
