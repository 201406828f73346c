"""Tables of actions with their recordings, read and refused."""

import numpy as np
import pytest
from recorded_runs import Stream

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.training.evaluation.truth import FRAMINGS, TrueAction, framing, open_real

HEAD = "file,start_s,end_s,label,confidence_of_label,also\n"
LAYOUT = load_layout("ma52")


def folder(path, table, recordings=("a",)):
    (path / "skeletons").mkdir()
    for name in recordings:
        Stream().hello().skeletons(0, 1).write(path / "skeletons" / f"{name}.jsonl")
    (path / "truth.csv").write_text(HEAD + table)
    return path


def test_actions_are_read_with_their_recordings(tmp_path):
    real = open_real(
        folder(
            tmp_path,
            "a.mp4,0.2,0.9,nodding,high,shaking head|head up\na.mp4,0.5,1.5,waving,low,\nb.mkv,,,nothing,high,\n",
            "ab",
        )
    )
    first, second = real.recordings
    assert first.actions == (
        TrueAction(0.2, 0.9, "nodding", ("shaking head", "head up"), "high"),
        TrueAction(0.5, 1.5, "waving", (), "low"),
    )
    assert first.actions[0].names == ("nodding", "shaking head", "head up")
    assert (second.name, second.actions) == ("b.mkv", ())
    assert len(first.frames) == 30
    assert first.duration_s == pytest.approx(29 / 30, abs=1e-6)
    assert not first.ran_out  # the recording has no end: it was cut off
    assert (real.layout, real.labels) == (LAYOUT, ("nodding", "waving"))
    assert real.name == f"{tmp_path.name}, 2 recordings"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("a.mp4,0.2,,nodding,high,\n", "line 2: start_s and end_s are seconds"),
        ("a.mp4,2,1,nodding,high,\n", "line 2: an action from 2 s to 1 s"),
        ("a.mp4,0,nan,nodding,high,\n", "line 2: an action from 0 s to nan s"),
        ("a.mp4,0,1,,high,\n", "line 2: expected a file and a label"),
        ("b.mp4,0,1,nodding,high,\n", "no recording at"),
        ("", "names no recording"),
    ],
)
def test_faults_of_a_table_are_named(tmp_path, table, expected):
    with pytest.raises(MarEdgeError, match=expected):
        open_real(folder(tmp_path, table))


def test_a_folder_without_a_table(tmp_path):
    with pytest.raises(MarEdgeError, match=r"cannot read .*truth.csv: .*skeletons/NAME.jsonl"):
        open_real(tmp_path)
    (tmp_path / "truth.csv").write_text("file,label\n")
    with pytest.raises(MarEdgeError, match="no column start_s, end_s"):
        open_real(tmp_path)


def seen(*parts):
    joints = np.full((44, 2), np.nan, np.float32)
    for part in parts:
        joints[LAYOUT.joints.index(f"left_{part}")] = 1.0
    return joints


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([seen("knee")] * 2 + [seen()], FRAMINGS[0]),
        ([seen("knee"), seen("hip")], FRAMINGS[3]),  # each in half of the frames, not in most
        ([seen("hip", "shoulder")], FRAMINGS[1]),
        ([seen("shoulder")] * 3 + [seen()], FRAMINGS[2]),
        ([seen("eye")], FRAMINGS[3]),
    ],
)
def test_framing_is_by_the_lowest_joint_in_most_frames(frames, expected):
    assert framing(np.stack(frames), LAYOUT) == expected
