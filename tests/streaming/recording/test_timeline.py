from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from recorded_runs import HUM, LABELS, NOD, NS, RUN, SHAKE, SHRUG, ZERO_NS, Stream, two_people

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.streaming.recognition.thresholds import LabelChoice
from mar_edge.streaming.recording.recorder import RecordConfig, StreamRecorders
from mar_edge.streaming.recording.timeline import Timeline, the_only
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.streaming.wire.encoding import encode
from mar_edge.streaming.wire.messages import MarkerMessage, SkeletonMessage
from mar_edge.view.wording import summary


def read(tmp_path: Path, stream: Stream) -> Timeline:
    return the_only(read_timelines([stream.write(tmp_path / "run.jsonl")]), "a test")


def test_an_event_has_the_values_of_its_last_message(tmp_path: Path) -> None:
    timeline = read(tmp_path, two_people())
    assert [(event.label, event.person, event.score) for event in timeline.events] == [
        (NOD, 0, 0.9),
        (SHRUG, 1, 0.4),
        (SHAKE, 0, 0.8),
        (HUM, 0, 0.8),
        (NOD, 1, 0.8),
    ]
    nod, shrug, *_ = timeline.events
    assert (nod.t_start_ns, nod.t_end_ns) == (ZERO_NS + NS, ZERO_NS + 2_500_100_000)
    assert (timeline.seconds(nod.t_start_ns), timeline.milliseconds(nod.t_end_ns)) == (1.0, 2500)
    assert timeline.milliseconds(shrug.t_start_ns) == 1235
    assert (timeline.stream, timeline.run, timeline.source, timeline.model) == ("cam", RUN, "clip.mp4", "tiny model")
    assert timeline.people == (0, 1)
    assert timeline.zero_ns == timeline.first_ns == ZERO_NS
    assert summary([timeline]) == "5 events of 2 people in 8 s"


def test_the_background_is_no_label_of_events_and_a_missing_body_group_is_other(tmp_path: Path) -> None:
    timeline = read(tmp_path, two_people())
    assert timeline.labels == (*LABELS[:11], HUM)
    assert timeline.bodies() == ("body", "head", "other")


def test_without_a_background_every_label_is_listed(tmp_path: Path) -> None:
    stream = Stream().hello().event(NOD, 1, 2)
    stream.messages[0] = msgspec.structs.replace(stream.messages[0], background=None)
    assert read(tmp_path, stream).labels == LABELS


def test_labels_that_were_taught_during_the_recording_are_listed(tmp_path: Path) -> None:
    stream = Stream().hello().event(NOD, 1, 2).hello()
    wink = Label(1000, "winking", "head")
    stream.messages[-1] = msgspec.structs.replace(stream.messages[-1], labels=(*LABELS, wink))
    assert read(tmp_path, stream).labels == (*LABELS[:11], *LABELS[12:], wink)


def test_an_open_event_lasts_to_the_end_of_the_recording(tmp_path: Path) -> None:
    timeline = read(tmp_path, two_people())
    assert [event.is_open for event in timeline.events] == [False] * 4 + [True]
    assert timeline.events[-1].t_end_ns == timeline.last_ns == ZERO_NS + round(239 / 30 * NS)


def test_an_event_whose_end_was_lost_ends_with_its_last_message(tmp_path: Path) -> None:
    stream = Stream().hello().event(NOD, 1, 0, ends=False).event(SHRUG, 1.5, 4).event(SHAKE, 5, 6)
    nod, *others = read(tmp_path, stream).events
    assert nod.is_open
    assert nod.t_end_ns == ZERO_NS + 2 * NS
    assert [event.t_end_ns for event in others] == [ZERO_NS + 4 * NS, ZERO_NS + 6 * NS]


