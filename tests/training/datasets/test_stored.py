"""Clips in memory: batches, augmentation, and splits of a set."""

import clips
import numpy as np
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, background_label
from mar_edge.training.augment import Augmentation
from mar_edge.training.datasets.stored import UNKNOWN, background_of, hold_out


def test_augmentation_needs_a_generator_and_depends_on_it_alone():
    dataset = clips.stored("imigue", [0, 1], 3)
    dataset = type(dataset)(**{**vars(dataset), "augmentation": Augmentation(crop=0.2, jitter=1, squeeze=(0.5, 1))})
    indices = np.array([5, 0, 0])
    plain, again = dataset.batch(indices), dataset.batch(indices)
    np.testing.assert_array_equal(plain.skeleton, again.skeleton)
    np.testing.assert_array_equal(plain.skeleton[1], plain.skeleton[2])
    first, same, other = (dataset.batch(indices, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.skeleton, same.skeleton)
    assert np.abs(first.skeleton - plain.skeleton).max() > 0.05
    assert np.abs(first.skeleton - other.skeleton).max() > 0.05
    assert np.abs(first.skeleton[1] - first.skeleton[2]).max() > 0.01
    np.testing.assert_array_equal(first.labels, plain.labels)
    for batch in (plain, first):
        assert (batch.skeleton.dtype, batch.index_t.dtype, batch.labels.dtype) == (np.float32, np.float32, np.int64)


def test_the_background_is_found_by_its_name():
    assert background_of([Label(0, "nodding", ""), background_label()]) == 1
    assert background_of([Label(0, "nodding", "")]) is None
    assert UNKNOWN == -1


def test_held_out_clips_come_from_other_recordings():
    dataset = clips.stored("imigue", [0, 1, 2], 20)  # 60 clips in recordings of 4
    training, held = hold_out(dataset, 0.2, seed=1)
    assert len(training) + len(held) == 60
    assert 10 <= len(held) <= 16
    assert not set(training.groups) & set(held.groups)
    assert set(training.clip_names) | set(held.clip_names) == set(dataset.clip_names)
    assert training.labels == held.labels == dataset.labels
    np.testing.assert_array_equal(training.class_counts() + held.class_counts(), dataset.class_counts())
    i = int(held.clip_names[3].removeprefix("clip "))
    np.testing.assert_array_equal(held.clips[3], dataset.clips[i])
    assert held.known_labels()[3] == dataset.known_labels()[i]
    assert held.name == f"made clips, held out, {len(held)} clips"
    again = hold_out(dataset, 0.2, seed=1)[1]
    assert list(again.clip_names) == list(held.clip_names)
    assert list(hold_out(dataset, 0.2, seed=2)[1].clip_names) != list(held.clip_names)


@pytest.mark.parametrize("share", [0.0001, 0.9999])
def test_no_part_is_empty(share):
    dataset = clips.stored("imigue", [0, 1], 8)
    training, held = hold_out(dataset, share, seed=1)
    assert len(training) > 0
    assert len(held) > 0


def test_one_recording_is_split_by_clips():
    dataset = clips.stored("imigue", [0, 1], 2)
    training, held = hold_out(dataset, 0.25, seed=1)
    assert (len(training), len(held)) == (3, 1)
    single = dataset.only(np.array([0]), "first")
    with pytest.raises(MarEdgeError, match="a single clip cannot be split"):
        hold_out(single, 0.5, seed=1)


def test_the_digest_covers_all_training_data():
    dataset = clips.stored("imigue", [0, 1], 3)
    assert dataset.digest() == clips.stored("imigue", [0, 1], 3).digest()
    others = [
        clips.stored("imigue", [0, 1], 3, seed=1),
        clips.stored("imigue", [0, 1], 3, classes=5),
        dataset.only(np.arange(5), "part"),
        type(dataset)(**{**vars(dataset), "clip_labels": dataset.known_labels()[::-1].copy()}),
    ]
    assert len({dataset.digest(), *(other.digest() for other in others)}) == 5
