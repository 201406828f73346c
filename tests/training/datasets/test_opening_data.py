"""Data sets by their specs, and pairs for training and validation."""

from dataclasses import replace
from pathlib import Path

import clips
import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.training.augment import Augmentation
from mar_edge.training.datasets.opening import DataSpec, open_dataset, open_training, parse_spec
from mar_edge.training.datasets.synthetic import SyntheticDataset
from mar_edge.training.synth.world import World


def open_pair(spec, validation=None, **options):
    return open_training(
        spec,
        validation,
        **{
            "seed": 1,
            "augmentation": Augmentation(squeeze=(0.5, 0.6)),
            "synthetic_clips": 64,
            "validation_clips": 32,
            "validation_share": 0.25,
        }
        | options,
    )


def archive(path, labels=(0, 1), each=8):
    made = clips.labeled("ma52", labels, each)
    np.savez(
        path,
        joints=np.stack([clip[:40] for _, clip in made]),
        labels=np.array([label for label, _ in made]),
        duration_s=np.ones(len(made)),
        classes=np.array(["nodding", "shrugging", "turning head"]),
    )
    return str(path)


def recordings_of_imigue(folder):
    (folder / "a.jsonl").write_text("\n".join(clips.skeleton_lines(clips.moving(0, frames=100))))
    (folder / "labels.csv").write_text("recording,start_s,end_s,label\na,1,3,nodding\n")
    return folder


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("synth", DataSpec("synth", Path(), None)),
        ("synth-live", DataSpec("synth", Path(), None, 0.5)),
        ("synth-concurrent", DataSpec("synth", Path(), None, 176 / 256, concurrent=True)),
        ("synth-live:no-drag,no-noise", DataSpec("synth", Path(), None, 0.5, lacking=("drag", "noise"))),
        ("mma52-val:a", DataSpec("mma52", Path("a"), "val")),
        ("ma52:a/b", DataSpec("ma52", Path("a/b"), None)),
        ("imigue:C:\\data", DataSpec("imigue", Path("C:\\data"), None)),
        ("ma52-test:a", DataSpec("ma52", Path("a"), "test")),
        ("imigue-val:a", DataSpec("imigue", Path("a"), "val")),
        ("recordings:lab", DataSpec("recordings", Path("lab"), None)),
        ("some/clips.npz", DataSpec("npz", Path("some/clips.npz"), None)),
    ],
)
def test_specs(spec, expected):
    assert parse_spec(spec) == expected


@pytest.mark.parametrize("spec", ["", "ma52", "ma52:", "ma53:a", "ma52-dev:a", "recordings", "clips.zip", "synth:1"])
def test_invalid_specs_are_refused(spec):
    with pytest.raises(
        MarEdgeError, match=f"no data set '{spec}'; it is one of: synth, synth-live, synth-concurrent .* .npz file"
    ):
        parse_spec(spec)


def test_data_sets_for_evaluation(tmp_path):
    assert "held-out world" in open_dataset("synth").name
    assert "(50% of them cut from recordings) of a held-out world" in open_dataset("synth-live").name
    clips.write_authors(tmp_path, "imigue", "val", [0], 2)
    clips.write_authors(tmp_path, "imigue", "test", [0], 3, with_labels=False)
    assert len(open_dataset(f"imigue:{tmp_path}")) == 2
    assert len(open_dataset(f"imigue-test:{tmp_path}")) == 3
    assert len(open_dataset(archive(tmp_path / "clips.npz"))) == 16


def test_synthetic_motion_is_validated_on_other_clips_of_it():
    assert all("(50% of them cut" in data.name for data in open_pair("synth-live"))
    training, held = open_pair("synth")
    assert (len(training), len(held)) == (64, 32)
    assert isinstance(held, SyntheticDataset)
    assert "held-out world" not in held.name
    assert not np.array_equal(training.batch(np.arange(2)).skeleton, held.batch(np.arange(2)).skeleton)


def test_validation_uses_the_complete_world(monkeypatch):
    monkeypatch.setattr(World, "without", lambda world, *names: replace(world, desk=0.0))
    training, held = open_pair("synth-concurrent:no-drag,no-noise")
    assert "several actions at once) without drag, noise, seed" in training.name
    assert "without" not in held.name
    assert training.concurrent
    assert held.concurrent


def test_unknown_parts_of_the_world_cannot_be_left_out():
    with pytest.raises(MarEdgeError, match="nonsense"):
        open_pair("synth:no-nonsense")


def test_only_training_data_is_augmented(tmp_path):
    for training, held in (open_pair("synth"), open_pair(archive(tmp_path / "clips.npz"))):
        squeezed, whole = (dataset.batch(np.arange(3), np.random.default_rng(0)) for dataset in (training, held))
        assert np.ptp(squeezed.skeleton, axis=(1, 2)).max() <= 1.2 + 1e-6
        assert np.ptp(whole.skeleton, axis=(1, 2)).min() > 1.9


def test_the_authors_splits(tmp_path):
    clips.write_authors(tmp_path, "imigue", "train", [0, 1], 3)
    clips.write_authors(tmp_path, "imigue", "val", [0, 1], 2)
    clips.write_authors(tmp_path, "imigue", "test", [0, 1], 1)
    training, held = open_pair(f"imigue:{tmp_path}")
    assert (training.name, held.name) == ("iMiGUE, train split, 6 clips", "iMiGUE, val split, 4 clips")
    assert len(open_pair(f"imigue:{tmp_path}", f"imigue-test:{tmp_path}")[1]) == 2
    with pytest.raises(MarEdgeError, match="is the default validation set; name another one with --validation"):
        open_pair(f"imigue-val:{tmp_path}")


def test_a_share_of_other_data_is_held_out(tmp_path):
    training, held = open_pair(archive(tmp_path / "clips.npz"))
    assert (len(training), len(held)) == (12, 4)
    other = archive(tmp_path / "other.npz", each=3)
    training, held = open_pair(archive(tmp_path / "clips.npz"), other)
    assert (len(training), len(held)) == (16, 6)


def test_labels_of_the_user(tmp_path):
    clips.write_authors(tmp_path, "imigue", "train", [0, 1], 3)
    clips.write_authors(tmp_path, "imigue", "val", [0, 1], 2)
    labels = tuple(Label(i, f"mine {i}", "") for i in range(2))
    training, held = open_pair(f"imigue:{tmp_path}", labels=labels)
    assert training.labels == held.labels == labels


def test_data_sets_that_differ_are_refused(tmp_path):
    clips.write_authors(tmp_path, "imigue", "train", [0, 1], 3)
    with pytest.raises(MarEdgeError, match=r"cannot validate iMiGUE, .* \(imigue, 32 labels\) on synthetic motion"):
        open_pair(f"imigue:{tmp_path}", "synth")
    with pytest.raises(MarEdgeError, match=r"cannot validate .*\(ma52, 3 labels\).* must have the same labels"):
        open_pair(archive(tmp_path / "clips.npz"), f"recordings:{recordings_of_imigue(tmp_path)}")
