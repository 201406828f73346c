"""A whole service with LSL: its events at an inlet, and the marker of another program in its recording."""

from __future__ import annotations

import json
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest
from lsl_fakes import inlet, pylsl
from streaming_fakes import ScriptedPose, nod, write_video

from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.lsl.config import LslConfig
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.recording.reader import read_messages, recording_files
from mar_edge.streaming.recording.recorder import RecordConfig
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.service import serve
from mar_edge.streaming.wire.messages import EventMessage, MarkerMessage, StatusMessage

# A busy machine shows frames of a file late. Without the correction, an onset is at least this much and 0.6 s late.
LATE_S = 0.3


def test_events_and_markers_are_on_one_clock(tmp_path: Path, address: str, tiny_model: Path) -> None:
    stream, stimuli = f"cam{uuid.uuid4().hex[:8]}", f"stimuli{uuid.uuid4().hex[:8]}"
    source = pylsl.StreamOutlet(pylsl.StreamInfo(stimuli, "Markers", 1, 0.0, "string", stimuli))
    received: dict[tuple[str, int], float] = {}
    set_s: list[float] = []
    over = threading.Event()

    def follow() -> None:
        markers = inlet(f"mar-edge-{stream}")
        source.wait_for_consumers(20)
        set_s.append(pylsl.local_clock())
        source.push_sample(["go"], set_s[0])
        with suppress(pylsl.util.LostError):  # the stream ends first
            while not over.is_set():
                values, t_s = markers.pull_sample(timeout=0.1)
                if values is not None:
                    marker = json.loads(values[0])
                    received[marker["phase"], marker["event_id"]] = t_s

    follower = threading.Thread(target=follow)
    follower.start()
    config = ServeConfig(
        camera=str(write_video(tmp_path / "clip.mp4", 150)),
        address=address,
        stream=stream,
        realtime=True,
        pipeline=PipelineRules(on=0.15, off=0.01, motion_gate=None),
        record=RecordConfig(tmp_path / "recorded"),
        lsl=LslConfig(markers=(stimuli, f"mar-edge-{stream}")),
    )
    statuses: list[StatusMessage] = []
    serve(
        config,
        lambda: ScriptedPose(nod(40.0, hz=0.7)),
        lambda: WindowRecognizer.open(tiny_model, threads=1),
        lambda message: statuses.append(message) if isinstance(message, StatusMessage) else None,
    )
    over.set()
    follower.join(20)
    messages = [each.message for each in read_messages(recording_files([tmp_path / "recorded"]))]
    ahead_s = time.time() - time.monotonic()

    (marker,) = [message for message in messages if isinstance(message, MarkerMessage)]  # and none of our own
    assert (marker.text, marker.source) == ("go", stimuli)
    assert marker.t_marker_ns / 1e9 - ahead_s == pytest.approx(set_s[0], abs=LATE_S)

    ends = [message for message in messages if isinstance(message, EventMessage) and message.t_end_ns is not None]
    assert ends
    assert received
    for message in ends:
        for phase, t_ns in (("onset", message.t_start_ns), ("offset", message.t_end_ns)):
            if (phase, message.event_id) in received:
                assert received[phase, message.event_id] == pytest.approx(t_ns / 1e9 - ahead_s, abs=LATE_S)
    assert statuses[-1].lsl_lost == 0
