from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timezone, tzinfo
from pathlib import Path

import msgspec
import pytest
from wire_messages import MESSAGES, stamped

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recording.reader import recording_files
from mar_edge.streaming.recording.recorder import RETRY_S, RecordConfig, Recorder, StreamRecorders
from mar_edge.streaming.wire.encoding import EncodedMessage, encode
from mar_edge.streaming.wire.messages import AnyMessage

HELLO, LABEL, EVENT, SKELETON, *_, STATUS, END = MESSAGES
RUN = "0123456789abcdef"


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def lines(path: Path) -> list[str]:
    return [json.loads(line)["kind"] for line in path.read_text().splitlines()]


def test_each_message_but_status_is_a_line(tmp_path: Path) -> None:
    with Recorder(RecordConfig(tmp_path / "new"), "cam", RUN) as recorder:
        for message in (HELLO, SKELETON, LABEL, STATUS, EVENT, END):
            recorder.write(EncodedMessage(message))
        assert recorder.path is not None
        assert lines(recorder.path) == ["hello", "skeleton", "label", "event", "end"]
        assert (recorder.written, recorder.lost, recorder.error) == (5, 0, None)


def test_a_new_file_with_a_hello_begins_when_one_is_full_or_old(tmp_path: Path) -> None:
    clock = Clock()
    with Recorder(RecordConfig(tmp_path, most_mb=0.004, most_hours=1.0), "cam", RUN, clock) as recorder:
        recorder.write(EncodedMessage(HELLO))
        for _ in range(20):
            recorder.write(EncodedMessage(SKELETON))
        by_size = sorted(tmp_path.iterdir())
        clock.now_s += 3601
        recorder.write(EncodedMessage(SKELETON))
    files = sorted(tmp_path.iterdir())
    assert len(files) == len(by_size) + 1 > 2
    assert all(path.stat().st_size <= 4000 for path in files)
    kinds = [lines(path) for path in files]
    assert all(each[0] == "hello" for each in kinds)
    assert sum(each.count("skeleton") for each in kinds) == 21


def test_the_oldest_files_are_removed_and_other_streams_are_kept(tmp_path: Path) -> None:
    other = tmp_path / "cam-2-20200101T000000Z-01234567-0001.jsonl"
    other.touch()
    with Recorder(RecordConfig(tmp_path, most_mb=0.004, keep=2), "cam", RUN) as recorder:
        recorder.write(EncodedMessage(HELLO))
        for _ in range(60):
            recorder.write(EncodedMessage(SKELETON))
        assert recorder.path is not None
        assert recorder.path.exists()
    mine = [path for path in tmp_path.iterdir() if path != other]
    assert len(mine) == 2
    assert other.exists()


class WallClock:
    """A board without a battery: the wall clock jumps about."""

    shown = datetime(2026, 7, 1, tzinfo=timezone.utc)

    @classmethod
    def now(cls, _: tzinfo) -> datetime:
        return cls.shown


def test_a_wall_clock_that_is_behind_does_not_change_which_files_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mar_edge.streaming.recording.recorder.datetime", WallClock)
    monkeypatch.setattr(WallClock, "shown", datetime(2026, 7, 1, tzinfo=timezone.utc))
    began: list[str] = []
    for run, year in (("a" * 32, 2026), ("b" * 32, 2016), ("c" * 32, 2016)):
        WallClock.shown = datetime(year, 7, 1, tzinfo=timezone.utc)
        with Recorder(RecordConfig(tmp_path, most_mb=0.004, keep=3), "cam", run) as recorder:
            recorder.write(EncodedMessage(HELLO))
            for number in range(40):
                WallClock.shown = datetime(2016 if number > 20 else year, 7, 1, tzinfo=timezone.utc)
                recorder.write(EncodedMessage(SKELETON))
                assert recorder.path is not None
                assert recorder.path.exists()
                began += [recorder.path.name] * (recorder.path.name not in began)
    assert len(began) > 6
    assert [path.name for path in recording_files([tmp_path])] == began[-3:]


def test_files_of_earlier_versions_are_older(tmp_path: Path) -> None:
    for name in ("cam-20990101T000000Z-01234567-0001.jsonl", "cam-000001-20980101T000000Z-01234567-0001.jsonl"):
        (tmp_path / name).touch()
    with Recorder(RecordConfig(tmp_path, keep=1), "cam", RUN) as recorder:
        recorder.write(EncodedMessage(HELLO))
        assert recorder.path is not None
    # The other is of the stream cam-000001.
    assert {path.name for path in tmp_path.iterdir()} == {recorder.path.name, name}


