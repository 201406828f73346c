"""Synthetic clips among those of corrections."""

from dataclasses import replace

import numpy as np
import pytest
from clips import stored

from mar_edge.edge.labels import Label, background_label
from mar_edge.training.batches import BatchPlan
from mar_edge.training.datasets import rehearsal
from mar_edge.training.datasets.rehearsal import with_synthetic
from mar_edge.training.synth.chunks import CHUNK
from mar_edge.training.synth.generator import CLASSES

NOD = next(label for label in CLASSES if label.name == "nodding")
LABELS = (Label(90, "clicking a pen", ""), NOD, background_label())
N = 12


@pytest.fixture(autouse=True)
def _one_chunk(monkeypatch):
    monkeypatch.setattr(rehearsal, "_CHUNKS", 1)


@pytest.fixture
def corrected():
    """Return clips of two labels and the background, with targets."""
    plain = stored("ma52", [0, 1, 2], 4)
    return replace(plain, labels=LABELS, clip_targets=np.eye(3, dtype=np.float32)[plain.known_labels()])


def test_labels_that_synthetic_motion_lacks_are_unknown_there(corrected):
    mixed = with_synthetic(corrected, 0.5, seed=1)
    assert len(mixed) == len(mixed.clip_names) == N + CHUNK
    np.testing.assert_array_equal(mixed.clip_targets[:N], corrected.clip_targets)
    pen, nod, background = mixed.clip_targets[N:].T
    assert np.isnan(pen).all()
    assert (nod == 1).any()
    assert (nod == 0).any()
    assert not background.any()
    assert set(mixed.known_labels()[N:].tolist()) == {1, 2}
    assert np.isfinite(mixed.label_rates()).all()
    assert mixed.batch(np.array([0, N])).skeleton.shape == (2, 64, 44, 2)


def test_training_draws_the_share(corrected):
    mixed = with_synthetic(corrected, 0.75, seed=1)
    plan = BatchPlan(len(mixed), 64, seed=3, clip_weights=mixed.clip_weights)
    drawn = np.concatenate([plan.indices(n) for n in range(40)])
    assert (drawn >= N).mean() == pytest.approx(0.75, abs=0.03)


def test_clips_that_cannot_be_mixed_stay_alone(corrected):
    others = replace(corrected, labels=(LABELS[0], Label(91, "humming", ""), background_label()))
    assert with_synthetic(others, 0.5, seed=1) is others
    assert with_synthetic(corrected, 0.0, seed=1) is corrected
    imigue = stored("imigue", [0, 1], 2)
    assert with_synthetic(imigue, 0.5, seed=1) is imigue