def test_markers_are_on_the_clock_of_events(tmp_path: Path) -> None:
    """Step the wall clock between two frames: neither moves."""
    stream = Stream().hello().skeletons(0, 2).marker("go", 1.9).event(NOD, 1.0, 1.5).marker("stop", 0.5, "buttons")
    timeline = read(tmp_path, stream)
    assert [(timeline.seconds(marker.t_ns), marker.text, marker.source) for marker in timeline.markers] == [
        (0.5, "stop", "buttons"),
        (1.9, "go", "stimuli"),
    ]
    assert timeline.labels == (*LABELS[:11], HUM)
    jumped = [
        msgspec.structs.replace(message, t_media_ns=message.t_capture_ns - ZERO_NS)
        if isinstance(message, SkeletonMessage)
        else message
        for message in stream.messages
    ]
    at = next(place for place, message in enumerate(jumped) if message.frame == 50)
    for place in range(at, len(jumped)):
        later = {"t_capture_ns": jumped[place].t_capture_ns + 3600 * NS}
        if isinstance(jumped[place], MarkerMessage) and jumped[place].text == "go":
            later["t_marker_ns"] = jumped[place].t_marker_ns + 3600 * NS
        jumped[place] = msgspec.structs.replace(jumped[place], **later)
    stream.messages = jumped
    assert [marker.t_ns for marker in read(tmp_path, stream).markers][-1] == ZERO_NS + 1_900_000_000


def test_several_events_of_a_person_may_overlap(tmp_path: Path) -> None:
    """End one without ending another; two that are open both last to the end of the recording."""
    stream = Stream().hello().event(NOD, 1, 5).event(SHAKE, 2, 3).event(SHRUG, 2.5, 6)
    stream.event(NOD, 7, 0, ends=False).event(SHRUG, 7.25, 0, ends=False).skeletons(7, 8.5)
    timeline = read(tmp_path, stream)
    spans = [(timeline.seconds(event.t_start_ns), timeline.seconds(event.t_end_ns)) for event in timeline.events]
    last_s = timeline.seconds(timeline.last_ns)
    assert spans == [(1, 5), (2, 3), (2.5, 6), (7, last_s), (7.25, last_s)]


def test_rotated_parts_are_one_timeline_in_any_order(tmp_path: Path) -> None:
    stream = two_people()
    with StreamRecorders(RecordConfig(tmp_path, most_mb=0.05)) as recorders:
        for message in stream.messages:
            recorders.write(message)
    parts = sorted(tmp_path.iterdir())
    assert len(parts) > 3
    (whole,) = read_timelines([tmp_path])
    assert [(event.label, event.is_open) for event in whole.events] == [
        (event.label, event.is_open) for event in read(tmp_path, stream).events
    ]
    assert read_timelines(list(reversed(parts))) == [whole]
    assert {event.recording for event in whole.events} <= {part.name for part in parts}
    begins = next(part.name for part in parts if b'"event_id":5' in part.read_bytes())
    assert whole.events[-1].recording == begins


def test_a_killed_recorder_leaves_a_partial_line_and_an_open_event(tmp_path: Path) -> None:
    stream = Stream().hello().skeletons(0, 2).event(NOD, 0.5, 1.8)
    path = stream.write(tmp_path / "run.jsonl")
    path.write_bytes(path.read_bytes()[:-20])
    (timeline,) = read_timelines([path])
    (nod,) = timeline.events
    assert nod.is_open
    assert nod.t_end_ns == timeline.last_ns == ZERO_NS + round(59 / 30 * NS)


