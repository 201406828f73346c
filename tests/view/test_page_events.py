"""Events on the page: chosen, simultaneous, of hidden parts of the body; and the people as drawn."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

pytest.importorskip("starlette")
from browser import Seen, free_port, opened, page_of, review_of
from view_messages import BOWING, EVERY_ACTION, GESTURES, LAYOUT, NODDING, TOUCHING_LEGS, ZERO_NS, Stream

from mar_edge.streaming.wire.encoding import EncodedMessage, encode
from mar_edge.streaming.wire.messages import AnyMessage
from mar_edge.view.feed import Feed
from mar_edge.view.picture_encoder import PictureHeader

PHONE = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"}
# Bounding box of the pixels brighter than the background, relative to the canvas: left, top, right, bottom.
DRAWN = """() => {
  const canvas = document.getElementById("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let box = [1, 1, 0, 0];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] + data[i + 1] + data[i + 2] < 260) continue;
    const [x, y] = [(i / 4) % canvas.width / canvas.width, Math.floor(i / 4 / canvas.width) / canvas.height];
    box = [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)];
  }
  return box;
}"""
MIDDLE = """() => {
  const { width, height } = document.getElementById("canvas");
  const at = document.getElementById("canvas").getContext("2d").getImageData(width / 2, height / 2, 1, 1).data;
  return [at[0] > 150, at[1] > 150, at[2] > 150];
}"""
# A person facing the camera, shoulders and head, in a picture of 640x480.
PORTRAIT = {
    "nose": (320, 170), "left_eye": (338, 150), "right_eye": (302, 150),
    "left_ear": (364, 158), "right_ear": (276, 158), "upper_lip": (320, 188), "lower_lip": (320, 194),
    "nose_bridge": (320, 150), "left_shoulder": (420, 290), "right_shoulder": (220, 290), "neck": (320, 290),
}  # fmt: skip


def written(path: Path, messages: Iterable[AnyMessage], visible: dict[int, list[str]] | None = None) -> Path:
    """Write a recording. visible: visible regions in the label message of each number."""
    documents = []
    labels = 0
    for message in messages:
        document = msgspec.json.decode(encode(message))
        if document["kind"] == "label":
            if labels in (visible or {}):
                document["visible"] = (visible or {})[labels]
            labels += 1
        documents.append(msgspec.json.encode(document))
    path.write_bytes(b"\n".join(documents) + b"\n")
    return path


def posed(cam: Stream, at_s: float, places: dict[str, tuple[float, float]], person: int = 0) -> Any:
    joints = tuple(places.get(name) for name in LAYOUT.joints)
    return msgspec.structs.replace(cam.skeleton(at_s, person), joints=joints)


def long_recording(path: Path) -> Path:
    """Write two minutes with a nod every 3 s."""
    cam = Stream()
    messages = [cam.hello(), *(cam.skeleton(frame / 10) for frame in range(1200))]
    for number in range(39):
        at_s = 2.0 + 3 * number
        messages += [cam.event(at_s, number, at_s), cam.event(at_s + 1, number, at_s, at_s + 1)]
    return written(path, messages)


def busy_recording(path: Path, visible: dict[int, list[str]] | None = None) -> Path:
    """Write simultaneous events of a model without a background, whose scores are independent."""
    cam = Stream()
    messages: list[AnyMessage] = [cam.hello(EVERY_ACTION, None)]
    for frame in range(180):
        messages.append(cam.skeleton(frame / 30))
        if frame % 6 == 0:
            messages.append(cam.label(frame / 30, score=0.9, labels=(NODDING, TOUCHING_LEGS, GESTURES, BOWING)))
    events = [(1.0, 4.0, NODDING), (1.5, 5.0, TOUCHING_LEGS), (2.0, 4.5, GESTURES), (2.5, 3.5, BOWING)]
    for number, (start_s, end_s, label) in enumerate(events):
        messages += [cam.event(start_s + 0.5, number, start_s, None, label)]
        messages += [cam.event(end_s + 0.2, number, start_s, end_s, label)]
    return written(path, messages, visible)


def go_to(seen: Seen, at_s: float) -> None:
    # Chromium rounds the value of a slider to its step.
    seen.page.fill("#place", str(round(at_s * 1000)))
    seen.until("(t) => Number(document.getElementById('place').value) === t", round(at_s * 1000))


def test_choosing_an_event_does_not_scroll_a_long_list(chromium: Any, tmp_path: Path) -> None:
    with review_of([long_recording(tmp_path / "long.jsonl")]) as url, opened(chromium, url) as seen:
        seen.page.wait_for_selector("#events li:nth-child(39)", state="attached")
        seen.page.evaluate("() => { document.getElementById('events').scrollTop = 790; }")
        box = seen.page.locator("#events button").nth(25).bounding_box()
        seen.page.mouse.move(box["x"] + 40, box["y"] + 10)
        seen.page.wait_for_timeout(300)  # until the score of the event is shown
        scrolled = seen.page.evaluate("() => document.getElementById('events').scrollTop")
        seen.page.mouse.down()
        seen.page.mouse.up()
        seen.page.wait_for_selector("#events button[aria-pressed=true]")
        seen.says("event", "1:17.000 – 1:18.000")
        seen.page.wait_for_timeout(500)  # a few animation frames
        assert seen.page.evaluate("() => document.getElementById('events').scrollTop") == scrolled
        seen.says("event", "1:17.000 – 1:18.000")
        # An event chosen on the timeline scrolls into view in the list.
        go_to(seen, 11.0)
        seen.page.focus(".block[aria-label*='0:11.000']")
        seen.page.keyboard.press("Enter")
        seen.until("""() => {
          const places = ["#events", "#events [aria-pressed=true]"].map((at) => document.querySelector(at));
          const [list, row] = places.map((each) => each.getBoundingClientRect());
          return row.top >= list.top - 1 && row.bottom <= list.bottom + 1 && places[0].scrollTop < 400;
        }""")
        assert seen.errors == []


def test_an_element_that_moves_under_a_resting_pointer_is_not_pointed_at(chromium: Any) -> None:
    feed, cam = Feed(), Stream()
    for message in (cam.hello(), cam.status(30.0), cam.skeleton(30.0), cam.label(30.0)):
        feed.publish(EncodedMessage(message))
    for number in range(12):
        feed.publish(EncodedMessage(cam.event(10.0 + number, number, 9.0 + number, 9.5 + number)))
    address = f"127.0.0.1:{free_port()}"
    with page_of(feed, address) as url, opened(chromium, url) as seen:
        seen.page.wait_for_selector("#events li:nth-child(12)", state="attached")
        row = seen.page.locator("#events button").nth(2)
        row.click()
        chosen = seen.page.inner_text("#event .note")
        assert seen.page.inner_text("#events [aria-pressed=true] .when").split(" ·")[0] in chosen
        for number in range(12, 16):
            feed.publish(EncodedMessage(cam.event(20.0 + number, number, 19.0 + number, 19.5 + number)))
        seen.page.wait_for_selector("#events li:nth-child(16)", state="attached")
        seen.page.wait_for_timeout(400)
        assert seen.page.inner_text("#event .note") == chosen


def test_a_recording_opens_with_the_people_in_it(chromium: Any, tmp_path: Path) -> None:
    cam = Stream()
    skeletons = [cam.skeleton(frame / 30) for frame in (*range(60), *range(300, 330))]
    path = written(tmp_path / "a.jsonl", [cam.hello(), *skeletons[:60], cam.label(1.0), *skeletons[60:]])
    with review_of([path]) as url, opened(chromium, url) as seen:
        seen.until("() => document.getElementById('canvas').ariaLabel === 'Skeleton of 1 person'")
        seen.says("now", "Person 0")
        seen.says("now", "no label yet")
        go_to(seen, 1.5)
        seen.says("now", "nodding")
        go_to(seen, 7.0)  # in the pause
        seen.says("now", "nothing was recorded here")
        seen.until("() => document.getElementById('canvas').ariaLabel === 'Nobody is detected'")


def jpeg(color: tuple[int, int, int]) -> bytes:
    return cv2.imencode(".jpg", np.full((480, 640, 3), color, np.uint8))[1].tobytes()


def test_freezing_keeps_the_picture(chromium: Any) -> None:
    feed, cam = Feed(video=True), Stream()

    def show(at_s: float, color: tuple[int, int, int]) -> None:
        feed.publish(EncodedMessage(posed(cam, at_s, {})))
        head = PictureHeader("cam", round(at_s * 30), ZERO_NS + round(at_s * 1e9), 640, 480)
        feed.publish_picture("cam", msgspec.json.encode(head) + b"\n" + jpeg(color))

    address = f"127.0.0.1:{free_port()}"
    with page_of(feed, address) as url, opened(chromium, url) as seen:
        for message in (cam.hello(), cam.status(0.5)):
            feed.publish(EncodedMessage(message))
        seen.says("link", "live")
        show(1.0, (0, 0, 255))  # BGR
        seen.until(f"() => String(({MIDDLE})()) === 'true,false,false'")
        show(2.0, (0, 255, 0))
        seen.until(f"() => String(({MIDDLE})()) === 'false,true,false'")
        seen.page.click("#freeze")
        seen.page.wait_for_selector(".transport.frozen")
        show(3.0, (255, 0, 0))
        seen.page.wait_for_timeout(400)
        seen.until(f"() => String(({MIDDLE})()) === 'false,true,false'")
        seen.page.press("#place", "Home")  # the beginning of what is kept
        seen.until(f"() => String(({MIDDLE})()) === 'true,false,false'")
        seen.page.keyboard.press("Escape")
        seen.until(f"() => String(({MIDDLE})()) === 'false,false,true'")
        assert seen.errors == []


def test_without_a_server_nothing_is_shown_as_current(chromium: Any) -> None:
    address = f"127.0.0.1:{free_port()}"
    feed, cam = Feed(), Stream()
    for message in (cam.hello(), cam.status(2.0), cam.skeleton(2.0), cam.label(2.0), cam.event(2.0, 1, 1.0)):
        feed.publish(EncodedMessage(message))
    with ExitStack() as serving, opened(chromium, serving.enter_context(page_of(feed, address))) as seen:
        seen.says("link", "live")
        feed.publish(EncodedMessage(cam.skeleton(2.1)))
        seen.says("now", "nodding")
        seen.says("health", "30.0 fps")
        feed.publish(EncodedMessage(cam.status(2.2, camera="lost")))
        seen.says("now", "no messages now")
        feed.publish(EncodedMessage(cam.status(2.3)))
        feed.publish(EncodedMessage(cam.label(2.3)))
        seen.says("now", "nodding")
        seen.page.wait_for_selector(".block.lasting")
        serving.close()
        seen.says("now", "no messages now")
        seen.page.wait_for_selector("#canvas.past")
        seen.until("() => document.getElementById('canvas').ariaLabel === 'Last detected: skeleton of 1 person'")
        assert seen.page.locator("#now .bar").count() == 0
        assert "gone" in seen.page.inner_text("#health")
        assert "fps" not in seen.page.inner_text("#health")
        width = "() => document.querySelector('.block').getBoundingClientRect().width"
        before = seen.page.evaluate(width)
        seen.page.wait_for_timeout(600)
        assert seen.page.evaluate(width) == before
        with page_of(feed, address):  # the server returns
            seen.says("now", "nodding")
            seen.page.wait_for_selector("#canvas:not(.past)")


def test_accessible_names_hold_the_visible_text(chromium: Any, tmp_path: Path) -> None:
    with review_of([busy_recording(tmp_path / "busy.jsonl")]) as url, opened(chromium, url) as seen:
        go_to(seen, 3.0)
        seen.page.wait_for_selector(".block")
        pairs = seen.page.evaluate("""() => [...document.querySelectorAll("button, a, [role=button]")].map((each) =>
          [each.innerText, each.getAttribute("aria-label")])""")
        plain = [[re.sub(r"[\W_]+", " ", text or "").strip().lower() for text in pair] for pair in pairs]
        wrong = [pair for pair in plain if pair[1] and pair[0] not in pair[1]]
        assert wrong == []
        names = seen.page.locator("#events").aria_snapshot()
        assert "nodding 0:01.0 · 3.0 s" in names
        assert "person 0" in names


def test_on_a_phone_a_chosen_event_scrolls_into_view(chromium: Any, tmp_path: Path) -> None:
    with review_of([long_recording(tmp_path / "a.jsonl")]) as url, opened(chromium, url, **PHONE) as seen:
        seen.page.locator("#events button").nth(20).click()  # which scrolls down to it
        seen.until("""() => {
          const { top, bottom } = document.getElementById("canvas").getBoundingClientRect();
          return top >= 0 && bottom <= innerHeight;
        }""")
        seen.says("event", "1:02.000")


def test_simultaneous_events_are_all_shown(chromium: Any, tmp_path: Path) -> None:
    with review_of([busy_recording(tmp_path / "busy.jsonl")]) as url, opened(chromium, url) as seen:
        go_to(seen, 3.0)
        names = ["nodding", "touching legs", "illustrative gestures", "bowing head"]
        seen.says("now", "nodding 2.0 s")
        seen.says("now", "0.90")
        assert [row.split(" ")[0] for row in seen.page.locator("#now .guess").all_inner_texts()] == [
            name.split(" ")[0] for name in names
        ]
        assert all("0.90" in row for row in seen.page.locator("#now .guess").all_inner_texts())
        seen.until("() => document.querySelectorAll('#event svg').length === 3")
        # No two overlap on the timeline.
        boxes = [block.bounding_box() for block in seen.page.locator(".block").all()]
        assert len(boxes) == 4
        for number, box in enumerate(boxes):
            for other in boxes[:number]:
                apart = box["y"] >= other["y"] + other["height"] or other["y"] >= box["y"] + box["height"]
                assert apart, (box, other)
        tags = seen.page.evaluate("""async () => {
          const { page } = await import("/static/page.js");
          return page.stream.track.eventsAt(page.player.t, 0).map((event) => event.label.name);
        }""")
        assert tags == names
        # Only the score of a chosen event is shown.
        seen.page.locator("#events button", has_text="touching legs").click()
        seen.until("() => document.querySelectorAll('#event svg').length === 1")
        seen.says("event", "touching legs · leg-hand")
        assert seen.errors == []


def test_live_events_end_independently(chromium: Any) -> None:
    feed, cam = Feed(), Stream()
    for message in (cam.hello(EVERY_ACTION, None), cam.status(2.0), cam.skeleton(2.0)):
        feed.publish(EncodedMessage(message))
    labels = (NODDING, TOUCHING_LEGS)
    feed.publish(EncodedMessage(cam.label(2.0, labels=labels)))
    feed.publish(EncodedMessage(cam.event(2.0, 1, 1.0, None, NODDING)))
    feed.publish(EncodedMessage(cam.event(2.0, 2, 0.5, None, TOUCHING_LEGS)))
    with page_of(feed, f"127.0.0.1:{free_port()}") as url, opened(chromium, url) as seen:
        seen.until("() => document.querySelectorAll('.block.lasting').length === 2")
        seen.until("() => document.querySelectorAll('#event svg').length === 2")
        seen.until("() => document.querySelectorAll('#now em').length === 2")
        seen.says("announcements", "nodding started; touching legs started")  # both are spoken
        feed.publish(EncodedMessage(cam.event(3.0, 1, 1.0, 2.2, NODDING)))
        feed.publish(EncodedMessage(cam.label(3.0, labels=labels)))
        seen.until("() => document.querySelectorAll('.block.lasting').length === 1")
        seen.until("() => document.querySelectorAll('#now em').length === 1")
        assert "in progress" in seen.page.inner_text("#events")


def test_hidden_body_groups_are_gray_with_the_reason(chromium: Any, tmp_path: Path) -> None:
    above = {number: ["head", "trunk", "arms", "hands"] for number in range(30)}
    hidden, old = busy_recording(tmp_path / "a.jsonl", above), busy_recording(tmp_path / "b.jsonl")
    with review_of([hidden, old]) as url, opened(chromium, url) as seen:
        go_to(seen, 0.5)
        seen.says("now", "lower limb, leg-hand: legs not visible")
        assert "legs not visible" in seen.page.inner_text("#now .guess.masked")  # touching legs
        assert seen.page.locator(".lanes .masked").all_inner_texts() == ["lower limb", "leg-hand"]
        assert seen.page.locator(".row", has_text="legs not visible").count() == 2
        # An old recording does not say what is visible, so nothing is gray.
        seen.page.select_option("#stream", "1")
        seen.says("time", "0:00.000")
        go_to(seen, 0.5)
        seen.says("now", "nodding")
        assert seen.page.locator(".masked").count() == 0


def test_an_event_in_progress_is_not_discarded(chromium: Any) -> None:
    with page_of(Feed(), f"127.0.0.1:{free_port()}") as url, opened(chromium, url) as seen:
        kept = seen.page.evaluate("""async () => {
          const { Track } = await import("/static/track.js");
          const track = new Track(60000);
          const event = (id, end) => track.takeEvent({
            run: "a", event_id: id, person: 0, label: { id },
            t_capture_ns: id * 1e9, t_start_ns: id * 1e9, t_end_ns: end,
          });
          event(0, null);
          for (let id = 1; id < 400; id += 1) event(id, id * 1e9 + 1);
          return [track.events.size, track.events.has("a:0")];
        }""")
        assert kept == [300, True]


def test_a_distant_person_is_enlarged_and_a_nod_moves_the_face(chromium: Any, tmp_path: Path) -> None:
    cam = Stream()

    def small(down: float) -> dict[str, tuple[float, float]]:
        """Return the portrait at a sixth of the size, in a corner; the face is ``down`` of its pixels lower."""
        face = ("nose", "left_eye", "right_eye", "upper_lip", "lower_lip", "nose_bridge")
        return {name: (20 + x / 6, 300 + (y + down * (name in face)) / 6) for name, (x, y) in PORTRAIT.items()}

    frames = [posed(cam, frame / 30, small(12 if frame % 30 >= 15 else 0)) for frame in range(60)]
    with review_of([written(tmp_path / "a.jsonl", [cam.hello(), *frames])]) as url, opened(chromium, url) as seen:
        seen.until("() => document.getElementById('canvas').ariaLabel === 'Skeleton of 1 person'")
        go_to(seen, 0.4)
        # Of the canvas; the head is 0.05 of the camera's picture.
        seen.until(f"() => {{ const [, top, , bottom] = ({DRAWN})(); return bottom - top > 0.2; }}")
        left, _, right, _ = seen.page.evaluate(DRAWN)
        assert 0.2 < left < right < 0.8
        up, down = (
            seen.page.evaluate("""async (places) => {
              const { headOf } = await import("/static/figure.js");
              const joints = Object.entries(places).map(([name, [x, y]]) => [name, { x, y, score: 1, motion: 0 }]);
              const { crown, chin, height, center } = headOf(Object.fromEntries(joints));
              return { crown: crown.y, chin: chin.y, height, x: center.x };
            }""", {name: list(place) for name, place in places.items()})
            for places in (small(0), small(12))
        )  # fmt: skip
        assert up["crown"] < 300 + 110 / 6 < 300 + 200 / 6 < up["chin"] < 300 + 240 / 6
        assert down["chin"] - up["chin"] == pytest.approx(2, abs=0.5)
        assert down["crown"] == pytest.approx(up["crown"], abs=0.5)
        assert up["x"] == pytest.approx(20 + 320 / 6, abs=0.5)


def test_missing_joints_never_fail_to_draw(chromium: Any) -> None:
    """Draw people with each joint missing, and with only one joint: nothing fails."""
    places = {name: [100.0 + 5 * v, 60.0 + 8 * v] for v, name in enumerate(LAYOUT.joints)}
    with page_of(Feed(), f"127.0.0.1:{free_port()}") as url, opened(chromium, url) as seen:
        extents = seen.page.evaluate("""async (places) => {
          const { extentOf } = await import("/static/figure.js");
          const { Pen } = await import("/static/pen.js");
          const context = document.createElement("canvas").getContext("2d");
          const all = Object.entries(places).map(([name, [x, y]]) => [name, { x, y, score: 1, motion: 1 }]);
          const some = [[], all, ...all.map((_, i) => all.toSpliced(i, 1)), ...all.map((one) => [one])];
          const people = some.map((joints) => Object.fromEntries(joints));
          const pens = [new Pen(context, false), new Pen(context, true)];
          for (const person of people) pens.forEach((pen) => pen.draw(person));
          return people.map((person) => Number.isFinite(extentOf(person).left));
        }""", places)  # fmt: skip
        assert extents == [False, *[True] * (1 + 2 * len(places))]
        assert seen.errors == []
