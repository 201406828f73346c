"""MA-52 and iMiGUE from their authors' files, and each possible fault of such files."""

import pickle
import re

import clips
import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, ma52_labels
from mar_edge.edge.layout import load_layout
from mar_edge.edge.preprocess import clip_to_input
from mar_edge.training.datasets.authors import open_authors

ROW = {"frame_dir": "a", "keypoint": np.ones((1, 5, 22, 2), np.float32)}


@pytest.mark.parametrize("layout", ["ma52", "imigue"])
def test_clips_of_the_first_person_in_the_order_of_the_file(tmp_path, layout):
    written = clips.write_authors(tmp_path, layout, "train", [0, 3, 31], 2)
    dataset = open_authors(tmp_path, layout, "train")
    assert len(dataset) == 6
    assert dataset.name == f"{ {'ma52': 'MA-52', 'imigue': 'iMiGUE'}[layout] }, train split, 6 clips"
    assert dataset.layout == load_layout(layout)
    assert dataset.background is None
    assert len(dataset.labels) == (52 if layout == "ma52" else 32)
    assert dataset.clip_name(2) == "train_0002"
    counts = dataset.class_counts()
    assert (counts.sum(), counts[31]) == (6, 2)
    batch = dataset.batch(np.array([4, 1]))
    assert batch.labels.tolist() == [written[4][0], written[1][0]] == [3, 3]
    for i, place in enumerate((4, 1)):
        skeleton, index_t = clip_to_input(written[place][1], load_layout(layout))
        np.testing.assert_array_equal(batch.skeleton[i], skeleton)
        np.testing.assert_array_equal(batch.index_t[i], index_t)


@pytest.mark.parametrize("layout", ["ma52", "imigue"])
def test_batches_are_the_authors_own_preprocessing(data, tmp_path, layout):
    measured = np.load(data / "golden_preprocess.npz")
    numbers = [key.removeprefix(f"{layout}_clip") for key in measured.files if key.startswith(f"{layout}_clip")]
    write(
        tmp_path,
        [{"frame_dir": i, "keypoint": measured[f"{layout}_clip{i}"][None].astype(np.float64)} for i in numbers],
        [{"file_name": i, "label": 1} for i in numbers],
    )
    batch = open_authors(tmp_path, layout, "train").batch(np.arange(len(numbers)))
    for row, i in enumerate(numbers):
        x = batch.skeleton[row][:, list(load_layout(layout).network_order)].transpose(2, 0, 1)
        np.testing.assert_allclose(x, measured[f"{layout}_j{i}_x"], rtol=0, atol=1e-6)
        np.testing.assert_array_equal(batch.index_t[row], measured[f"{layout}_j{i}_index_t"])


def test_unseen_joints_are_filled_as_in_live_use(tmp_path):
    clip = clips.moving(0)
    clip[10:20, 4] = np.nan
    write(tmp_path, [{"frame_dir": "a", "keypoint": clip[None]}], [{"file_name": "a", "label": 0}])
    batch = open_authors(tmp_path, "imigue", "train").batch(np.array([0]))
    np.testing.assert_array_equal(batch.skeleton[0], clip_to_input(clip, load_layout("imigue"))[0])


def test_half_precision_integers_and_one_frame(tmp_path):
    annotations = [
        {"frame_dir": name, "keypoint": (np.ones((1, frames, 22, 2)) * 7).astype(kind)}
        for name, frames, kind in (("a", 30, np.float16), ("b", 1, np.int32))
    ]
    write(tmp_path, annotations, [{"file_name": "a", "label": 0}, {"file_name": "b", "label": np.int64(1)}])
    assert open_authors(tmp_path, "imigue", "train").batch(np.arange(2)).labels.tolist() == [0, 1]


