"""Losses of a network with a sigmoid for each label: it may predict several labels at once, or none. PyTorch only."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mar_edge.training.choices import Loss

# Ridnik et al., "Asymmetric Loss For Multi-Label Classification", ICCV 2021. Easy negatives count less, the easiest do
# not count.
_NEGATIVE_FOCUS, _MARGIN = 4.0, 0.05
# Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.
_FOCUS = 2.0


def label_losses(logits: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    """Return the losses (N, K) of logits (N, K) against targets (N, K) from 0 to 1; 0 where the target is NaN."""
    known = ~targets.isnan()
    return torch.where(known, _losses(logits, targets.nan_to_num(), loss), 0.0)


def _losses(logits: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    bce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    if loss == "bce":
        return bce
    p = torch.sigmoid(logits)
    if loss == "focal":
        return bce * (p - targets).abs() ** _FOCUS
    easier = (p - _MARGIN).clamp(min=0)
    of_positives = -targets * torch.log(p.clamp(min=1e-8))
    of_negatives = -(1 - targets) * torch.log((1 - easier).clamp(min=1e-8)) * easier**_NEGATIVE_FOCUS
    return of_positives + of_negatives
