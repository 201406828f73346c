"""Results of earlier runs in a folder, and the videos that they are of."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_results import result
from msgspec.structs import replace

from mar_edge.analysis.inputs import Video, find_videos
from mar_edge.analysis.result import VideoFile, with_earlier_names, write_result


def finish(folder: Path, *videos: Video) -> None:
    for video in videos:
        file = VideoFile(path=str(video.path.absolute()), size=0, mtime_ns=0, sha256="")
        write_result(folder, replace(result(), name=video.name, video=file))


def test_a_video_keeps_its_name_when_another_of_that_name_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("day1/p01.mp4", "day2/p01.mp4", "day2/p02.mp4"):
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_bytes(b"")
    out = tmp_path / "out"
    out.mkdir()
    finish(out, *find_videos(["day1"]))
    both = find_videos(["day1", "day2"])
    assert [video.name for video in both] == ["day1_p01", "day2_p01", "p02"]
    kept = with_earlier_names(both, out)
    assert [(video.name, video.participant) for video in kept] == [
        ("p01", "p01"),
        ("day2_p01", "day2_p01"),
        ("p02", "p02"),
    ]
    finish(out, *kept)
    # Alone, it would get the short name, which is that of another video.
    assert [video.name for video in with_earlier_names(find_videos(["day2/p01.mp4"]), out)] == ["day2_p01"]
    Path("table.csv").write_text("file,participant,condition\nday1/p01.mp4,Ann,calm\nday2/p01.mp4,Ann,tense\n")
    told = with_earlier_names(find_videos(["table.csv"]), out)
    assert [(video.name, video.participant) for video in told] == [("p01", "Ann"), ("day2_p01", "Ann")]