def test_a_test_split_may_have_no_labels(tmp_path):
    clips.write_authors(tmp_path, "ma52", "test", [0, 1], 2, with_labels=False)
    for _ in range(2):
        dataset = open_authors(tmp_path, "ma52", "test", labels_required=False)
        assert dataset.batch(np.arange(4)).labels.tolist() == [-1] * 4
        assert dataset.class_counts().tolist() == [0] * 52
        assert dataset.clip_name(3) == "test_0003"
        with pytest.raises(MarEdgeError, match="its labels are unknown"):
            dataset.known_labels()
        # the second time with a file that lists the clips without labels
        (tmp_path / "test_label.pkl").write_bytes(pickle.dumps([{"file_name": f"test_{i:04}.mp4"} for i in range(4)]))
    with pytest.raises(MarEdgeError, match=r"label None; expected an id from 0 to 51"):
        open_authors(tmp_path, "ma52", "test")


def test_names_are_unchanged_and_a_test_split_is_in_the_order_of_its_labels(tmp_path):
    names = ["c.mp4", "folder/a.MP4", "b", "d.v2"]
    annotations = [{"frame_dir": name, "keypoint": clips.moving(i)[None]} for i, name in enumerate(names)]
    order = ["a", "d.v2.mp4", "c.mp4"]
    write(tmp_path, annotations, [{"file_name": name} for name in order], "test")
    dataset = open_authors(tmp_path, "imigue", "test", labels_required=False)
    assert [dataset.clip_name(i) for i in range(4)] == ["folder/a.MP4", "d.v2", "c.mp4", "b"]
    np.testing.assert_array_equal(dataset.clips[1], clips.moving(3))
    write(tmp_path, annotations, [{"file_name": name, "label": 0} for name in [*order, "b"]], "train")
    trained = open_authors(tmp_path, "imigue", "train")  # a run resumes only with the same order: that of the data
    assert [trained.clip_name(i) for i in range(4)] == names


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("1", 1),
        (" 1 ", 1),
        (1.0, 1),
        (np.float32(1), 1),
        (np.array(1), 1),
        (np.array([1]), 1),
        (np.array(1.0), 1),
        (np.str_("1"), 1),
        (np.array("1"), 1),
        (np.uint8(1), 1),
    ],
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_labels_are_read_as_the_published_loaders_do(tmp_path, message, expected, protocol):
    (tmp_path / "train_data.pkl").write_bytes(
        pickle.dumps({"annotations": [ROW | {"frame_dir": np.str_("a")}]}, protocol)
    )
    entries = [{"file_name": np.str_("a"), "label": message}]
    (tmp_path / "train_label.pkl").write_bytes(pickle.dumps(entries, protocol))
    assert open_authors(tmp_path, "imigue", "train").known_labels().tolist() == [expected]


@pytest.mark.parametrize(
    "message", ["1.5", "", "one", 1.5, float("nan"), np.array([0, 1]), np.array("x"), [1], None, b"1"]
)
def test_invalid_labels_are_refused_and_counted(tmp_path, message):
    rows = [ROW, ROW | {"frame_dir": "b"}]
    write(tmp_path, rows, [{"file_name": "a", "label": message}, {"file_name": "b", "label": "two"}])
    with pytest.raises(MarEdgeError, match=r"entry 0 \(a\) \(and 1 more\): label .*; expected an id from 0 to 31"):
        open_authors(tmp_path, "imigue", "train")


@pytest.mark.parametrize("placeholder", [-1, None, "-1", -1.0, 0, "0"])
def test_a_test_split_whose_labels_are_placeholders_has_none(tmp_path, placeholder):
    rows = [ROW, ROW | {"frame_dir": "b"}]
    entries = [{"file_name": name, "label": placeholder} for name in "ab"]
    write(tmp_path, rows, entries, "test")
    dataset = open_authors(tmp_path, "imigue", "test", labels_required=False)
    assert dataset.clip_labels is None
    assert ("are 0, taken as missing" in dataset.name) == (placeholder in (0, "0"))
    write(tmp_path, rows, [entries[0], {"file_name": "b", "label": 3}], "test")
    if placeholder in (0, "0"):
        labeled = open_authors(tmp_path, "imigue", "test", labels_required=False)
        assert labeled.known_labels().tolist() == [0, 3]
    else:
        with pytest.raises(MarEdgeError, match=r"label .*-?1?.*; expected an id from 0"):
            open_authors(tmp_path, "imigue", "test", labels_required=False)


