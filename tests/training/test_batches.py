"""The clips of a batch, which do not depend on the process that prepares it."""

import clips
import numpy as np
import pytest

from mar_edge.training.augment import Augmentation
from mar_edge.training.balance import class_weights
from mar_edge.training.batches import BatchPlan, prepared_batches
from mar_edge.training.datasets.stored import StoredDataset


@pytest.fixture(scope="module")
def dataset():
    made = clips.stored("imigue", [0, 1, 2], 10)
    return StoredDataset(**{**vars(made), "augmentation": Augmentation(jitter=1, crop=0.2, squeeze=(0.5, 1))})


def made(dataset, plan, first, end, workers=0):
    with prepared_batches(dataset, plan, first, end, workers) as batches:
        return list(batches)


def test_an_epoch_is_every_clip_once_in_a_new_order():
    plan = BatchPlan(clips=30, batch=10, seed=1)
    assert plan.per_epoch == 3
    epochs = [np.concatenate([plan.indices(3 * epoch + i) for i in range(3)]) for epoch in range(3)]
    for order in epochs:
        assert sorted(order) == list(range(30))
    assert not np.array_equal(epochs[0], epochs[1])
    np.testing.assert_array_equal(plan.indices(0), epochs[0][:10])  # also after later ones were drawn
    assert not np.array_equal(BatchPlan(clips=30, batch=10, seed=2).indices(0), plan.indices(0))


def test_an_incomplete_batch_is_dropped():
    plan = BatchPlan(clips=25, batch=10, seed=1)
    assert plan.per_epoch == 2
    assert {len(plan.indices(n)) for n in range(20)} == {10}
    assert set(np.concatenate([plan.indices(n) for n in range(20)])) == set(range(25))
    few = BatchPlan(clips=7, batch=10, seed=1)
    assert (few.per_epoch, sorted(few.indices(3))) == (1, list(range(7)))


def test_random_clips_keep_their_order():
    plan = BatchPlan(clips=30, batch=8, seed=1, in_order=True)
    np.testing.assert_array_equal(plan.indices(2), np.arange(16, 24))


def test_a_sampler_draws_by_weight():
    labels = np.repeat([0, 1], [900, 100])
    weights = class_weights(np.bincount(labels))[labels]
    plan = BatchPlan(clips=1000, batch=100, seed=1, clip_weights=weights)
    drawn = np.concatenate([plan.indices(n) for n in range(100)])
    share = labels[drawn].mean()
    expected = weights[labels == 1].sum() / weights.sum()
    assert expected > 0.35  # of 0.1 without
    assert share == pytest.approx(expected, abs=0.02)


def test_batch_n_does_not_depend_on_the_first_batch(dataset):
    plan = BatchPlan(clips=30, batch=4, seed=3)
    whole = made(dataset, plan, 0, 20)
    assert len(whole) == 20
    later = made(dataset, BatchPlan(clips=30, batch=4, seed=3), 13, 20)
    assert len(later) == 7
    for one, other in zip(whole[13:], later, strict=True):
        np.testing.assert_array_equal(one.skeleton, other.skeleton)
        np.testing.assert_array_equal(one.index_t, other.index_t)
        np.testing.assert_array_equal(one.labels, other.labels)
    assert not np.array_equal(whole[0].skeleton, whole[1].skeleton)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_make_the_same_batches_in_the_same_order(dataset, workers):
    plan = BatchPlan(clips=30, batch=16, seed=3)
    here, there = made(dataset, plan, 5, 60), made(dataset, plan, 5, 60, workers)
    assert len(here) == len(there) == 55
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one.skeleton, other.skeleton)
        np.testing.assert_array_equal(one.labels, other.labels)


def test_nothing_is_drawn_from_torchs_own_generator(dataset):
    import torch

    torch.manual_seed(5)
    before = torch.get_rng_state()
    made(dataset, BatchPlan(clips=30, batch=4, seed=3), 0, 3)
    assert torch.equal(torch.get_rng_state(), before)
