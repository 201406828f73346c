"""For tests of the Lab Streaming Layer: frames and messages of a stream, inlets, and processes on another clock."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
import pytest
from wire_messages import MESSAGES, NOD

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.capture.frames import NS, Frame
from mar_edge.streaming.lsl.library import load_pylsl
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.streaming.wire.messages import EventMessage, HelloMessage, SkeletonMessage

try:
    pylsl = load_pylsl()
except MarEdgeError as error:
    pytest.skip(str(error), allow_module_level=True)

JOINTS = ("nose", "left wrist")
T_ZERO_NS = 1_790_000_000 * NS


def hello(stream: str) -> HelloMessage:
    assert isinstance(MESSAGES[0], HelloMessage)
    return msgspec.structs.replace(MESSAGES[0], stream=stream, joints=JOINTS)


def frame(seq: int, t_mono_ns: int, fps: float = 30.0) -> Frame:
    """Return a frame of a stream whose wall clock and media time say nothing about the monotonic clock."""
    return Frame(seq, T_ZERO_NS + round(seq / fps * NS), t_mono_ns, seq / fps, np.zeros((2, 2, 3), np.uint8))


def seen(stream: str, of: Frame, *people: int) -> list[EncodedMessage[SkeletonMessage]]:
    """Return the skeletons of a frame: a nose at (person, frame), and a wrist that is not seen."""
    about = {"stream": stream, "frame": of.seq, "t_capture_ns": of.t_capture_ns}
    if not people:
        return [EncodedMessage(SkeletonMessage(person=-1, joints=(), scores=(), **about))]
    return [
        EncodedMessage(SkeletonMessage(person=each, joints=((each, of.seq), None), scores=(0.9, 0.1), **about))
        for each in people
    ]


def event(stream: str, about: Frame, start_s: float, end_s: float | None = None) -> EventMessage:
    """Return the begin or end of a nod; times are media seconds."""

    def wall_ns(t_s: float) -> int:
        return T_ZERO_NS + round(t_s * NS)

    return EventMessage(
        stream=stream, frame=about.seq, t_capture_ns=about.t_capture_ns, event_id=1, person=0, label=NOD,
        phase="begin" if end_s is None else "end", score=0.876543,
        t_start_ns=wall_ns(start_s), t_end_ns=None if end_s is None else wall_ns(end_s),
    )  # fmt: skip


def inlet(name: str) -> Any:
    """Return an opened inlet of the stream."""
    found = pylsl.resolve_byprop("name", name, timeout=20.0)
    assert found, f"no stream {name}"
    opened = pylsl.StreamInlet(found[0], recover=False)
    opened.open_stream(timeout=20.0)
    return opened


def pulled(opened: Any, count: int) -> list[tuple[list[Any], float]]:
    samples = [opened.pull_sample(timeout=20.0) for _ in range(count)]
    assert all(values is not None for values, _ in samples)
    return samples


def ahead_by(seconds: int) -> list[str]:
    """Return a command that runs another one with the monotonic clock ahead; skip where Linux does not let us."""
    command = ["unshare", "--time", "--monotonic", str(seconds)]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("a process with another clock takes Linux's time namespaces, and the right to use them")
    return command


MARKERS = """
import sys, time, pylsl
name, ahead_s = sys.argv[1], float(sys.argv[2])
outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 1, 0.0, "string", name))
while True:
    now_s = pylsl.local_clock()
    outlet.push_sample([f"{now_s - ahead_s:.9f}"], now_s)
    time.sleep(0.05)
"""


@contextmanager
def setting_markers(name: str, ahead_s: int) -> Iterator[None]:
    """Run a process on another clock that sets markers; each says when that is on the clock of this process, in s."""
    command = [*ahead_by(ahead_s), sys.executable, "-c", MARKERS, name, str(ahead_s)]
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.kill()
