"""Clips from an archive as ``mar-edge synth`` writes it."""

import zipfile

import clips
import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.edge.preprocess import clip_to_input
from mar_edge.training.datasets.archive import open_archive
from mar_edge.training.synth.command import write_clips
from mar_edge.training.synth.generator import CLASSES, synthesize


def arrays(**changes):
    return {
        "joints": np.stack([clips.moving(label, "ma52", 64) for label in (0, 1, 0)]),
        "labels": np.array([0, 1, 0]),
        "duration_s": np.full(3, 2.0, np.float32),
        "classes": np.array(["nodding", "no action"]),
    } | changes


def opened(path, **changes):
    np.savez(path, **arrays(**changes))
    return open_archive(path)


def test_an_archive_of_synth_is_read(tmp_path):
    path = tmp_path / "clips.npz"
    write_clips(path, 6, 4)
    dataset = open_archive(path)
    made = synthesize(4, 0, 256)
    assert dataset.labels == CLASSES
    assert dataset.name == "clips.npz, 6 clips"
    batch = dataset.batch(np.array([5, 2]))
    assert batch.labels.tolist() == made.labels[[5, 2]].tolist()
    np.testing.assert_array_equal(batch.skeleton[0], clip_to_input(made.joints[5])[0])


@pytest.mark.parametrize("value", [np.nan, 0])
def test_clips_without_any_joint_are_left_out_and_counted(tmp_path, value):
    joints = arrays()["joints"]
    joints[1] = value
    dataset = opened(tmp_path / "a.npz", joints=joints)
    assert dataset.name == "a.npz (1 clips without any joint left out), 2 clips"
    assert dataset.known_labels().tolist() == [0, 0]
    assert dataset.clip_name(1) == "a 2"
    assert "(1 clips without any joint left out), part" in dataset.only(np.array([0]), "part").name
    with pytest.raises(MarEdgeError, match="none of its 3 clips shows a joint"):
        opened(tmp_path / "b.npz", joints=np.full_like(joints, value))


def test_labels_by_name_and_others_by_number(tmp_path):
    assert opened(tmp_path / "a.npz").labels == (ma52_labels()[9], background_label())
    foreign = opened(tmp_path / "b.npz", classes=np.array(["nodding", "waltzing"]))
    assert foreign.labels == (Label(0, "nodding", ""), Label(1, "waltzing", ""))
    assert foreign.class_counts().tolist() == [2, 1]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"joints": np.zeros((3, 64, 10, 2))}, r"shape \(3, 64, 10, 2\); expected"),
        ({"joints": np.zeros((3, 64, 44))}, r"shape \(3, 64, 44\); expected"),
        ({"joints": np.zeros((3, 64, 44, 3))}, r"clip 0 has the shape \(64, 44, 3\)"),
        ({"joints": np.full((3, 64, 44, 2), np.inf)}, "clip 0 holds infinite"),
        (
            {"joints": np.zeros((0, 64, 44, 2)), "labels": np.zeros(0, int), "duration_s": np.zeros(0)},
            "expected joints",
        ),
        ({"labels": np.array([0, 1])}, "do not have one label"),
        ({"labels": np.array([0, 1, 2])}, "do not have one label"),
        ({"labels": np.array([0, -1, 1])}, "do not have one label"),
        ({"labels": np.array([0.0, 1, 1])}, "expected joints"),
        ({"classes": np.array([1, 2])}, "expected joints"),
        ({"classes": np.array(["a", {}], object)}, "not a whole .npz archive"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, changes, expected):
    with pytest.raises(MarEdgeError, match=expected):
        opened(tmp_path / "a.npz", **changes)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(MarEdgeError, match=r"cannot read .*No such file"):
        open_archive(path)
    path.write_bytes(b"hello")
    with pytest.raises(MarEdgeError, match=r"not a whole \.npz archive"):
        open_archive(path)
    np.savez(path, joints=np.zeros(3))
    with pytest.raises(MarEdgeError, match="has the arrays joints; expected joints, labels"):
        open_archive(path)
    opened(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(MarEdgeError, match=r"not a whole \.npz archive"):
        open_archive(path)


def test_a_small_file_cannot_unpack_to_a_large_one(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    monkeypatch.setattr("mar_edge.training.datasets.archive._MAX_BYTES", 1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("joints.npy", bytes(2 << 20))
    with pytest.raises(MarEdgeError, match="unpacks to more than"):
        open_archive(path)
