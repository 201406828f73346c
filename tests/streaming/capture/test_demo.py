"""The demo input: deterministic pictures, at rest between actions, with the documented script."""

import itertools
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import mar_edge.streaming.capture.demo
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import ma52_labels
from mar_edge.streaming.capture.demo import SCRIPT, DemoVideo, Segment


@pytest.fixture(scope="module")
def video():
    return DemoVideo()


def middle(segment: Segment) -> float:
    return segment.start_s + 0.4 * (segment.end_s - segment.start_s)


def difference(a, b):
    return np.abs(a.astype(int) - b.astype(int))


def test_frames_have_the_documented_size_and_type(video):
    frame = video.frame_at(0.0)
    assert video.size == (512, 600)
    assert frame.shape == (600, 512, 3)
    assert frame.dtype == np.uint8
    assert video.fps == 30.0
    assert 20 <= video.duration_s <= 25


def test_the_script_is_ordered_has_rests_and_uses_real_labels(video):
    names = {label.name for label in ma52_labels()}
    assert [s.label for s in video.script] == [m.label for m in SCRIPT]
    assert {s.label for s in video.script} <= names
    ends = [0.0, *(s.end_s for s in video.script)]
    starts = [*(s.start_s for s in video.script), video.duration_s]
    assert all(start - end == pytest.approx(1.0) for end, start in zip(ends, starts, strict=True))


def test_the_same_time_always_gives_the_same_picture(video):
    t_s = middle(video.script[1])
    first = video.frame_at(t_s)
    video.frame_at(3.0)
    np.testing.assert_array_equal(video.frame_at(t_s), first)
    np.testing.assert_array_equal(DemoVideo().frame_at(t_s), first)


def test_the_sequence_repeats(video):
    t_s = middle(video.script[0])
    np.testing.assert_array_equal(video.frame_at(t_s + 3 * video.duration_s), video.frame_at(t_s))


def test_frames_are_not_reused(video):
    first = video.frame_at(0.0)
    first[:] = 0
    assert video.frame_at(0.0).any()


def test_the_person_rests_outside_segments_and_moves_within_each(video):
    rest = video.frame_at(0.0)
    for segment in video.script:
        np.testing.assert_array_equal(video.frame_at(segment.start_s), rest)
        np.testing.assert_array_equal(video.frame_at(segment.end_s + 0.5), rest)
        frames = [video.frame_at(t) for t in np.linspace(segment.start_s, segment.end_s, 12)]
        assert max(np.mean(difference(frame, rest)) for frame in frames) > 1.5, segment.label


def test_the_background_and_the_chest_do_not_move(video):
    rest = video.frame_at(0.0)
    for segment in video.script:
        frame = video.frame_at(middle(segment))
        assert difference(frame[:, :60], rest[:, :60])[:280].max() <= 2, segment.label
        assert difference(frame[:200, 460:], rest[:200, 460:]).max() <= 2, segment.label
        assert difference(frame[590:, 200:330], rest[590:, 200:330]).max() <= 30, segment.label


def test_motion_is_smooth_from_frame_to_frame(video):
    times = np.arange(0, video.duration_s, 1 / video.fps)
    frames = [video.frame_at(t)[::4, ::4] for t in times]
    steps = [np.mean(difference(a, b)) for a, b in itertools.pairwise(frames)]
    assert max(steps) < 14


def test_the_warp_follows_its_documented_signs():
    nose = np.array([[264.0, 240.0]], np.float32)
    crown = np.array([[264.0, 40.0]], np.float32)
    shoulder = np.array([[440.0, 400.0]], np.float32)
    posture = mar_edge.streaming.capture.demo._Posture
    moved = mar_edge.streaming.capture.demo._moved
    assert moved(nose, posture(20, 0, 0, 0))[0, 0] > 20
    assert moved(nose, posture(0, 20, 0, 0))[0, 1] > 20
    assert moved(crown, posture(0, 0, 10, 0))[0, 0] > 20
    assert moved(shoulder, posture(0, 0, 0, 28))[0, 1] < -20
    assert np.abs(moved(shoulder, posture(20, 20, 10, 0))).max() < 1
    assert np.abs(moved(nose, posture(0, 0, 0, 28))).max() < 1


def test_without_the_picture_the_error_names_its_path(monkeypatch, tmp_path):
    monkeypatch.setattr(mar_edge.streaming.capture.demo.resources, "files", lambda package: tmp_path)
    with pytest.raises(MarEdgeError, match=r"grace_hopper\.jpg is missing or damaged; reinstall mar-edge"):
        DemoVideo()


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize("target", ["demo", "lint"])
def test_make_prints_the_size_of_the_installation_before_it_starts(target, tmp_path):
    command = ["make", "--dry-run", f"VENV={tmp_path}/none", target]
    planned = subprocess.run(
        command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    said, installing = re.search(r"echo .*[\d.]+ GB", planned), re.search(r"pip install", planned)
    assert said is not None
    assert said.start() < installing.start()
