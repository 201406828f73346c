"""Data sets by their specs, and what goes with what."""

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


def training(spec, validation=None, **options):
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
    made = clips.labelled("ma52", labels, each)
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
def test_what_is_no_spec(spec):
    with pytest.raises(
        MarEdgeError, match=f"no data set '{spec}'; it is one of: synth, synth-live, synth-concurrent .* .npz file"
    ):
        parse_spec(spec)


def test_what_a_model_is_judged_on(tmp_path):
    assert "not trained on" in open_dataset("synth").name
    assert "(50% of them cut from recordings) of a world not trained on" in open_dataset("synth-live").name
    clips.write_authors(tmp_path, "imigue", "val", [0], 2)
    clips.write_authors(tmp_path, "imigue", "test", [0], 3, with_labels=False)
    assert len(open_dataset(f"imigue:{tmp_path}")) == 2
    assert len(open_dataset(f"imigue-test:{tmp_path}")) == 3
    assert len(open_dataset(archive(tmp_path / "clips.npz"))) == 16


def test_synthetic_motion_is_validated_on_other_clips_of_it():
    assert all("(50% of them cut" in data.name for data in training("synth-live"))
    learnt, held = training("synth")
    assert (len(learnt), len(held)) == (64, 32)
    assert isinstance(held, SyntheticDataset)
    assert "not trained on" not in held.name
    assert not np.array_equal(learnt.batch(np.arange(2)).skeleton, held.batch(np.arange(2)).skeleton)


def test_what_the_training_data_lack_is_in_the_validation(monkeypatch):
    monkeypatch.setattr(World, "without", lambda world, *names: replace(world, desk=0.0))
    learnt, held = training("synth-concurrent:no-drag,no-noise")
    assert "several things at once) without drag, noise, seed" in learnt.name
    assert "without" not in held.name
    assert learnt.concurrent
    assert held.concurrent


def test_what_no_world_has_cannot_be_lacking():
    with pytest.raises(MarEdgeError, match="nonsense"):
        training("synth:no-nonsense")


def test_only_what_is_learned_from_is_augmented(tmp_path):
    for learnt, held in (training("synth"), training(archive(tmp_path / "clips.npz"))):
        squeezed, whole = (dataset.batch(np.arange(3), np.random.default_rng(0)) for dataset in (learnt, held))
        assert np.ptp(squeezed.skeleton, axis=(1, 2)).max() <= 1.2 + 1e-6
        assert np.ptp(whole.skeleton, axis=(1, 2)).min() > 1.9


def test_the_authors_splits(tmp_path):
    clips.write_authors(tmp_path, "imigue", "train", [0, 1], 3)
    clips.write_authors(tmp_path, "imigue", "val", [0, 1], 2)
    clips.write_authors(tmp_path, "imigue", "test", [0, 1], 1)
    learnt, held = training(f"imigue:{tmp_path}")
    assert (learnt.name, held.name) == ("iMiGUE, train split, 6 clips", "iMiGUE, val split, 4 clips")
    assert len(training(f"imigue:{tmp_path}", f"imigue-test:{tmp_path}")[1]) == 2
    with pytest.raises(MarEdgeError, match="is what is validated on otherwise; name another set with --validation"):
        training(f"imigue-val:{tmp_path}")


def test_a_part_of_anything_else_is_held_out(tmp_path):
    learnt, held = training(archive(tmp_path / "clips.npz"))
    assert (len(learnt), len(held)) == (12, 4)
    other = archive(tmp_path / "other.npz", each=3)
    learnt, held = training(archive(tmp_path / "clips.npz"), other)
    assert (len(learnt), len(held)) == (16, 6)


def test_names_of_ones_own(tmp_path):
    clips.write_authors(tmp_path, "imigue", "train", [0, 1], 3)
    clips.write_authors(tmp_path, "imigue", "val", [0, 1], 2)
    labels = tuple(Label(i, f"mine {i}", "") for i in range(2))
    learnt, held = training(f"imigue:{tmp_path}", labels=labels)
    assert learnt.labels == held.labels == labels


def test_sets_that_do_not_fit_each_other(tmp_path):
    clips.write_authors(tmp_path, "imigue", "train", [0, 1], 3)
    with pytest.raises(MarEdgeError, match=r"cannot validate iMiGUE, .* \(imigue, 32 labels\) on synthetic motion"):
        training(f"imigue:{tmp_path}", "synth")
    with pytest.raises(MarEdgeError, match=r"cannot validate .*\(ma52, 3 labels\).* need the same labels"):
        training(archive(tmp_path / "clips.npz"), f"recordings:{recordings_of_imigue(tmp_path)}")
