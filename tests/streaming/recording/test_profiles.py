from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from recorded_runs import HUM, NOD, SHAKE, SHRUG, Stream

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recognition.activity import PersonProfile, ProfileRules
from mar_edge.streaming.recording.profile_follower import ProfileFollower
from mar_edge.streaming.recording.profiles import baseline_of, live_profiles, profiles_of, read_observed


def watched(stream: Stream, start_s: float, end_s: float, *people: int) -> Stream:
    """Add a frame and a label of each person, each second; windows are of 2 s."""
    for second in range(round(start_s), round(end_s)):
        for person in people:
            stream.skeletons(second, second + 0.03, person)
        for person in people:
            stream.labels(second, person)
    return stream


def recorded(path: Path) -> Path:
    """Write 30 s of person 0, with person 1 from 10 s to 20 s."""
    stream = watched(Stream().hello(), 2, 10, 0)
    stream.event(NOD, 4.0, 6.0, score=0.9).event(NOD, 9.5, 12.0)
    watched(stream, 10, 20, 0, 1).event(SHAKE, 13.0, 14.0, person=1).event(SHRUG, 18.5, 0.0, ends=False)
    return watched(stream, 20, 31, 0).end(30.0, 28, 0).write(path)


def totals(profiles: list[PersonProfile], person: int = 0) -> list[tuple[float, int, float, float]]:
    first = profiles[0].start_ns
    return [
        ((each.start_ns - first) / 1e9, each.total.count, each.total.duration_s, each.total.in_view_s)
        for each in profiles
        if each.person == person
    ]


def test_each_event_is_in_the_windows_of_its_own_time(tmp_path: Path) -> None:
    (observed,) = read_observed([recorded(tmp_path / "a.jsonl")])
    profiles = profiles_of(observed, ProfileRules(window_s=10.0, step_s=10.0))
    # The second nod was recognized at 10 s and began at 9.5 s. The shrug has no end: it lasts as long as it was heard.
    assert totals(profiles) == [(0, 2, 2.5, 10.0), (10, 1, 3.0, 10.0), (20, 0, 0.0, 10.0)]
    # The first window of person 1 begins at 8 s.
    assert totals(profiles, person=1) == [(0, 0, 0.0, 2.0), (10, 1, 1.0, 9.0)]
    assert {each.name for each in profiles[0].actions} == {SHRUG.name, NOD.name, SHAKE.name}
    assert [each.name for each in profiles[0].bodies] == ["body", "head", HUM.body]


def test_the_last_window_holds_the_end(tmp_path: Path) -> None:
    (observed,) = read_observed([recorded(tmp_path / "a.jsonl")])
    profiles = profiles_of(observed, ProfileRules(window_s=8.0, step_s=8.0))
    assert totals(profiles)[-1] == (24.0, 0, 0.0, 6.0)
    assert sum(each.total.count for each in profiles) == len(observed.timeline.events)
    assert sum(each.total.in_view_s for each in profiles if each.person == 0) == pytest.approx(30.0)


def test_parts_of_a_recording_in_any_order_are_one(tmp_path: Path) -> None:
    whole = recorded(tmp_path / "whole.jsonl")
    lines = whole.read_bytes().splitlines(keepends=True)
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_bytes(b"".join(lines[:60]))
    second.write_bytes(b"".join(lines[60:]))
    rules = ProfileRules(window_s=10.0, baseline_minutes=0.2)
    (expected,) = (profiles_of(observed, rules) for observed in read_observed([whole]))
    for files in ([first, second], [second, first]):
        (found,) = (profiles_of(observed, rules) for observed in read_observed(files))
        assert found == expected


