"""Which video belongs to which recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.view.videos import Recorded, names_of, videos_of


def files(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")
    return [folder / name for name in names]


def recorded(folder: Path, name: str, source: str = "", stream: str = "camera", run: str = "a") -> Recorded:
    return Recorded(files(folder, name)[0], stream, run, source)


def test_a_video_next_to_a_recording_has_its_name_or_that_of_the_source_or_the_stream(tmp_path: Path) -> None:
    videos = files(tmp_path, "p01.mp4", "p02.mkv", "hall.avi", "other.mp4")
    recordings = [
        recorded(tmp_path, "p01.jsonl"),
        recorded(tmp_path, "camera-000001-20260101T000000Z-0123abcd.jsonl", r"D:\videos\p02.mkv"),
        recorded(tmp_path, "x.jsonl", stream="hall"),
        recorded(tmp_path, "y.jsonl", "rtsp://camera"),
    ]
    found = videos_of(recordings, [], nearby=True)
    assert [found.get(each.path) for each in recordings] == [*videos[:3], None]
    assert videos_of(recordings, [], nearby=False) == {}


def test_of_several_videos_the_one_that_browsers_play_counts(tmp_path: Path) -> None:
    files(tmp_path, "p01.avi", "p01.webm", "p01.txt")
    one = recorded(tmp_path, "p01.jsonl", "p01.avi")
    assert videos_of([one], [], nearby=True) == {one.path: tmp_path / "p01.webm"}


def test_videos_are_given_as_files_or_folders_and_come_before_those_next_to_the_recording(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    one, two = files(folder, "p01.mp4", "p02.mp4")
    files(tmp_path, "p01.mp4", "p03.mp4")
    recordings = [recorded(tmp_path, f"p0{number}.jsonl", run=str(number)) for number in (1, 2, 3)]
    paths = [each.path for each in recordings]
    assert videos_of(recordings, [folder], nearby=True) == dict(
        zip(paths, [one, two, tmp_path / "p03.mp4"], strict=True)
    )
    assert videos_of(recordings, [two], nearby=False) == {paths[1]: two}


def test_one_video_of_one_run_needs_no_name(tmp_path: Path) -> None:
    (video,) = files(tmp_path / "videos", "session.mov")
    parts = [recorded(tmp_path, "a.jsonl"), recorded(tmp_path, "b.jsonl")]
    assert videos_of(parts, [video], nearby=False) == {part.path: video for part in parts}
    others = [*parts, recorded(tmp_path, "c.jsonl", run="b")]
    with pytest.raises(MarEdgeError, match=r"--media: no recording belongs to .*session\.mov"):
        videos_of(others, [video], nearby=False)


def test_media_that_are_not_there_are_refused(tmp_path: Path) -> None:
    one = recorded(tmp_path, "p01.jsonl")
    with pytest.raises(MarEdgeError, match="no video at"):
        videos_of([one], [tmp_path / "nowhere.mp4"], nearby=True)
    with pytest.raises(MarEdgeError, match="holds no video"):
        videos_of([one], [tmp_path], nearby=True)


def test_recordings_are_named_after_their_video(tmp_path: Path) -> None:
    recordings = [
        recorded(tmp_path, "a.jsonl", "/videos/p01.mp4"),
        recorded(tmp_path, "b.jsonl", "/videos/p02.mp4"),
        recorded(tmp_path, "c.jsonl", "/videos/p02.mp4"),
        recorded(tmp_path, "d.jsonl", "rtsp://camera"),
    ]
    assert names_of(recordings) == ["p01.mp4", "p02.mp4 · b.jsonl", "p02.mp4 · c.jsonl", "d.jsonl"]
