"""Which videos a study has: from files, folders, patterns and tables. Files are empty: nothing is opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mar_edge.analysis.inputs import Video, find_videos
from mar_edge.edge.errors import MarEdgeError

Make = Callable[..., None]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a function that makes empty files in the current folder."""
    monkeypatch.chdir(tmp_path)

    def files(*names: str) -> None:
        for name in names:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(b"")

    return files


def names(videos: list[Video]) -> list[tuple[str, str]]:
    return [(str(video.path), video.name) for video in videos]


def test_files_folders_and_patterns(make: Make) -> None:
    make("a/1.mp4", "a/deep/2.MOV", "a/notes.txt", "a/.hidden/3.mp4", "a/._1.mp4", "b/4.mkv", "b/4.jpg", "odd.bin")
    assert names(find_videos(["a"])) == [("a/1.mp4", "1"), ("a/deep/2.MOV", "2")]
    assert names(find_videos(["b/*", "odd.bin"])) == [("b/4.mkv", "4"), ("odd.bin", "odd")]
    assert names(find_videos(["**/*.mp4"])) == [("a/1.mp4", "1")]


def test_a_video_that_is_named_twice_is_there_once(make: Make) -> None:
    make("a/1.mp4")
    os.symlink("1.mp4", "a/link.mp4")
    assert names(find_videos(["a/1.mp4", "./a/../a/1.mp4", "a"])) == [("a/1.mp4", "1")]


def test_videos_of_one_name_get_as_much_of_their_path_as_needed(make: Make) -> None:
    make("x/day1/P1.mp4", "y/day1/P1.mp4", "day2/p1.mp4", "day2/P2.mp4", "day2/P2.mov", "P3.mp4")
    found = find_videos(["x", "y", "day2", "P3.mp4"])
    assert [video.name for video in found] == ["x_day1_P1", "y_day1_P1", "P2_mov", "P2_mp4", "day2_p1", "P3"]


def test_names_that_joining_folders_makes_equal_are_numbered(tmp_path: Path) -> None:
    for name in ("a_b/c.mp4", "a/b_c.mp4", "b_c.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [video.name for video in find_videos([str(tmp_path)])]
    assert len({name.casefold() for name in found}) == 3


def test_control_characters_stay_out_of_names(make: Make) -> None:
    make("a\nb.mp4")
    assert [video.name for video in find_videos(["."])] == ["a_b"]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("file,participant,condition\nv/1.mp4,Ann,calm\nv/2.mp4,Ann,\nv/3.mp4,,calm\n", "utf-8"),
        ("\ufeffFile;Condition;Participant;a\r\nv/1.mp4;calm;Ann;7\r\nv/2.mp4;;Ann\r\n;\r\nv/3.mp4;calm\r\n", "utf-8"),
        ('participant\tcondition\tfile\nAnn\tcalm\t"v/1.mp4"\nAnn\t\tv/2.mp4\n\tcalm\tv/3.mp4\n', "utf-16"),
    ],
)  # fmt: skip
def test_a_table_names_participants_and_conditions(make: Make, text: str, encoding: str) -> None:
    make("study/v/1.mp4", "study/v/2.mp4", "v/3.mp4")  # the last one from the current folder
    Path("study/who.csv").write_bytes(text.encode(encoding))
    found = find_videos(["study/who.csv", "study"])
    assert [(video.path.name, video.participant, video.condition) for video in found] == [
        ("1.mp4", "Ann", "calm"),
        ("2.mp4", "Ann", ""),
        ("3.mp4", "3", "calm"),
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.mp4"], "no video at nowhere.mp4"),
        (["nowhere/*.mp4"], "no video matches"),
        (["empty"], "no video in the folder empty"),
        (["no-file.csv"], "has the columns file, participant, condition; this one has video, participant"),
        (["missing.csv"], r"missing.csv, line 3: no file b.mp4 \(nor 1 more files"),
        (["blank.csv"], "blank.csv, line 2: no file"),
        (["binary.csv"], "binary.csv is not text"),
        (["one.csv", "other.csv"], "other.csv, line 2: the participant of a.mp4 is 'Bob' here and 'Ann' in one.csv"),
    ],
)
def test_mistakes_are_found_before_the_night(make: Make, arguments: list[str], says: str) -> None:
    make("a.mp4", "empty/.keep")
    tables = {
        "no-file": b"video,participant\na.mp4,Ann\n",
        "missing": b"file\na.mp4\nb.mp4\nc.mp4\n",
        "blank": b"file,participant\n,Ann\n",
        "binary": b"\0\1\2",
        "one": b"file,participant\na.mp4,Ann\n",
        "other": b"file,participant\na.mp4,Bob\n",
    }
    for name, content in tables.items():
        Path(f"{name}.csv").write_bytes(content)
    with pytest.raises(MarEdgeError, match=says):
        find_videos(arguments)
