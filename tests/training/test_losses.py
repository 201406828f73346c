"""Losses of labels, some of which are unknown."""

import pytest
import torch

from mar_edge.training.losses import label_losses


@pytest.mark.parametrize("loss", ["bce", "focal", "asymmetric"])
def test_an_unknown_label_teaches_nothing(loss):
    logits = torch.tensor([[2.0, -1.0, 0.5]], requires_grad=True)
    targets = torch.tensor([[1.0, float("nan"), 0.0]])
    losses = label_losses(logits, targets, loss)
    losses.sum().backward()
    assert losses[0, 1] == 0
    assert logits.grad[0, 1] == 0
    assert (logits.grad[0, [0, 2]] != 0).all()
    known = label_losses(logits, torch.tensor([[1.0, 0.0, 0.0]]), loss)
    assert torch.equal(losses[0, [0, 2]], known[0, [0, 2]])