def test_streams_and_runs_of_one_file_are_separated(tmp_path: Path) -> None:
    door = Stream("door").hello().event(SHRUG, 1, 2)
    again = Stream("door", "f" * 32, ZERO_NS + 60 * NS).hello().event(NOD, 1, 2)
    lines = [message for pair in zip(two_people().messages, door.messages, strict=False) for message in pair]
    path = tmp_path / "saved.json"
    path.write_bytes(b"\n".join(encode(message) for message in [*lines, *again.messages]))
    timelines = read_timelines([path])
    assert [(timeline.stream, len(timeline.events)) for timeline in timelines] == [("cam", 0), ("door", 1), ("door", 1)]
    assert timelines[2].zero_ns == ZERO_NS + 60 * NS
    assert [timeline.run for timeline in read_timelines([path], "door")] == [RUN, "f" * 32]
    with pytest.raises(MarEdgeError, match="takes one stream; choose with --stream: cam, door"):
        the_only(timelines, "a picture")
    with pytest.raises(MarEdgeError, match="'door' was started 2 times"):
        the_only(timelines[1:], "a picture")
    with pytest.raises(MarEdgeError, match="no stream 'roof' in it; there is cam, door"):
        read_timelines([path], "roof")


def test_events_alone_make_a_timeline(tmp_path: Path) -> None:
    events = [encode(message) for message in two_people().messages if message.kind == "event"]
    path = tmp_path / "events.json"
    path.write_bytes(b"\n".join(events))
    (timeline,) = read_timelines([path])
    assert timeline.labels == (SHRUG, NOD, SHAKE, HUM)
    assert timeline.zero_ns == timeline.first_ns == ZERO_NS + NS
    assert len(timeline.events) == 5


def test_a_wall_clock_that_was_set_back_gives_no_negative_times(tmp_path: Path) -> None:
    timeline = read(tmp_path, Stream().hello().event(NOD, -3600, -3599).event(NOD, 1, 2))
    assert timeline.milliseconds(timeline.events[0].t_start_ns) == 0


def test_times_may_count_from_the_first_recorded_moment(tmp_path: Path) -> None:
    timeline = read(tmp_path, Stream().hello().event(NOD, 259_200, 259_201)).rezeroed()
    assert timeline.seconds(timeline.events[0].t_start_ns) == 0.0


def test_labels_and_scores_can_be_filtered(tmp_path: Path) -> None:
    timeline = read(tmp_path, two_people())
    some = timeline.only(LabelChoice.parse("head,-nodding"), 0.0)
    assert [event.label for event in some.events] == [SHAKE]
    assert NOD not in some.labels
    assert len(timeline.only(LabelChoice(), 0.8).events) == 4
    with pytest.raises(MarEdgeError, match="no label or body group 'dancing'"):
        timeline.only(LabelChoice.parse("dancing"), 0.0)


def test_files_that_are_not_recordings_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.touch()
    with pytest.raises(MarEdgeError, match="nothing is recorded there"):
        read_timelines([path])
    Stream().hello().write(path)
    assert read_timelines([path])[0].events == ()
    path.write_bytes(path.read_bytes() + b'{"kind": "event"}\n' + path.read_bytes())
    with pytest.raises(MarEdgeError, match=r"a\.jsonl, line 2: not a message"):
        read_timelines([path])
    path.write_bytes(encode(two_people().messages[1]).replace(b'"schema":1', b'"schema":9') + b"\n")
    with pytest.raises(MarEdgeError, match="line 1: a message of schema 9"):
        read_timelines([path])


def test_dropped_frames_are_counted_by_the_sender_or_by_gaps_in_their_numbers(tmp_path: Path) -> None:
    whole = read(tmp_path, Stream().hello().skeletons(0, 1).end(1.0, 30, 0))
    assert (whole.frames, whole.dropped, whole.loss) == (30, 0, "")
    ended = read(tmp_path, Stream().hello().skeletons(0, 2, fps=10).event(NOD, 0.5, 1).end(22.0, 141, 519))
    assert (ended.frames, ended.dropped, ended.loss) == (141, 519, "519 of 660 frames were dropped")
    killed = read(tmp_path, Stream().hello().skeletons(0, 2, fps=10).skeletons(2, 3))
    assert (killed.frames, killed.dropped, killed.loss) == (50, 40, "40 of 90 frames were dropped")
    assert summary([whole, ended]).endswith("; 519 of 660 frames were dropped")
