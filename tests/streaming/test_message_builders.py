from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streaming_fakes import nod, person, skeleton

from mar_edge.edge.data import Window
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.frames import NS, Frame
from mar_edge.streaming.message_builders import event_message, label_message, skeleton_message, wall_ns
from mar_edge.streaming.recognition.events import EventChange
from mar_edge.streaming.recognition.probabilities import Inference
from mar_edge.streaming.timing import Timer
from mar_edge.streaming.wire.encoding import decode, encode

FRAME = Frame(
    seq=90, t_capture_ns=1_700_000_003 * NS, t_mono_ns=50 * NS, media_s=3.0, image=np.zeros((2, 2, 3), np.uint8)
)


def test_moments_of_the_capture_clock_are_placed_on_the_wall_clock_by_their_frame() -> None:
    assert wall_ns(FRAME, 3.0) == FRAME.t_capture_ns
    assert wall_ns(FRAME, 1.0) == FRAME.t_capture_ns - 2 * NS


def test_the_best_labels_come_first_and_the_latency_counts_from_the_frame(recognizer: WindowRecognizer) -> None:
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


def test_an_event_has_no_end_until_it_ends(recognizer: WindowRecognizer) -> None:
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
