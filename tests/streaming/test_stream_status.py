from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest

from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.capture.frames import NS, Frame
from mar_edge.streaming.recognition.pipeline import Pipeline, PipelineRules
from mar_edge.streaming.stream_status import StatusBuilder
from mar_edge.streaming.timing import Timer

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


def status_of(recognizer: WindowRecognizer) -> tuple[StatusBuilder, CountingCamera, Clock, Timer]:
    timer, clock, camera = Timer(), Clock(), CountingCamera()
    pipeline = Pipeline(recognizer, PipelineRules(motion_gate=None), timer)
    builder = StatusBuilder(cast(Camera, camera), pipeline, recognizer, timer, period_s=1.0, clock=clock)
    return builder, camera, clock, timer


def test_status_is_due_once_a_period_and_never_in_bursts(recognizer: WindowRecognizer) -> None:
    builder, _, clock, _ = status_of(recognizer)
    due = []
    for tenth in range(100):
        clock.now_ns = 1000 * NS + tenth * NS // 10
        if not 35 <= tenth < 65 and builder.due():
            due.append(tenth)
    assert due == [10, 20, 30, 65, 75, 85, 95]


def test_rates_count_from_the_last_status(recognizer: WindowRecognizer) -> None:
    builder, camera, clock, timer = status_of(recognizer)
    first = builder.message(None, 0, subscribers=0)
    assert (first.fps_in, first.fps_out, first.t_capture_ns, first.latency_ms) == (0.0, 0.0, 5, {})
    clock.now_ns += 2 * NS
    camera.frames, camera.dropped = 60, 20
    timer.record("pose", 0.040)
    second = builder.message(FRAME, 40, subscribers=3)
    assert (second.fps_in, second.fps_out, second.dropped, second.subscribers) == (30.0, 20.0, 20, 3)
    assert second.latency_ms["pose"].p95 == pytest.approx(40)
    assert (second.frame, second.uptime_s) == (90, 2.0)
    clock.now_ns += NS // 100  # too short to say anything about a rate
    camera.frames = 61
    assert builder.message(FRAME, 41, subscribers=3).fps_in == 30.0