@pytest.mark.parametrize("how", ["folder removed", "folder replaced", "file removed", "folder is a file"])
def test_a_file_removed_while_it_is_written_is_noticed_and_another_begins(tmp_path: Path, how: str) -> None:
    clock, folder = Clock(), tmp_path / "out"
    with Recorder(RecordConfig(folder), "cam", RUN, clock) as recorder:
        recorder.write(EncodedMessage(HELLO))
        recorder.write(EncodedMessage(SKELETON))
        clock.now_s += 1
        recorder.write(EncodedMessage(STATUS))  # all is well
        assert recorder.error is None
        first = recorder.path
        assert first is not None
        if how == "file removed":
            first.unlink()
        else:
            shutil.rmtree(folder)
        if how == "folder replaced":
            folder.mkdir()
        if how == "folder is a file":
            folder.touch()
        recorder.write(EncodedMessage(SKELETON))  # nobody could know yet
        clock.now_s += 1
        recorder.write(EncodedMessage(STATUS))
        assert recorder.error is not None
        if how == "folder is a file":
            assert recorder.error == os.strerror(errno.EEXIST)
            folder.unlink()
            clock.now_s += RETRY_S
        else:
            assert recorder.error == f"{first.name} was removed while it was written"
        recorder.write(EncodedMessage(LABEL))
        clock.now_s += 5
        recorder.write(EncodedMessage(EVENT))
        assert recorder.error is None
        assert recorder.lost >= 1
        assert recorder.path is not None
        assert lines(recorder.path) == ["hello", "label", "event"]
    assert recording_files([folder]) == [recorder.path]


