"""Synthetic motion asked for by index."""

import numpy as np
import pytest

from mar_edge.edge.preprocess import normalise
from mar_edge.training.augment import Augmentation
from mar_edge.training.datasets import synthetic
from mar_edge.training.datasets.synthetic import SyntheticDataset
from mar_edge.training.synth.chunks import CHUNK, make_chunk
from mar_edge.training.synth.generator import CLASSES, synthesize
from mar_edge.training.synth.world import HELD_OUT, TRAINING


@pytest.fixture
def made(monkeypatch):
    """Record the numbers of the chunks that are made."""
    numbers = []

    def counted(seed, number, **options):
        numbers.append(number)
        return make_chunk(seed, number, **options)

    monkeypatch.setattr(synthetic, "make_chunk", counted)
    return numbers


def test_a_clip_is_its_place_in_its_chunk(made):
    dataset = SyntheticDataset(3, 600)
    batch = dataset.batch(np.array([CHUNK + 5, 7, CHUNK + 4]))
    first, second = synthesize(3, 0, CHUNK), synthesize(3, 1, CHUNK)
    expected = normalise(np.stack([second.joints[5], first.joints[7], second.joints[4]]))
    np.testing.assert_array_equal(batch.skeleton, expected)
    assert batch.labels.tolist() == [second.labels[5], first.labels[7], second.labels[4]]
    np.testing.assert_array_equal(batch.index_t, np.tile((np.arange(64) / 32 - 1).astype(np.float32), (3, 1)))
    assert made == [1, 0]
    for start in range(200, 300, 20):  # in order, each chunk is made once
        dataset.batch(np.arange(start, start + 20))
    assert made == [1, 0]


def test_the_description():
    dataset = SyntheticDataset(3, 5300)
    assert (len(dataset), dataset.labels) == (5300, CLASSES)
    assert dataset.layout.name == "ma52"
    assert dataset.labels[dataset.background].name == "no action"
    assert dataset.name.startswith("synthetic motion only, 5300 clips, seed 3, ")
    assert "held-out world" in SyntheticDataset(3, 10, world=HELD_OUT).name
    counts = dataset.class_counts()
    assert abs(int(counts.sum()) - 5300) < len(CLASSES)
    drawn = np.bincount(synthesize(3, 0, 4000 if len(CLASSES) < 20 else 256).labels, minlength=len(CLASSES))
    assert np.argmax(counts) == dataset.background == np.argmax(drawn)


def test_another_world_and_augmentation():
    indices = np.arange(4)
    plain = SyntheticDataset(3, 10).batch(indices)
    assert not np.array_equal(plain.skeleton, SyntheticDataset(3, 10, world=HELD_OUT).batch(indices).skeleton)
    augmented = SyntheticDataset(3, 10, augmentation=Augmentation(squeeze=(0.5, 0.6)))
    np.testing.assert_array_equal(augmented.batch(indices).skeleton, plain.skeleton)
    squeezed = augmented.batch(indices, np.random.default_rng(0))
    assert np.ptp(squeezed.skeleton, axis=(1, 2)).max() <= 1.2 + 1e-6
    np.testing.assert_array_equal(squeezed.labels, plain.labels)


def test_a_share_of_windows_cut_from_recordings():
    dataset = SyntheticDataset(3, 5300, live=0.5)
    assert dataset.name.startswith("synthetic motion only, 5300 clips (50% of them cut from recordings), seed 3, ")
    batch = dataset.batch(np.arange(20))
    chunk = make_chunk(3, 0, live=0.5, world=TRAINING)
    np.testing.assert_array_equal(batch.skeleton, normalise(chunk.joints[:20]))
    assert batch.labels.tolist() == chunk.labels[:20].tolist()
    plain, live = SyntheticDataset(3, 5300).class_counts(), SyntheticDataset(3, 5300, live=1.0).class_counts()
    assert dataset.class_counts() == pytest.approx((plain + live) / 2, abs=1)
    assert live[dataset.background] == pytest.approx(0.405 * 5300, abs=1)
