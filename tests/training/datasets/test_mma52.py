"""MMA-52: windows over videos with several actions at once."""

import clips
import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.training.datasets.mma52 import open_mma52

FPS = 25.0
HEAD = "id,video_id,start_frame,end_frame,class,total_frames,fps\n"
# Five seconds: waving at first, nodding from the second second to the end of the third.
ROWS = "0,a,0,49,19,125,25\n1,a,25,74,9,125,25\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "skeletons").mkdir()
    lines = clips.skeleton_lines(clips.moving(0, "ma52", frames=126), fps=FPS)
    (tmp_path / "skeletons" / "a.jsonl").write_text("\n".join(lines))
    return tmp_path


def opened(folder, rows, head=HEAD):
    (folder / "val.csv").write_text(head + rows)
    return open_mma52(folder, "val")


def test_windows_and_their_targets(folder):
    dataset = opened(folder, ROWS + "2,b,0,9,0,20,25\n")
    assert dataset.name == "MMA-52, val split, 4 windows, 1 videos without a skeleton left out"
    assert [name.split()[1] for name in dataset.clip_names] == ["0.0-2.0", "1.0-3.0", "2.0-4.0", "3.0-5.0"]
    waving, nodding = (next(i for i, label in enumerate(dataset.labels) if label.id == number) for number in (19, 9))
    batch = dataset.batch(np.arange(4))
    assert batch.targets.shape == (4, 53)
    np.testing.assert_allclose(batch.targets[:, waving], [1, 0.7, 0, 0], atol=1e-6)
    np.testing.assert_allclose(batch.targets[:, nodding], [0.7, 1, 0.7, 0], atol=1e-6)
    assert batch.labels.tolist() == [waving, nodding, nodding, dataset.background]
    assert set(dataset.groups) == {0}
    assert dataset.label_rates()[waving] == pytest.approx(1.7)


def test_a_short_video_is_one_window(folder):
    assert len(opened(folder, "0,a,0,9,19,30,25\n")) == 1


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("", "val.csv lists no action"),
        ("0,a,x,9,19,30,25\n", "line 2: frames and class are whole numbers"),
        ("0,a,0,30,19,30,25\n", "line 2: expected a video and 0 <= start_frame <= end_frame < total_frames"),
        ("0,../a,0,9,19,30,25\n", "line 2: expected a video"),
        ("0,a,0,9,19,30,0\n", "line 2: expected a video"),
        ("0,a,0,9,77,30,25\n", "line 2: no class 77; there are 0 to 52"),
        ("0,b,0,9,19,30,25\n", "none of the 1 videos of val.csv has a skeleton"),
    ],
)
def test_each_fault_is_one_line(folder, rows, expected):
    with pytest.raises(MarEdgeError) as error:
        opened(folder, rows)
    assert expected in str(error.value)


def test_missing_and_wrong_files_are_refused(folder):
    with pytest.raises(MarEdgeError, match=r"MMA-52 is a folder of train\.csv and val\.csv"):
        open_mma52(folder, "train")
    with pytest.raises(MarEdgeError, match="has the columns a,b; expected video_id,start_frame"):
        opened(folder, "", "a,b\n")