def test_a_sender_that_restarts_while_the_folder_is_gone_does_not_stop_recording(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with StreamRecorders(RecordConfig(folder)) as recorders:
        recorders.write(msgspec.structs.replace(SKELETON, stream="a", run="1" * 32))
        shutil.rmtree(folder)
        folder.touch()
        recorders.write(msgspec.structs.replace(SKELETON, stream="a", run="2" * 32))
        assert recorders.lost == 1
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(MarEdgeError, match="cannot record to"), StreamRecorders(RecordConfig(file)):
        pass


def test_a_full_disk_is_reported_and_counted_and_leaves_no_partial_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, real = Clock(), os.write

    def full(file: int, data: bytes) -> int:
        return real(file, data[: len(data) // 2])

    with Recorder(RecordConfig(tmp_path), "cam", RUN, clock) as recorder:
        recorder.write(EncodedMessage(HELLO))
        recorder.write(EncodedMessage(SKELETON))
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            recorder.write(EncodedMessage(SKELETON))
            assert recorder.error == os.strerror(errno.ENOSPC)
        recorder.write(EncodedMessage(SKELETON))  # not tried again at once
        assert recorder.lost == 2
        clock.now_s += 11
        recorder.write(EncodedMessage(LABEL))
        assert (recorder.error, recorder.written, recorder.lost) == (None, 3, 2)
        assert recorder.path is not None
        assert lines(recorder.path) == ["hello", "skeleton", "label"]


def test_recording_resumes_when_a_full_disk_has_room_again(small_disk: Path) -> None:
    clock = Clock()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(100_000))
    with Recorder(RecordConfig(small_disk), "cam", RUN, clock) as recorder:
        recorder.write(EncodedMessage(HELLO))
        while recorder.error is None:
            recorder.write(EncodedMessage(SKELETON))
            assert recorder.written < 1000
        assert recorder.error == os.strerror(errno.ENOSPC)
        full = recorder.written
        recorder.write(EncodedMessage(SKELETON))
        clock.now_s += RETRY_S + 1
        recorder.write(EncodedMessage(SKELETON))  # tried, and still full
        assert (recorder.written, recorder.lost) == (full, 3)
        ballast.unlink()
        clock.now_s += RETRY_S + 1
        recorder.write(EncodedMessage(LABEL))
        assert (recorder.error, recorder.written, recorder.lost) == (None, full + 1, 3)
        assert recorder.path is not None
        assert lines(recorder.path) == ["hello", *["skeleton"] * (full - 1), "label"]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from mar_edge.streaming.wire.encoding import EncodedMessage, decode
from mar_edge.streaming.recording.recorder import RecordConfig, Recorder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
hello, skeleton = map(decode, Path(sys.argv[2]).read_bytes().splitlines())
with Recorder(RecordConfig(Path(sys.argv[1])), "cam", "0" * 32) as recorder:
    recorder.write(EncodedMessage(hello))
    for _ in range(1000):
        recorder.write(EncodedMessage(skeleton))
    print(recorder.written, recorder.lost, recorder.error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of processes are POSIX")
def test_a_file_size_limit_is_reported_like_a_full_disk(tmp_path: Path) -> None:
    samples = tmp_path / "samples"
    samples.write_bytes(encode(stamped(HELLO)) + b"\n" + encode(stamped(SKELETON)))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "out"), str(samples)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    written, lost, error = done.stdout.strip().split(" ", 2)
    assert (int(written) + int(lost), error) == (1001, os.strerror(errno.ENOSPC))
    (path,) = (tmp_path / "out").iterdir()
    assert len(lines(path)) == int(written) > 10  # whole lines only


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_unwritable_folder_is_an_error_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(MarEdgeError, match="cannot record to"), Recorder(RecordConfig(file), "cam", RUN):
        pass


@pytest.mark.parametrize(
    "wrong", [{"most_mb": 0.0}, {"most_mb": float("nan")}, {"most_hours": 0.0}, {"keep": 0}, {"most_hours": -1.0}]
)
def test_settings_out_of_range_are_errors(tmp_path: Path, wrong: dict[str, float]) -> None:
    with pytest.raises(MarEdgeError):
        RecordConfig(tmp_path, **wrong)  # type: ignore[arg-type]


def test_each_stream_and_each_run_has_files_of_its_own(tmp_path: Path) -> None:
    def said(stream: str, run: str) -> AnyMessage:
        return msgspec.structs.replace(SKELETON, stream=stream, run=run)

    with StreamRecorders(RecordConfig(tmp_path)) as recorders:
        for stream, run in (("a", "1" * 32), ("b", "2" * 32), ("a", "1" * 32), ("a", "3" * 32)):
            recorders.write(said(stream, run))
        assert (recorders.written, recorders.lost, recorders.skeletons) == (4, 0, 4)
    assert sorted(len(lines(path)) for path in tmp_path.iterdir()) == [1, 1, 2]


WRITER = """
import sys
from pathlib import Path
import msgspec
from mar_edge.streaming.wire.encoding import EncodedMessage, decode
from mar_edge.streaming.recording.recorder import RecordConfig, Recorder
hello, skeleton = map(decode, Path(sys.argv[2]).read_bytes().splitlines())
with Recorder(RecordConfig(Path(sys.argv[1])), "cam", "0" * 32) as recorder:
    recorder.write(EncodedMessage(hello))
    frame = 0
    while True:
        message = msgspec.structs.replace(skeleton, frame=frame, t_capture_ns=1 + frame, t_media_ns=frame)
        recorder.write(EncodedMessage(message))
        frame += 1
        sys.stdout.buffer.write(b"%d\\n" % frame)
        sys.stdout.flush()
"""


def kill_in_the_middle(folder: Path, after: int) -> tuple[int, Path]:
    """Kill a program that records, once it has reported ``after`` skeletons as written."""
    folder.mkdir()
    samples = folder / "samples"
    whole = msgspec.structs.replace(SKELETON, joints=((1.5, 2.5),) * 44, scores=(0.5,) * 44)
    samples.write_bytes(encode(stamped(HELLO)) + b"\n" + encode(stamped(whole)))
    command = [sys.executable, "-c", WRITER, str(folder), str(samples)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = 0
        for line in process.stdout:
            said = int(line)
            if said == after:
                process.send_signal(signal.SIGKILL)
        process.wait()
    (path,) = folder.glob("*.jsonl")
    return said, path


@pytest.mark.parametrize("times", [2, pytest.param(50, marks=pytest.mark.soak)])
def test_a_killed_program_loses_at_most_the_last_line(tmp_path: Path, times: int) -> None:
    from mar_edge.streaming.recording.replay import Replay
    from mar_edge.streaming.recording.skeletons import read_skeletons

    for number in range(times):
        said, path = kill_in_the_middle(tmp_path / str(number), after=37 + 41 * number)
        with Replay([path]) as replay:
            frames = 0
            while not replay.ended:
                frames += replay.read(0.0) is not None
        assert frames >= said  # whatever was said to be written is there
        assert len(read_skeletons(path).tracks[0].times_s) == frames
