"""Lists of videos: their lines, where the videos are, and what is refused."""

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.training.pictures.lists import find_list, read_list

LABELS = (Label(3, "to the right", ""), Label(7, "to the left", ""))


def place(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def write(folder, text, name="train_list_videos.txt"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_of_published_lists(tmp_path):
    place(tmp_path, "a.mp4", "b c.mp4", "d.avi", "e.mp4", "f.mp4")
    listed = write(tmp_path, "\ufeffa.mp4 3\nb c.mp4\t7\r\nd.avi, 3\ne.mp4\nf.mp4 -1\na.mp4 3\n\n")
    clips = read_list(listed, LABELS, tmp_path)
    assert [(clip.name, clip.label) for clip in clips] == [
        ("a.mp4", 0),
        ("b c.mp4", 1),
        ("d.avi", 0),
        ("e.mp4", None),
        ("f.mp4", None),
    ]
    assert all(clip.path == tmp_path / clip.name for clip in clips)


def test_videos_are_found_below_the_folder(tmp_path):
    place(tmp_path, "raw/train/a.mp4", "raw/val/a.mp4", "raw/train/b.mp4", "lists/c.mp4")
    (tmp_path / "lists").mkdir(exist_ok=True)
    listed = write(tmp_path / "lists", "train/a.mp4 3\nb.mp4 7\nc.mp4 7\n")
    paths = [str(clip.path.relative_to(tmp_path)) for clip in read_list(listed, LABELS, tmp_path)]
    assert paths == ["raw/train/a.mp4", "raw/train/b.mp4", "lists/c.mp4"]
    with pytest.raises(MarEdgeError, match=r"'a.mp4' is .*a.mp4 or .*a.mp4; list longer paths"):
        read_list(write(tmp_path, "a.mp4 3\n"), LABELS, tmp_path)


def test_the_list_of_a_split(tmp_path):
    place(tmp_path, "annotations/train_list_videos.txt", "annotations/val_list_videos.txt", "train.mp4")
    assert find_list(tmp_path, "val") == tmp_path / "annotations" / "val_list_videos.txt"
    assert find_list(tmp_path / "any.txt", "val") == tmp_path / "any.txt"
    with pytest.raises(MarEdgeError, match=r"named test\*\.txt, such as test_list_videos.txt; found none"):
        find_list(tmp_path, "test")
    place(tmp_path, "train.txt")
    with pytest.raises(MarEdgeError, match=r"found annotations/train_list_videos.txt, train.txt. Name the list"):
        find_list(tmp_path, "train")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.mp4 4\n", r"line 1: no label has the id 4; ids are from 3 to 7; --labels names other labels"),
        ("a.mp4 3\na.mp4 7\n", r"line 2: 'a.mp4' occurs twice, with the labels 3 and 7"),
        ("a.mp4 3\n\na.mp4 3\n", r"line 2: ''; expected a video's path and the id of its label"),
        ("frames\n", r"line 1: 'frames'; expected a video's path"),
        ("b.mp4 3\n../c.mp4 3\n", r"2 of its 2 videos are not below .*: b.mp4, ../c.mp4; put them there"),
        ("\n", r"line 1|lists no video"),
    ],
)
def test_wrong_lists_are_refused(tmp_path, text, expected):
    place(tmp_path, "a.mp4")
    with pytest.raises(MarEdgeError, match=expected):
        read_list(write(tmp_path, text), LABELS, tmp_path)


def test_what_is_no_list_is_refused(tmp_path):
    with pytest.raises(MarEdgeError, match=r"cannot read the list of videos .*nowhere.txt: No such file"):
        read_list(tmp_path / "nowhere.txt", LABELS, tmp_path)
    (tmp_path / "video.txt").write_bytes(b"\xff\xfe\x00a\xd8")
    with pytest.raises(MarEdgeError, match=r"is not text in UTF-8; expected a list of videos"):
        read_list(tmp_path / "video.txt", LABELS, tmp_path)
