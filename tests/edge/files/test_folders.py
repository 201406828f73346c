"""Folders that cannot be read are one line, wherever they are."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from recorded_runs import two_people

from mar_edge.analysis.inputs import find_videos
from mar_edge.calibration.pose.frames import files_in
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.folders import all_files_in, listed
from mar_edge.streaming.recording.reader import recording_files
from mar_edge.view.annotations.reading import input_files
from mar_edge.view.videos import Recorded, videos_of

NOBODY = 65534


@contextmanager
def without_rights() -> Iterator[None]:
    """Be a user who may not read everything, as root may."""
    if os.name != "posix":
        pytest.skip("rights of POSIX")
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


@pytest.fixture
def closed() -> Iterator[Path]:
    """Return a folder in one that everybody may read; nobody may read the former."""
    with tempfile.TemporaryDirectory() as name:
        (folder := Path(name, "closed")).mkdir()
        (folder / "clip.mp4").touch()
        Path(name).chmod(0o755)
        folder.chmod(0)
        yield folder
        folder.chmod(0o700)


def test_a_folder_is_listed_by_name(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    for name in ("b", "a", "inside/c"):
        (tmp_path / name).touch()
    assert [path.name for path in listed(tmp_path)] == ["a", "b", "inside"]
    assert sorted(path.name for path in all_files_in(tmp_path)) == ["a", "b", "c"]
    with pytest.raises(MarEdgeError, match=r"cannot read the folder .*/a: Not a directory"):
        listed(tmp_path / "a")


def test_every_reader_of_folders_says_that_it_may_not(closed: Path, tmp_path: Path) -> None:
    recording = Recorded.read(two_people().write(tmp_path / "cam.jsonl"))
    readers = {
        "page": lambda: videos_of([recording], [closed], nearby=False),
        "recordings": lambda: recording_files([closed]),
        "annotations": lambda: input_files([closed]),
        "frames": lambda: files_in([closed]),
        "study": lambda: find_videos([str(closed)]),
        "study, a folder in it": lambda: find_videos([str(closed.parent)]),
    }
    for name, read in readers.items():
        with without_rights(), pytest.raises(MarEdgeError) as error:
            read()
        assert str(error.value) == f"cannot read the folder {closed}: Permission denied", name
