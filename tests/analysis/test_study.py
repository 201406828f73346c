"""A study by the command line: a table of videos, one broken, one with nobody in it, a kill midway, a second run."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import cv2
import numpy as np
import pytest

from mar_edge.streaming.capture.demo import DemoVideo
from mar_edge.streaming.recording.corrections import CORRECTIONS_FILE, Correction, write_corrections
from mar_edge.streaming.recording.participants import read_participants
from mar_edge.streaming.recording.timeline_reader import read_timelines

FPS = 10.0
ENDS = (".jsonl", ".eaf", ".boris", ".png", "_events.csv", "_events.tsv", "_events.json", "_analysis.json")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def portrait(path: Path, start_s: float, seconds: float) -> Path:
    """Write a part of the built-in video."""
    path.parent.mkdir(parents=True, exist_ok=True)
    video = DemoVideo()
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, video.size)
    for number in range(round(seconds * FPS)):
        writer.write(video.frame_at(start_s + number / FPS))
    writer.release()
    return path


def empty_room(path: Path) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (320, 240))
    for _ in range(5):
        writer.write(np.full((240, 320, 3), 90, np.uint8))
    writer.release()
    return path


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of six videos and their table."""
    folder = tmp_path_factory.mktemp("videos")
    portrait(folder / "a" / "P1.mp4", 0.5, 3.0)
    portrait(folder / "b" / "P1.mp4", 1.0, 2.5)
    portrait(folder / "P2.mp4", 0.0, 1.0)
    (folder / "P2 again.mp4").write_bytes((folder / "P2.mp4").read_bytes())
    (folder / "broken.mp4").write_bytes((folder / "P2.mp4").read_bytes()[:3000])
    empty_room(folder / "empty.mp4")
    rows = ["file;participant;condition", "a/P1.mp4;Ann;calm", "b/P1.mp4;Ann;tense", "P2.mp4;Bob;calm"]
    rows += ["P2 again.mp4;Bob;calm", "empty.mp4;empty;tense", "broken.mp4;Dee;tense"]
    (folder / "study.csv").write_text("\n".join(rows))
    return folder


