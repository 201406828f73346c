"""What a service offers over LSL, received by real inlets of this machine."""

from __future__ import annotations

import importlib
import json
import logging
import math
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from lsl_fakes import JOINTS, event, frame, hello, inlet, pulled, pylsl, seen
from streaming_fakes import wait_until
from wire_messages import MESSAGES

from mar_edge.edge.errors import MarEdgeError, MissingExtra
from mar_edge.streaming.capture.frames import NS
from mar_edge.streaming.lsl import sender
from mar_edge.streaming.lsl.config import LslConfig
from mar_edge.streaming.lsl.library import describe_lsl, load_pylsl
from mar_edge.streaming.lsl.streams import LslStreams
from mar_edge.streaming.operations.background_calls import MOST_WAITING
from mar_edge.streaming.wire.messages import StatusMessage

STATUS = MESSAGES[-2]


@pytest.fixture
def name() -> str:
    return f"cam{uuid.uuid4().hex[:8]}"


@contextmanager
def offering(name: str, config: LslConfig | None = None, *, skeletons: bool = False) -> Iterator[LslStreams]:
    with LslStreams(config or LslConfig(), [name], skeletons=skeletons) as streams:
        streams.on_message(hello(name))
        yield streams


def test_markers_are_stamped_with_onset_and_offset_however_late_they_are_sent(name: str) -> None:
    t_mono_ns = time.monotonic_ns() - 700_000_000  # when the frame was captured
    newest = frame(90, t_mono_ns)
    with offering(name) as streams:
        markers = inlet(f"mar-edge-{name}")
        streams.on_frame(newest, seen(name, newest, 0))
        streams.on_message(event(name, newest, 1.75))
        streams.on_message(event(name, newest, 1.75, 2.5))
        (onset, onset_s), (offset, offset_s) = pulled(markers, 2)
    assert onset_s == pytest.approx(t_mono_ns / NS - 1.25, abs=0.001)
    assert offset_s == pytest.approx(t_mono_ns / NS - 0.5, abs=0.001)
    expected = {"label": "nodding", "label_id": 9, "body": "head", "person": 0, "score": 0.8765, "event_id": 1}
    assert json.loads(onset[0]) == {"phase": "onset", **expected, "onset_s": 1.75, "offset_s": None}
    assert json.loads(offset[0]) == {"phase": "offset", **expected, "onset_s": 1.75, "offset_s": 2.5}


def test_frames_of_a_file_that_are_shown_late_have_the_time_when_they_were_due(name: str) -> None:
    due_ns = time.monotonic_ns()
    with offering(name, skeletons=True) as streams:
        joints, markers = inlet(f"mar-edge-{name}-skeleton"), inlet(f"mar-edge-{name}")
        for number, late_ns in enumerate((0, 0, 80_000_000, 50_000_000)):
            newest = frame(number, due_ns + round(number / 30 * NS) + late_ns)
            streams.on_frame(newest, seen(name, newest, 0))
        streams.on_message(event(name, newest, 0.05))
        times = [t_s for _, t_s in pulled(joints, 4)]
        ((_, onset_s),) = pulled(markers, 1)
    assert times == pytest.approx([due_ns / NS + number / 30 for number in range(4)], abs=0.001)
    assert onset_s == pytest.approx(due_ns / NS + 0.05, abs=0.001)


def test_as_text_equal_events_have_equal_markers(name: str) -> None:
    newest = frame(90, time.monotonic_ns())
    with offering(name, LslConfig(marker_format="text")) as streams:
        markers = inlet(f"mar-edge-{name}")
        streams.on_frame(newest, seen(name, newest, 0))
        streams.on_message(event(name, newest, 1.75))
        streams.on_message(event(name, newest, 1.75, 2.5))
        texts = [values[0] for values, _ in pulled(markers, 2)]
    assert texts == ["onset/nodding/person 0", "offset/nodding/person 0"]


