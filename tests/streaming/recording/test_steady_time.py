"""A wall clock that is set while a recording is made: every reader puts every event where it happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from recorded_runs import NOD, NS, SHAKE, ZERO_NS, Stream

from mar_edge.streaming.recording.recorder import RecordConfig, StreamRecorders
from mar_edge.streaming.recording.skeletons import read_skeletons
from mar_edge.streaming.recording.steady_time import SteadyTime
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.streaming.wire.encoding import encode
from mar_edge.streaming.wire.messages import AnyMessage, SkeletonMessage
from mar_edge.view.annotations.table import write_csv
from mar_edge.view.index import index_recording

STEP_AT_S = 6.0
YEARS_10, HOUR_BACK = 315_360_000 * NS, -3600 * NS


def recorded(step_ns: int) -> list[AnyMessage]:
    """12 s: a nod at 1 to 2 s, the wall clock is set by ``step_ns`` at 6 s, a shake at 8 to 9.5 s."""
    stream = Stream().hello().skeletons(0, 4).event(NOD, 1, 2).skeletons(4, 11).event(SHAKE, 8, 9.5).skeletons(11, 12)
    return [set_clock(message, step_ns) for message in stream.messages]


def set_clock(message: AnyMessage, step_ns: int) -> AnyMessage:
    media_ns = message.t_capture_ns - ZERO_NS
    by_ns = step_ns if media_ns >= STEP_AT_S * NS else 0
    changed = {
        name: value + by_ns
        for name in ("t_capture_ns", "t_start_ns", "t_end_ns")
        if (value := getattr(message, name, None)) is not None
    }
    if isinstance(message, SkeletonMessage):
        changed["t_media_ns"] = media_ns
    return msgspec.structs.replace(message, **changed)


def write(path: Path, messages: list[AnyMessage]) -> Path:
    path.write_bytes(b"".join(encode(message) + b"\n" for message in messages))
    return path


@pytest.mark.parametrize("step_ns", [YEARS_10, HOUR_BACK, 2 * NS, -2 * NS, 0])
def test_a_step_of_the_wall_clock_moves_no_event(tmp_path: Path, step_ns: int) -> None:
    path = write(tmp_path / "run.jsonl", recorded(step_ns))
    (timeline,) = read_timelines([path])
    spans = [(timeline.seconds(event.t_start_ns), timeline.seconds(event.t_end_ns)) for event in timeline.events]
    assert spans == [(1.0, 2.0), (8.0, 9.5)]
    assert (timeline.zero_ns, timeline.first_ns) == (ZERO_NS, ZERO_NS)
    assert timeline.seconds(timeline.last_ns) == pytest.approx(359 / 30)
    assert b",1.000,2.000,nodding," in write_csv([timeline])
    (track,) = read_skeletons(path).tracks
    np.testing.assert_allclose(track.times_s, np.arange(360) / 30, atol=1e-8)


@pytest.mark.parametrize("step_ns", [YEARS_10, HOUR_BACK])
def test_rotated_parts_in_any_order_and_without_a_hello(tmp_path: Path, step_ns: int) -> None:
    messages = recorded(step_ns)
    with StreamRecorders(RecordConfig(tmp_path, most_mb=0.1)) as recorders:
        for message in messages:
            recorders.write(message)
    parts = sorted(tmp_path.iterdir())
    assert len(parts) > 3
    for paths in (parts, parts[::-1]):
        (timeline,) = read_timelines(paths)
        assert [timeline.seconds(event.t_start_ns) for event in timeline.events] == [1.0, 8.0]
    (timeline,) = read_timelines([write(tmp_path / "run.jsonl", messages[1:])])
    assert [timeline.seconds(event.t_start_ns) for event in timeline.events] == [1.0, 8.0]


@pytest.mark.parametrize("step_ns", [YEARS_10, HOUR_BACK])
def test_the_page_gets_steady_times(tmp_path: Path, step_ns: int) -> None:
    plain = index_recording(write(tmp_path / "plain.jsonl", recorded(0)))
    stepped = index_recording(write(tmp_path / "run.jsonl", recorded(step_ns)))
    assert stepped.chunks == plain.chunks == 3
    shown = [[json.loads(index.chunk(part)) for part in range(index.chunks)] for index in (plain, stepped)]
    assert shown[0] == shown[1]
    summaries = [json.loads(index.summary()) | {"name": ""} for index in (plain, stepped)]
    assert summaries[0] == summaries[1]


def test_a_recording_across_a_step_forward(shared: Callable[[str], Path], tmp_path: Path) -> None:
    path = shared("cases/clock-forward.jsonl")
    (timeline,) = read_timelines([path])
    lasted = [(event.t_end_ns - event.t_start_ns) / NS for event in timeline.events]
    assert len(lasted) == 7
    assert max(lasted) < 3
    assert timeline.seconds(timeline.events[2].t_start_ns) == pytest.approx(7.9)
    assert timeline.seconds(timeline.last_ns) == pytest.approx(21.967, abs=1e-3)
    assert read_skeletons(path).end_s == 21.0
    assert index_recording(path).chunks == 5
    # The same, set back instead.
    back = [json.loads(line) for line in path.read_bytes().splitlines()]
    for message in back:
        for name in ("t_capture_ns", "t_start_ns", "t_end_ns"):
            if (message.get(name) or 0) > 2e18:
                message[name] -= YEARS_10 + 3600 * NS
    (tmp_path / "back.jsonl").write_text("\n".join(map(json.dumps, back)))
    (again,) = read_timelines([tmp_path / "back.jsonl"])
    assert [(event.t_start_ns, event.t_end_ns) for event in again.events] == [
        (event.t_start_ns, event.t_end_ns) for event in timeline.events
    ]


def test_slow_drift_between_a_live_cameras_clocks_is_followed(tmp_path: Path) -> None:
    """Microseconds from frame to frame, milliseconds in the long run: a message's own frame decides."""
    messages = recorded(0)
    drifted = []
    for message in messages:
        by_ns = (message.t_capture_ns - ZERO_NS) // 1000
        fields = ("t_capture_ns", "t_start_ns", "t_end_ns")
        changed = {name: value + by_ns for name in fields if (value := getattr(message, name, None)) is not None}
        drifted.append(msgspec.structs.replace(message, **changed))
    (timeline,) = read_timelines([write(tmp_path / "run.jsonl", drifted)])
    shake = timeline.events[1]
    assert abs(timeline.seconds(shake.t_start_ns) - 8.0) < 2e-4
    assert abs(timeline.seconds(shake.t_end_ns) - 9.5) < 2e-4


def test_without_media_time_nothing_is_converted() -> None:
    steady = SteadyTime()
    steady.see(0, ZERO_NS, None)
    assert steady.media_ns(ZERO_NS, 0) is None
    assert steady.is_even(ZERO_NS)