def test_a_baseline_is_not_complete_where_the_recording_ends_before_it(tmp_path: Path) -> None:
    path = watched(Stream().hello(), 2, 101, 5).end(100.0, 99, 0).write(tmp_path / "rest.jsonl")
    (observed,) = read_observed([path])
    for minutes, expected in ((1.9, False), (1.6, True)):  # 114 s and 96 s; the last window ends at 120 s
        rules = ProfileRules(window_s=30.0, step_s=30.0, baseline_minutes=minutes)
        assert profiles_of(observed, rules)[-1].baseline_complete is expected
        assert followed(watched(Stream().hello(), 2, 101, 5), rules)[-1].baseline_complete is expected


def followed(stream: Stream, rules: ProfileRules) -> list[PersonProfile]:
    """Return what ``serve --profile`` finds in these messages, whose wall clock is the media clock."""
    follower, found, frame = ProfileFollower(rules), list[PersonProfile](), None
    for message in stream.messages:
        if message.frame != frame:
            frame = message.frame
            found += follower.begin_frame(message.t_capture_ns, message.t_capture_ns)
        follower.take(message)
    return found + follower.finish()


def test_a_baseline_recording_shows_one_person(tmp_path: Path) -> None:
    rest = watched(Stream(run="b" * 32).hello(), 2, 122, 5)
    rest.event(NOD, 20.0, 21.0, person=5).event(SHAKE, 30.0, 31.0, person=5, score=0.5)
    watched(rest, 122, 124, 5, 6)  # somebody passes by
    path = rest.write(tmp_path / "rest.jsonl")
    baseline = baseline_of(read_observed([path]))
    assert (baseline.counts, baseline.in_view_s()) == ({NOD: 1, SHAKE: 1}, 123.0)
    (observed,) = read_observed([recorded(tmp_path / "task.jsonl")])
    first, *_ = profiles_of(observed, ProfileRules(window_s=10.0, step_s=10.0), baseline)
    base = first.total.baseline
    assert base is not None
    assert (first.baseline_complete, first.baseline_s, base.rate_per_min) == (True, 123.0, round(2 * 60 / 123, 4))
    assert base.ratio == round(12.0 / (2 * 60 / 123), 4)

    watched(rest, 124, 150, 5, 6).write(path)
    with pytest.raises(MarEdgeError, match="shows one person, this one person 5 for 149 s, person 6 for 29 s"):
        baseline_of(read_observed([path]))
    Stream().hello().skeletons(0.0, 1.0).write(path)
    with pytest.raises(MarEdgeError, match="no person is in view"):
        baseline_of(read_observed([path]))
    recorded(path).write_bytes(path.read_bytes() + rest.write(tmp_path / "b.jsonl").read_bytes())
    with pytest.raises(MarEdgeError, match="a baseline takes one run"):
        baseline_of(read_observed([path]))


def test_without_labels_nobody_knows_how_long_anyone_was_in_view(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(Stream().hello().event(NOD, 1.0, 2.0).write(path).read_bytes())
    with pytest.raises(MarEdgeError, match=r"events\.jsonl: no label message says how long"):
        read_observed([path])


def test_times_that_are_far_apart_are_an_error(tmp_path: Path) -> None:
    path = Stream().hello().labels(3.0).event(NOD, -1e9, -1e9 + 2).labels(4.0).write(tmp_path / "jump.jsonl")
    (observed,) = read_observed([path])
    with pytest.raises(MarEdgeError, match=r"jump\.jsonl: 11574 days of profiles; did a clock jump"):
        profiles_of(observed, ProfileRules())


def test_profiles_as_live_need_media_time_in_order(tmp_path: Path) -> None:
    path = recorded(tmp_path / "old.jsonl")
    (observed,) = read_observed([path])
    with pytest.raises(MarEdgeError, match=r"old\.jsonl, line 2: a skeleton without media time"):
        live_profiles([path], [observed.timeline], ProfileRules())
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    for line in lines:
        if line["kind"] == "skeleton":
            line["t_media_ns"] = line["t_capture_ns"] - lines[0]["t_zero_ns"]
    lines[1], lines[20] = lines[20], lines[1]
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    with pytest.raises(MarEdgeError, match="comes after a later one"):
        live_profiles([path], [observed.timeline], ProfileRules())