def test_joints_come_with_their_channels_at_capture_time(name: str) -> None:
    captured = [time.monotonic_ns() + number * 33_000_000 for number in range(3)]
    frames = [frame(number, t_mono_ns) for number, t_mono_ns in enumerate(captured)]
    with offering(name, LslConfig(people=2), skeletons=True) as streams:
        first, second = inlet(f"mar-edge-{name}-skeleton"), inlet(f"mar-edge-{name}-skeleton-2")
        for newest, people in zip(frames, [(3,), (3, 5), ()], strict=True):
            streams.on_frame(newest, seen(name, newest, *people))
        of_first, of_second, info = pulled(first, 3), pulled(second, 3), first.info(timeout=20.0)
    times = [pytest.approx(t_mono_ns / NS, abs=0.001) for t_mono_ns in captured]
    assert [t for _, t in of_first] == [t for _, t in of_second] == times
    nan, empty = math.nan, [math.nan] * 7
    expected = pytest.approx([3.0, 3.0, 0.0, 0.9, nan, nan, 0.1], nan_ok=True)
    assert of_first[0][0] == expected
    assert [values for values, _ in of_second] == [
        pytest.approx(empty, nan_ok=True),
        pytest.approx([5.0, 5.0, 1.0, 0.9, nan, nan, 0.1], nan_ok=True),
        pytest.approx(empty, nan_ok=True),
    ]
    labels = [f"{joint} {part}" for joint in JOINTS for part in ("x", "y", "confidence")]
    assert info.get_channel_labels() == ["person", *labels]
    assert info.get_channel_units() == ["none", *("px", "px", "normalized") * 2]
    assert info.get_channel_types() == ["Id", *("PositionX", "PositionY", "Confidence") * 2]
    assert (info.type(), info.nominal_srate()) == ("MoCap", 0.0)  # frames may be missing
    description = info.desc()
    assert description.child("acquisition").child_value("manufacturer") == "mar-edge"
    assert description.child("synchronization").child_value("can_drop_samples") == "true"
    assert description.child("picture").child_value("width") == "640"


def test_nobody_is_delayed_by_a_receiver_that_does_not_read(name: str) -> None:
    """liblsl drops the oldest samples of that receiver alone."""
    frames = [frame(number, time.monotonic_ns()) for number in range(5000)]
    with offering(name, skeletons=True) as streams:
        slow, quick = inlet(f"mar-edge-{name}-skeleton"), inlet(f"mar-edge-{name}-skeleton")
        for newest in frames:
            streams.on_frame(newest, seen(name, newest, 0))
            if newest.seq % 500 == 499:  # as fast as a receiver that does read
                wait_until(quick.samples_available)
                while quick.pull_sample(timeout=0.05)[0] is not None:
                    pass
        assert streams.lost == 0
        assert slow.samples_available()


def test_outlets_that_do_not_open_are_warned_of_counted_and_tried_again(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def __init__(self, *_: object, **__: object) -> None:
            raise RuntimeError("could not create stream outlet.")

    monkeypatch.setattr(pylsl, "StreamOutlet", Broken)
    monkeypatch.setattr(sender, "_RETRY_S", 0.0)
    newest = frame(0, time.monotonic_ns())
    with caplog.at_level(logging.WARNING, "mar_edge.lsl"), offering(name, skeletons=True) as streams:
        for _ in range(3):
            streams.on_frame(newest, seen(name, newest, 0))
        wait_until(lambda: streams.lost == 3)
        monkeypatch.undo()
        assert isinstance(STATUS, StatusMessage)
        streams.on_message(STATUS)
        markers = inlet(f"mar-edge-{name}")
        streams.on_message(event(name, newest, 0.0))
        assert pulled(markers, 1)
        assert streams.lost == 3
    assert [record.message for record in caplog.records if "cam" in record.message] == [
        f"no LSL streams of {name}: could not create stream outlet.; trying again every 0 s"
    ]
    assert sum("3 samples were not sent" in record.message for record in caplog.records) == 1


def test_a_library_that_hangs_delays_no_stream(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go = threading.Event()

    class Hanging:
        def __init__(self, *_: object, **__: object) -> None:
            may_go.wait(60)
            raise RuntimeError("too late")

    monkeypatch.setattr(pylsl, "StreamOutlet", Hanging)
    newest = frame(0, time.monotonic_ns())
    with offering(name, skeletons=True) as streams:
        for _ in range(MOST_WAITING + 50):
            streams.on_frame(newest, seen(name, newest, 0))
        assert 49 <= streams.lost <= 51
        may_go.set()


def test_own_outlets_that_are_not_found_are_warned_of(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sender, "FIND_S", 1e-9)
    monkeypatch.setattr(pylsl.ContinuousResolver, "results", lambda self: [])
    with caplog.at_level(logging.WARNING, "mar_edge.lsl"), offering(name) as streams:
        streams.on_message(STATUS)
        wait_until(lambda: any("multicast may be blocked" in record.message for record in caplog.records))


def test_a_sample_goes_through_this_machine() -> None:
    assert "a sample went through" in describe_lsl()


def test_a_missing_package_or_library_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    def without_library(name: str) -> None:
        raise RuntimeError("LSL binary library file was not found. Please make sure\n that")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingExtra, match=r"mar-edge\[lsl\]"):
        load_pylsl()
    monkeypatch.setattr(importlib, "import_module", without_library)
    with pytest.raises(
        MarEdgeError, match=r"^pylsl cannot load liblsl \(LSL binary library file was not found\)[^\n]*$"
    ):
        LslStreams(LslConfig(), ["cam"], skeletons=False)