def command(videos: Path, model: Path, out: Path) -> list[str]:
    options = ["--model", model, "--on", 0.15, "--jobs", 1, "--threads", 1]
    words = [sys.executable, "-m", "mar_edge", "analyze", videos / "study.csv", "--out", out, *options]
    return list(map(str, words))


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=200, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def study(videos: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a study that was interrupted, killed, and started again each time."""
    out = tmp_path_factory.mktemp("studies") / "disturbed"
    with started(videos, tiny_model, out, until="a_P1: ") as process:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        rest = process.communicate()[1]
    assert process.returncode == 130, rest
    assert "run the same command again" in rest
    assert "Traceback" not in rest
    left = {path.name for path in (out / "recordings").iterdir()}
    assert {f"a_P1{end}" for end in ENDS} <= left
    assert not any(name.startswith(".mar-edge-") for name in left), "drafts are left"
    with started(videos, tiny_model, out, until="b_P1: ") as process:
        children = workers(process.pid)
        process.kill()
        rest = process.communicate()[1]
    assert "empty: " not in rest, "the kill came too late"
    for child in children:
        wait_until_gone(child)
    assert not (out / "report.html").exists()
    done = run(command(videos, tiny_model, out))
    assert done.returncode == 1, done.stderr
    said = r"^videos analyzed: [123], finished before: [234], failed: 1$"
    assert re.search(said, done.stdout, re.MULTILINE), done.stdout
    return out


@contextmanager
def started(videos: Path, model: Path, out: Path, until: str) -> Iterator[subprocess.Popen[str]]:
    """Start a study, and wait for a line of it that begins as ``until`` says."""
    words = command(videos, model, out)
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        assert any(line.startswith(until) for line in process.stderr)
        yield process


def workers(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(word) for word in children.read_text().split()] if children.exists() else []


def wait_until_gone(process: int) -> None:
    deadline = time.monotonic() + 60
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < deadline, "a worker outlives its parent"
        time.sleep(0.05)


def results(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
def test_a_killed_study_goes_on_and_gives_what_an_undisturbed_one_gives(
    study: Path, videos: Path, tiny_model: Path
) -> None:
    expected = {f"recordings/{name}{end}" for name in ("a_P1", "b_P1", "P2", "P2 again", "empty") for end in ENDS}
    tables = {"summary.csv", "summary_body_groups.csv", "report.html", "recordings/participants.csv"}
    mine = results(study)
    assert set(mine) == {*tables, "recordings/.mar-edge.lock", *expected}
    other = study.parent / "undisturbed"  # ELAN's files hold the way to the video
    undisturbed = run([*command(videos, tiny_model, other), "--jobs", "2"])
    assert undisturbed.returncode == 1, undisturbed.stderr
    assert results(other) == mine


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
def test_the_tables_pool_participants_and_know_what_is_unknown(study: Path) -> None:
    rows = list(csv.DictReader((study / "summary.csv").open(encoding="utf-8")))
    who = list(dict.fromkeys((row["participant"], row["condition"]) for row in rows))
    assert who == [("Ann", "calm"), ("Ann", "tense"), ("Bob", "calm"), ("empty", "tense")]
    assert set(read_participants(study / "recordings").values()) == set(who)
    actions = {row["action"] for row in rows}
    assert len(rows) == len(who) * len(actions) == 4 * 11
    bob = [row for row in rows if row["participant"] == "Bob"]
    assert {(row["videos"], row["frames"], row["frames_dropped"]) for row in bob} == {("2", "20", "0")}
    assert {row["rate_per_minute"] for row in rows if row["participant"] == "empty"} == {""}
    assert {float(row["minutes_with_person"]) for row in rows if row["participant"] == "empty"} == {0.0}
    assert sum(int(row["count"]) for row in rows) > 0
    groups = list(csv.DictReader((study / "summary_body_groups.csv").open(encoding="utf-8")))
    assert sum(int(row["count"]) for row in groups) == sum(int(row["count"]) for row in rows)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
def test_nothing_is_analyzed_twice_until_a_setting_changes(
    study: Path, videos: Path, tiny_model: Path, here: Run
) -> None:
    before = results(study)
    arguments = command(videos, tiny_model, study)[3:]
    again = here(*arguments)
    assert again.returncode == 1
    assert "videos analyzed: 0, finished before: 5, failed: 1" in again.stdout
    assert "broken.mp4: cannot open" in again.stdout
    assert results(study) == before
    other = here("analyze", videos / "P2.mp4", "--out", study, *arguments[4:], "--stride-s", 0.3)
    assert other.returncode == 0, other.stderr
    assert "P2: again, other rules" in other.stderr
    assert "results of other videos in the folder, not in the tables: 4" in other.stdout


def test_two_studies_never_write_into_one_folder(videos: Path, tiny_model: Path, tmp_path: Path, here: Run) -> None:
    from mar_edge.edge.files.lock import locked

    (tmp_path / "recordings").mkdir()
    with locked(tmp_path / "recordings" / ".mar-edge.lock", "busy"):
        done = here(*command(videos, tiny_model, tmp_path)[3:])
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "another process is analyzing videos into" in done.stderr


def test_what_is_wrong_for_every_video_is_one_error(videos: Path, tmp_path: Path, here: Run) -> None:
    for options, says in (
        (("--model", "nowhere.onnx"), "nowhere.onnx"),
        (("--labels", "nodd"), "did you mean 'nodding'"),
        (("--pose", "nowhere.onnx"), "no pose model at nowhere.onnx"),
    ):
        done = here("analyze", videos, "--out", tmp_path, *options)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert says in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
def test_a_video_that_was_corrected_is_not_analyzed_again_with_other_settings(
    study: Path, videos: Path, tiny_model: Path, here: Run
) -> None:
    (timeline,) = read_timelines([study / "recordings" / "P2.jsonl"])
    reviewed = Correction(
        recording="P2.jsonl", stream="P2", run=timeline.run, event_id=None, person=None, status="reviewed",
        label="", start_s=0.0, end_s=1.0, machine_label="", machine_start_s=None, machine_end_s=None, coder="Anna",
        corrected_at=datetime(2026, 1, 31, tzinfo=timezone.utc),
    )  # fmt: skip
    write_corrections(study / "recordings" / CORRECTIONS_FILE, [reviewed])
    options = command(videos, tiny_model, study)[5:]
    done = here("analyze", videos / "P2.mp4", *options, "--labels", "head", "--coder", "Anna")
    assert done.returncode == 0, done.stderr
    assert "P2: not again, since it was corrected by hand; other rules" in done.stderr
    assert "videos analyzed: 0, finished before: 1, failed: 0" in done.stdout
    assert "1 video as corrected by Anna" in (study / "report.html").read_text(encoding="utf-8")
    assert {row["videos_corrected"] for row in csv.DictReader((study / "summary.csv").open(encoding="utf-8"))} == {"1"}


def test_a_name_that_no_file_system_takes_fails_alone(tiny_model: Path, tmp_path: Path, here: Run) -> None:
    (tmp_path / f"{'n' * 245}.mp4").write_bytes(b"not a video")
    done = here("analyze", tmp_path, "--out", tmp_path / "out", "--model", tiny_model)
    assert done.returncode == 1
    assert "File name too long" in done.stdout
    assert "failed: 1" in done.stdout
