from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
from streaming_fakes import nod, person, skeleton

from mar_edge.edge.data import Window
from mar_edge.edge.recognizer import Recognizer
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.capture.frames import NS, Frame
from mar_edge.streaming.recognition.events import EventChange
from mar_edge.streaming.recognition.pipeline import Inference, Pipeline, PipelineRules
from mar_edge.streaming.timing import Timer
from mar_edge.streaming.wire.messages import decode, encode
from mar_edge.streaming.wire.reports import StatusReporter, event_message, label_message, skeleton_message, wall_ns

FRAME = Frame(
    seq=90, t_capture_ns=1_700_000_003 * NS, t_mono_ns=50 * NS, media_s=3.0, image=np.zeros((2, 2, 3), np.uint8)
)


class Clock:
    now_ns = 1000 * NS

    def __call__(self) -> int:
        return self.now_ns


@dataclass
class CountingCamera:
    """As much of a camera as a status message speaks of."""

    frames: int = 0
    dropped: int = 0
    state: str = "live"
    t_zero_ns: int = 5
    connections: int = 1
    stalls: int = 0
    corrupt: int = 0
    clock_jumps: int = 0
    last_error: str | None = None

    def frame_age_s(self) -> float | None:
        return None


def status_of(recognizer: Recognizer) -> tuple[StatusReporter, CountingCamera, Clock, Timer]:
    timer, clock, camera = Timer(), Clock(), CountingCamera()
    pipeline = Pipeline(recognizer, PipelineRules(motion_gate=None), timer)
    reporter = StatusReporter(cast(Camera, camera), pipeline, recognizer, timer, period_s=1.0, clock=clock)
    return reporter, camera, clock, timer


def test_status_is_due_once_a_period_and_never_in_bursts(recognizer: Recognizer) -> None:
    reporter, _, clock, _ = status_of(recognizer)
    due = []
    for tenth in range(100):
        clock.now_ns = 1000 * NS + tenth * NS // 10
        if not 35 <= tenth < 65 and reporter.due():
            due.append(tenth)
    assert due == [10, 20, 30, 65, 75, 85, 95]


def test_rates_are_of_the_time_since_the_last_status(recognizer: Recognizer) -> None:
    reporter, camera, clock, timer = status_of(recognizer)
    first = reporter.message(None, 0, subscribers=0)
    assert (first.fps_in, first.fps_out, first.t_capture_ns, first.latency_ms) == (0.0, 0.0, 5, {})
    clock.now_ns += 2 * NS
    camera.frames, camera.dropped = 60, 20
    timer.record("pose", 0.040)
    second = reporter.message(FRAME, 40, subscribers=3)
    assert (second.fps_in, second.fps_out, second.dropped, second.subscribers) == (30.0, 20.0, 20, 3)
    assert second.latency_ms["pose"].p95 == pytest.approx(40)
    assert (second.frame, second.uptime_s) == (90, 2.0)
    clock.now_ns += NS // 100  # too short to say anything about a rate
    camera.frames = 61
    assert reporter.message(FRAME, 41, subscribers=3).fps_in == 30.0


def test_moments_of_the_capture_clock_are_placed_on_the_wall_clock_by_their_frame() -> None:
    assert wall_ns(FRAME, 3.0) == FRAME.t_capture_ns
    assert wall_ns(FRAME, 1.0) == FRAME.t_capture_ns - 2 * NS


def test_the_best_labels_come_first_and_the_latency_counts_from_the_frame(recognizer: Recognizer) -> None:
    labels = recognizer.metadata.labels
    probs = np.linspace(0, 1, len(labels), dtype=np.float32)
    times = np.arange(31) / 30 + 2.0
    window = Window(np.stack([nod()(t) for t in times]), times, person=4)
    everything = np.ones(len(labels), np.bool_)
    message = label_message(
        FRAME, Inference(window, probs), labels, shown=everything, top_k=3, timer=Timer(), now_ns=50 * NS + 7_000_000
    )
    assert [scored.name for scored in message.top] == ["no action", "shaking head", "nodding"]
    assert message.top[0].score == 1.0
    assert (message.person, message.frame, message.latency.total_ms) == (4, 90, 7.0)
    assert message.t_end_ns == FRAME.t_capture_ns
    assert message.t_end_ns - message.t_start_ns == NS
    gated = label_message(
        FRAME, Inference(window, None), labels, shown=everything, top_k=3, timer=Timer(), now_ns=50 * NS
    )
    assert (gated.gated, gated.top) == (True, ())
    few = np.zeros(len(labels), np.bool_)
    few[[1, 4]] = True
    chosen = label_message(FRAME, Inference(window, probs), labels, shown=few, top_k=3, timer=Timer(), now_ns=50 * NS)
    assert [scored.id for scored in chosen.top] == [labels[4].id, labels[1].id]


def test_an_event_has_no_end_until_it_ends(recognizer: Recognizer) -> None:
    labels = recognizer.metadata.labels
    change: dict[str, Any] = {"event_id": 1, "person": 0, "label": 9, "t_start_s": 2.5, "score": 0.8}
    begin = event_message(FRAME, EventChange(phase="begin", t_end_s=None, **change), labels)
    end = event_message(FRAME, EventChange(phase="end", t_end_s=2.9, **change), labels)
    assert begin.label.name == "nodding"
    assert begin.t_end_ns is None
    assert end.t_end_ns is not None
    assert end.t_end_ns - end.t_start_ns == pytest.approx(0.4 * NS, abs=1000)


def test_nan_never_reaches_the_wire() -> None:
    joints = person()
    joints[3, 1] = joints[7] = np.nan
    seen = skeleton(joints)
    seen.scores[5] = np.nan
    message = skeleton_message(FRAME, seen)
    assert message.joints[3] is message.joints[7] is None
    assert message.joints[4] is not None
    assert message.scores[5] == 0.0
    for encoding in ("json", "msgpack"):
        payload = encode(message, encoding)  # type: ignore[arg-type]
        assert b"NaN" not in payload
        with pytest.raises(Exception, match="without stream"):
            decode(payload)  # well formed, and only the publisher's numbers are missing
