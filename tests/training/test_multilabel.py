"""Several labels at once: metrics, losses and targets."""

import itertools

import numpy as np
import pytest
import torch

from mar_edge.edge.labels import Label
from mar_edge.training.datasets.base import ClipBatch
from mar_edge.training.losses import label_losses
from mar_edge.training.multilabel import score_labels
from mar_edge.training.targets import targets_of, without_background

LOGITS = np.array([[3, 1, -2], [2, -1, -1], [1, 2, -3], [-1, -2, -4]], np.float32)
TARGETS = np.array([[1, 0.6, 0], [0, 1, 0], [1, 0, 0], [0, 0.3, 0]], np.float32)


def test_average_precision():
    scores = score_labels(LOGITS, TARGETS)
    # First label: ranks of the shown are 1 and 3. Second: the window with a part of it does not count; ranks 2 and 3.
    np.testing.assert_allclose(scores.average_precision, [(1 + 2 / 3) / 2, (1 / 2 + 2 / 3) / 2, np.nan])
    assert scores.mean_ap == scores.best == pytest.approx((5 / 6 + 7 / 12) / 2)


def test_top1_is_of_windows_that_show_one_label():
    scores = score_labels(LOGITS, TARGETS)
    assert (scores.top1, scores.top3) == (0.0, 1.0)
    assert score_labels(LOGITS[:1], TARGETS[:1]).top1 == 0


def test_f1_is_for_a_threshold_of_one_half():
    scores = score_labels(LOGITS, TARGETS)
    np.testing.assert_allclose(scores.f1, [2 * 2 / 5, 2 * 1 / 4, np.nan])
    assert scores.f1_macro == pytest.approx((0.8 + 0.5) / 2)


def test_figures_name_what_was_measured():
    labels = tuple(Label(i, name, "") for i, name in enumerate(("one", "two", "three")))
    figures = score_labels(LOGITS, TARGETS).figures(labels)
    assert {"mean_ap", "top1", "top3", "f1_macro", "ap one", "ap two"} == set(figures)


@pytest.mark.parametrize("loss", ["bce", "asymmetric", "focal"])
def test_losses_fall_as_logits_approach_the_targets(loss):
    targets = torch.tensor([[1.0, 0.0]])
    losses = [label_losses(scale * torch.tensor([[1.0, -1.0]]), targets, loss).sum() for scale in (-4, 0, 2, 6)]
    assert all(after < before for before, after in itertools.pairwise(losses))
    logits = torch.randn(3, 5, requires_grad=True)
    label_losses(logits, torch.rand(3, 5), loss).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_easy_negatives_count_least_in_the_asymmetric_loss():
    logits, nothing = torch.tensor([[-2.0]]), torch.zeros(1, 1)
    bce, focal, asymmetric = (float(label_losses(logits, nothing, loss)) for loss in ("bce", "focal", "asymmetric"))
    assert asymmetric < focal < bce
    shown = [float(label_losses(logits, torch.ones(1, 1), loss)) for loss in ("bce", "asymmetric")]
    assert shown[0] == pytest.approx(shown[1], rel=1e-5)


def test_targets_of_clips_with_one_label():
    batch = ClipBatch(np.zeros((3, 64, 1, 2), np.float32), np.zeros((3, 64), np.float32), np.array([0, 2, -1]))
    targets = targets_of(batch, 3, background=2)
    np.testing.assert_array_equal(targets, [[1, 0, 0], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(without_background(targets, 2), [[1, 0], [0, 0], [0, 0]])
    assert without_background(targets, None) is targets
