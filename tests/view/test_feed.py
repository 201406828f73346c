from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

from view_messages import Stream

from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.view.feed import HISTORY_S, MOST_BROWSERS, Feed, Outbox


def joined(feed: Feed) -> Outbox:
    outbox = feed.subscribe()
    assert outbox is not None
    return outbox


def taken(outbox: Outbox) -> list[dict[str, Any]]:
    documents, _ = outbox.take()
    return list(json.loads(documents)) if documents else []


def kinds(outbox: Outbox) -> list[str]:
    return [message["kind"] for message in taken(outbox)]


def test_a_late_browser_gets_the_present_and_recent_history() -> None:
    feed, cam = Feed(), Stream()
    for message in (cam.hello(), cam.status(0.0), cam.label(1.0), cam.event(1.2, 1, 0.8), cam.skeleton(1.3)):
        feed.publish(EncodedMessage(message))
    feed.publish(EncodedMessage(cam.label(1.2 + HISTORY_S)))
    feed.publish(EncodedMessage(cam.status(1.3 + HISTORY_S)))
    told = taken(joined(feed))
    assert [message["kind"] for message in told] == ["view", "hello", "event", "label", "status"]
    assert told[-1]["uptime_s"] == 1.3 + HISTORY_S
    feed.publish(EncodedMessage(Stream(run="b" * 32).hello()))  # a restarted sender has no history
    assert kinds(joined(feed)) == ["view", "hello"]


def test_a_newer_frame_replaces_an_older_one_with_all_its_people() -> None:
    feed, cam = Feed(), Stream()
    slow, quick = joined(feed), joined(feed)
    taken(slow)
    for number in range(5):
        for person in (0, 1):
            feed.publish(EncodedMessage(cam.skeleton(number / 30, person)))
        feed.publish(EncodedMessage(cam.label(number / 30)))
        taken(quick)
    told = taken(slow)
    assert [message["frame"] for message in told if message["kind"] == "skeleton"] == [4, 4]
    assert [message["frame"] for message in told if message["kind"] == "label"] == [0, 1, 2, 3, 4]
    assert (slow.skipped, quick.skipped) == (4, 0)
    feed.unsubscribe(slow)
    feed.unsubscribe(quick)
    assert taken(joined(feed))[0]["skipped"] == 4  # still counted after it disconnected


def test_a_newer_picture_replaces_an_older_one() -> None:
    feed = Feed(video=True)
    slow = joined(feed)
    for number in range(3):
        feed.publish_picture("cam", b"%d" % number)
    feed.publish_picture("door", b"d")
    documents, pictures = slow.take()
    assert json.loads(documents)[0]["video"] is True
    assert (pictures, slow.skipped) == ([b"2", b"d"], 2)
    assert slow.empty


def test_a_browser_that_never_reads_is_disconnected_with_bounded_memory() -> None:
    feed, cam = Feed(), Stream()
    deaf = joined(feed)
    for number in range(2500):
        feed.publish(EncodedMessage(cam.label(number / 30)))
    assert deaf.full
    assert deaf.take() == (b"", [])
    feed.publish(EncodedMessage(cam.label(100.0)))
    assert deaf.take() == (b"", [])
    feed.unsubscribe(deaf)
    assert (feed.dropped, feed.browsers) == (1, 0)


def test_the_number_of_browsers_is_limited() -> None:
    feed = Feed()
    for _ in range(MOST_BROWSERS):
        joined(feed)
    assert feed.subscribe() is None


def test_messages_of_another_thread_wake_the_task_of_a_browser() -> None:
    feed, cam = Feed(), Stream()

    async def look_on() -> list[str]:
        feed.attach(asyncio.get_running_loop())
        outbox = joined(feed)
        seen: list[str] = []
        thread = threading.Thread(target=lambda: [feed.publish(EncodedMessage(cam.label(n / 10))) for n in range(200)])
        thread.start()
        while seen.count("label") < 200:
            await asyncio.wait_for(outbox.ready.wait(), 10)
            outbox.ready.clear()
            seen += kinds(outbox)
        thread.join()
        feed.attach(None)
        feed.publish(EncodedMessage(cam.label(30.0)))  # no loop runs any more
        return seen

    assert asyncio.run(look_on()).count("label") == 200