def nobody(value):
    return np.full((2, 20, 22, 2), value, np.float32)


@pytest.mark.parametrize("value", [np.nan, 0])
def test_clips_without_the_first_person_are_left_out_and_counted(tmp_path, value):
    empty_first = nobody(value)
    empty_first[1] = clips.moving(3)[:20]
    rows = [
        {"frame_dir": "a", "keypoint": nobody(value)},
        {"frame_dir": "b", "keypoint": empty_first},
        ROW | {"frame_dir": "c"},
    ]
    entries = [{"file_name": name, "label": i} for i, name in enumerate("abc")]
    write(tmp_path, rows, entries)
    dataset = open_authors(tmp_path, "imigue", "train")
    assert dataset.name == "iMiGUE, train split, 1 clips, 2 without any joint of the first person left out"
    assert (dataset.known_labels().tolist(), dataset.clip_name(0), len(dataset.clips)) == ([2], "c", 1)
    write(tmp_path, rows[:2], entries[:2], "val")
    with pytest.raises(MarEdgeError, match="none of its 2 clips shows a joint of its first person"):
        open_authors(tmp_path, "imigue", "val")
    write(tmp_path, rows, [], "test")
    (tmp_path / "test_label.pkl").unlink()
    whole = open_authors(tmp_path, "imigue", "test", labels_required=False)  # a submission has every clip
    assert whole.name == "iMiGUE, test split, 3 clips, 2 of them without any joint of the first person"


@pytest.mark.parametrize("shape", [(20, 1, 22, 2), (60, 2, 22, 2)])
def test_swapped_axes_are_refused_with_their_shape(tmp_path, shape):
    write(tmp_path, [ROW | {"keypoint": np.ones(shape)}], [{"file_name": "a", "label": 0}])
    with pytest.raises(MarEdgeError, match=re.escape(f"has the shape {shape}, more people than frames")):
        open_authors(tmp_path, "imigue", "train")


def test_the_shared_cases(shared):
    axes, empty, text, named = (
        shared(f"cases/{name}") for name in ("axis_TMVC", "all_nan", "labels_as_text", "vid_mp4")
    )
    with pytest.raises(MarEdgeError, match=r"has the shape \(20, 1, 44, 2\)"):
        open_authors(axes, "ma52", "val")
    with pytest.raises(MarEdgeError, match="none of its 2 clips shows a joint"):
        open_authors(empty, "ma52", "val")
    assert open_authors(text, "ma52", "val").known_labels().tolist() == [0, 1]
    test = open_authors(named, "ma52", "test", labels_required=False)
    assert [test.clip_name(i) for i in range(len(test))] == ["test0000.mp4", "test0001.mp4"]


def test_labeled_clips_without_a_skeleton_are_left_out_and_counted(tmp_path):
    write(tmp_path, [ROW], [{"file_name": "a", "label": 0}, {"file_name": "b", "label": 0}])
    dataset = open_authors(tmp_path, "imigue", "train")
    assert len(dataset) == 1
    assert "1 labeled ones without a skeleton left out" in dataset.name


def test_labels_of_the_user(tmp_path):
    write(tmp_path, [ROW], [{"file_name": "a", "label": 1}])
    labels = (Label(0, "still", ""), Label(1, "turtle neck", ""))
    assert open_authors(tmp_path, "imigue", "train", labels=labels).labels == labels
    assert open_authors(tmp_path, "imigue", "train").labels[31] == Label(31, "class 31", "")
    assert ma52_labels()[9].name == "nodding"


