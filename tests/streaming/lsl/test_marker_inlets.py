"""Markers of other programs, from real outlets: of this process, and of one on another clock."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

import pytest
from lsl_fakes import pylsl, setting_markers
from streaming_fakes import wait_until

from mar_edge.streaming.lsl import marker_inlets
from mar_edge.streaming.lsl.marker_inlets import Marker, MarkerInlets, marker_text

Inlets = Callable[..., MarkerInlets]


@pytest.fixture
def name() -> str:
    return f"stimuli{uuid.uuid4().hex[:8]}"


def outlet(name: str, channels: int = 1, rate: float = 0.0, kind: str = "string", source_id: str = "") -> object:
    return pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", channels, rate, kind, source_id or name))


def taken(inlets: MarkerInlets, count: int, stream: str = "cam") -> list[Marker]:
    markers: list[Marker] = []

    def enough() -> bool:
        markers.extend(inlets.take(stream))
        return len(markers) >= count

    wait_until(enough)
    return markers


def test_times_are_corrected_for_the_clock_of_the_sender(name: str) -> None:
    with MarkerInlets(pylsl, [name], ["cam"], ()) as inlets, setting_markers(name, ahead_s=900):
        markers = taken(inlets, 5)
    for marker in markers:
        assert marker.source == name
        assert marker.t_mono_ns / 1e9 == pytest.approx(float(marker.text), abs=0.01)


def test_each_stream_gets_every_marker_of_all_that_are_asked_for(name: str) -> None:
    sources = [outlet(f"{name}-a"), outlet(f"{name}-b", channels=2, kind="int32"), outlet(name)]
    queries = [f"{name}-a", f"source_id={name}-b"]
    with MarkerInlets(pylsl, queries, ["cam", "door"], ()) as inlets:
        assert all(source.wait_for_consumers(20) for source in sources[:2])
        sources[0].push_sample(["go"])
        sources[1].push_sample([7, -1])
        sources[2].push_sample(["not asked for"])
        for stream in ("cam", "door"):
            assert {(marker.source, marker.text) for marker in taken(inlets, 2, stream)} == {
                (f"{name}-a", "go"),
                (f"{name}-b", "7 -1"),
            }
    assert inlets.lost == 0


def test_untrusted_markers_are_cut_made_printable_and_counted(name: str, caplog: pytest.LogCaptureFixture) -> None:
    source = outlet(name)
    with caplog.at_level(logging.WARNING, "mar_edge.lsl"), MarkerInlets(pylsl, [name], ["cam"], ()) as inlets:
        assert source.wait_for_consumers(20)
        source.push_sample([b"\x1b[2J caf\xc3\xa9\xff\n"])
        source.push_sample([""])
        source.push_sample(["x" * 5000])
        for far in (time.time(), 1e300, 0.001):
            source.push_sample(["of another clock"], far)
        source.push_sample(["last"])
        texts = [marker.text for marker in taken(inlets, 4)]
    assert texts == [" [2J café\ufffd ", "", "x" * 1000, "last"]
    assert inlets.lost == 1 + 3
    said = [record.message for record in caplog.records]
    assert sum("longer texts are cut to 1000 characters" in text for text in said) == 1
    assert sum("stamp with local_clock" in text for text in said) == 1


def test_markers_that_wait_are_bounded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marker_inlets, "MOST_WAITING", 10)
    source = outlet(name)
    with MarkerInlets(pylsl, [name], ["cam"], ()) as inlets:
        assert source.wait_for_consumers(20)
        for number in range(15):
            source.push_sample([str(number)])
        wait_until(lambda: inlets.lost == 5)
        assert [marker.text for marker in inlets.take("cam")] == [str(number) for number in range(10)]
        assert inlets.take("cam") == []


def test_signals_and_our_own_streams_are_not_taken_for_markers(name: str, caplog: pytest.LogCaptureFixture) -> None:
    signal, ours, source = outlet(name, rate=500.0, source_id="amp"), outlet(name, source_id="ours"), outlet(name)
    with caplog.at_level(logging.WARNING, "mar_edge.lsl"), MarkerInlets(pylsl, [name], ["cam"], {"ours"}) as inlets:
        assert source.wait_for_consumers(20)
        source.push_sample(["go"])
        assert [marker.text for marker in taken(inlets, 1)] == ["go"]
        wait_until(lambda: any("500 Hz is not taken for markers" in record.message for record in caplog.records))
        assert not signal.have_consumers()
        assert not ours.have_consumers()


def test_a_program_that_starts_again_is_found_again(name: str) -> None:
    with MarkerInlets(pylsl, [name], ["cam"], ()) as inlets:
        for text in ("first", "second"):
            source = outlet(name)
            assert source.wait_for_consumers(20)
            source.push_sample([text])
            assert [marker.text for marker in taken(inlets, 1)] == [text]
            del source


def test_a_stream_that_is_not_there_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(marker_inlets, "_SILENT_S", 0.0)
    monkeypatch.setattr(marker_inlets, "_LOOK_S", 0.01)
    with caplog.at_level(logging.WARNING, "mar_edge.lsl"), MarkerInlets(pylsl, ["nobody"], ["cam"], ()):
        wait_until(lambda: caplog.records)
        time.sleep(0.1)
    assert [record.message for record in caplog.records] == [
        "markers from 'nobody': no such LSL stream is found yet; it is waited for"
    ]


def test_numbers_are_written_out() -> None:
    assert marker_text([1234567, 1.0, 0.5, b"a"]) == "1234567 1 0.5 a"
