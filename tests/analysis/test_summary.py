"""Tables of a study, against numbers that were computed by hand."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from made_results import NOD, SHAKE, analyzed, result
from streaming_fakes import skeleton

from mar_edge.analysis.presence import Presence
from mar_edge.analysis.summary import summarize, write_actions, write_groups
from mar_edge.streaming.capture.frames import Frame


def rows(written: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written.decode())))


def test_videos_of_one_participant_and_condition_are_pooled() -> None:
    videos = [
        analyzed("a", "Ann", "calm", result((NOD, 10, 12, 0), (NOD, 20, 21, 0), (SHAKE, 11, 13, 0))),
        analyzed("b", "Ann", "calm", result((NOD, 0, 3, 0), minutes=3.0, seen={0: 1.0})),
        analyzed("c", "Ann", "tense", result()),
        analyzed("d", "Bob", "calm", result(seen={})),
    ]
    actions = rows(write_actions(summarize(videos)))
    assert len(actions) == 3 * 3
    nod = next(row for row in actions if (row["condition"], row["action"]) == ("calm", "nodding"))
    # 3 nods of 2 + 1 + 3 s in the 2 + 1 minutes with a person in view.
    expected = {
        "participant": "Ann", "condition": "calm", "action": "nodding", "body_group": "head", "label_id": "9",
        "count": "3", "rate_per_minute": "1.0000", "total_duration_s": "6.000", "mean_duration_s": "2.000",
        "share_of_time": f"{6 / 180:.6f}", "videos": "2", "videos_corrected": "0", "people": "2", "minutes": "5.0000",
        "minutes_with_person": "3.0000", "frames": "200", "frames_dropped": "2",
    }  # fmt: skip
    assert nod == expected
    groups = {
        (row["participant"], row["condition"], row["body_group"]): row for row in rows(write_groups(summarize(videos)))
    }
    head = groups["Ann", "calm", "head"]
    # Nod and shake overlap for a second: 4 events, 8 s in sum, 7 s of the time.
    assert (head["count"], head["total_duration_s"], head["share_of_time"]) == ("4", "8.000", f"{7 / 180:.6f}")
    none = groups["Ann", "tense", "head"]
    assert (none["count"], none["rate_per_minute"], none["mean_duration_s"]) == ("0", "0.0000", "")
    unknown = groups["Bob", "calm", "head"]
    assert (unknown["count"], unknown["rate_per_minute"], unknown["share_of_time"]) == ("0", "", "")


def test_the_main_person_is_the_one_in_view_longest() -> None:
    found = result((NOD, 0, 2, 1), (NOD, 1, 3, 2), (SHAKE, 5, 6, 2), seen={1: 0.5, 2: 1.5})
    (everybody,) = summarize([analyzed("a", "Ann", "", found)])
    (main,) = summarize([analyzed("a", "Ann", "", found, "main")])
    assert (everybody.people, everybody.events, main.people, main.events) == (2, 3, 1, 2)
    nods = everybody.actions[1]
    # Two people nod at once for a second: the time in which somebody nods is 3 s.
    assert (nods.count, nods.total_s, nods.share) == (2, 4.0, pytest.approx(3 / 90))
    assert everybody.seen_minutes == main.seen_minutes == 1.5


def test_frames_last_until_the_next_one_and_pauses_do_not_count() -> None:
    presence = Presence()
    image = np.zeros((2, 2, 3), np.uint8)
    times = [(0.0, 0, [3]), (0.1, 0, [3, 4]), (0.3, 0, []), (9.0, 1, [4]), (9.5, 1, [4])]
    for seq, (media_s, segment, people) in enumerate(times):
        presence.take(Frame(seq, 0, 0, media_s, image, segment), people)
    presence.finish(None)
    # Lengths 0.1, 0.2, 0.2 (as the one before it), 0.5, 0.5 s.
    assert presence.duration_ns == 1_500_000_000
    assert presence.seen_ns == 1_300_000_000
    assert presence.people_ns == {3: 300_000_000, 4: 1_200_000_000}


def test_a_single_frame_lasts_as_its_rate_says() -> None:
    presence = Presence()
    presence.take(Frame(0, 0, 0, 0.0, np.zeros((2, 2, 3), np.uint8)), [skeleton(np.zeros((44, 2), np.float32)).person])
    presence.finish(25.0)
    assert (presence.duration_ns, presence.seen_ns) == (40_000_000, 40_000_000)