def write(folder, annotations, labels, split="train"):
    (folder / f"{split}_data.pkl").write_bytes(pickle.dumps({"annotations": annotations}))
    (folder / f"{split}_label.pkl").write_bytes(pickle.dumps(labels))


def test_missing_files_are_named_with_the_existing_ones(tmp_path):
    with pytest.raises(MarEdgeError, match=r"has no train_data.pkl; MA-52 is a folder of .* of: no split"):
        open_authors(tmp_path, "ma52", "train")
    clips.write_authors(tmp_path, "imigue", "test", [0], 1, with_labels=False)
    with pytest.raises(MarEdgeError, match=r"has no val_data.pkl; iMiGUE .* found data of: test"):
        open_authors(tmp_path, "imigue", "val")
    with pytest.raises(MarEdgeError, match=r"cannot read .*test_label.pkl: No such file"):
        open_authors(tmp_path, "imigue", "test")


@pytest.mark.parametrize(
    ("annotations", "labels", "expected"),
    [
        ([], None, "expected a dict with a list of clips under 'annotations'"),
        (None, None, "expected a dict with a list of clips under 'annotations'"),
        (["a"], None, "train_data.pkl, clip 0: expected a dict with a name under 'frame_dir'"),
        ([{"keypoint": 1}], None, "clip 0: expected a dict with a name under 'frame_dir'"),
        ([{"frame_dir": "a"}], None, "clip 0 (a): 'keypoint' is not an array"),
        ([{"frame_dir": "a", "keypoint": [[1.0]]}], None, "clip 0 (a): 'keypoint' is not an array"),
        ([ROW, ROW], None, "clip 1: frame_dir 'a' occurs twice"),
        ([ROW | {"keypoint": np.zeros((5, 22, 2))}], None, "'keypoint' has the shape (5, 22, 2) of float64"),
        ([ROW | {"keypoint": np.zeros((0, 5, 22, 2))}], None, "M >= 1 people"),
        ([ROW | {"keypoint": np.zeros((1, 5, 22, 2), bool)}], None, "of bool; expected"),
        ([ROW | {"keypoint": np.zeros((1, 108_001, 1, 1), np.int8)}], None, "up to 108000 frames"),
        (
            [ROW | {"keypoint": np.zeros((1, 0, 22, 2))}],
            None,
            "(0, 22, 2); a clip of the layout imigue is (T, 22, 2) with T >= 1",
        ),
        ([ROW | {"keypoint": np.zeros((1, 5, 44, 2))}], None, "(5, 44, 2); a clip of the layout imigue is (T, 22, 2)"),
        ([ROW | {"keypoint": np.full((1, 5, 22, 2), np.inf)}], None, "clip 0 (a) holds infinite coordinates"),
        ([ROW], [], "train_label.pkl: expected a list of"),
        ([ROW], {"a": 0}, "train_label.pkl: expected a list of"),
        ([ROW], [{"label": 0}], "entry 0: expected a dict with a name under 'file_name'"),
        ([ROW], [{"file_name": "a", "label": 32}], "entry 0 (a): label 32; expected an id from 0 to 31"),
        ([ROW], [{"file_name": "a", "label": -1}], "label -1; expected"),
        ([ROW], [{"file_name": "a", "label": True}], "label True; expected"),
        ([ROW], [{"file_name": "a", "label": "nod"}], "label 'nod'; expected"),
        (
            [ROW],
            [{"file_name": "a", "label": 0}, {"file_name": "a.mp4", "label": 1}],
            "'a' occurs twice, as 0 and as 1",
        ),
        ([ROW, ROW | {"frame_dir": "b"}], [{"file_name": "c", "label": 0}], "clip 'a' (and 1 more) has no label in"),
    ],
)
def test_each_fault_is_one_line_with_its_place(tmp_path, annotations, labels, expected):
    write(tmp_path, annotations, [{"file_name": "a", "label": 0}] if labels is None else labels)
    with pytest.raises(MarEdgeError, match=re.escape(expected)) as error:
        open_authors(tmp_path, "imigue", "train")
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value)
